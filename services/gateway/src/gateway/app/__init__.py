"""What the gateway does, one use case a file, and the ports that it needs."""
