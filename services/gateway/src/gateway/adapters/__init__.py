"""The ports, made real: gRPC, NATS, Redis, signed tokens."""
