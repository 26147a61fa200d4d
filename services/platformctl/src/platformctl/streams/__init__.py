"""JetStream streams and consumers as an operator sees them: apply what the code declares, show what is there."""
