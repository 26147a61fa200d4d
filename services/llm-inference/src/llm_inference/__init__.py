"""One file per model provider: generate, stream, constrain, queue."""
