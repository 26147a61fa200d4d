"""The only public door: REST, WebSocket, webhooks, sessions and limits."""
