"""The web page, whose guests the gateway has authenticated."""
