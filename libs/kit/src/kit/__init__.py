"""Process plumbing shared by every service: logs, metrics, traces, shutdown, NATS, gRPC, PostgreSQL."""
