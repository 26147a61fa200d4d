"""What calls this service: gRPC from the gateway, OUTBOUND from JetStream, live events from core NATS."""
