"""What implements the ports: PostgreSQL, NATS, the clients of llm-inference and vector-search."""
