"""One file per use case: receive, keep files, send, poll, keep accounts connected, show typing."""
