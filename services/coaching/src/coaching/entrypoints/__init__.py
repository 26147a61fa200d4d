"""What calls the use cases: the inbound consumer, the worker's loops, the gRPC service."""
