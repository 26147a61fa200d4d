"""NATS, PostgreSQL, Coaching and the file store behind the ports of app/ports.py."""
