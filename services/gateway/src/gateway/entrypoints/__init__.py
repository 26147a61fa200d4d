"""Where requests come in: webhooks, REST, the chat socket, the page."""
