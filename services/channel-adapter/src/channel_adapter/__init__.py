"""One folder per channel: provider payloads to our messages and back."""
