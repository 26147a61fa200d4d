"""The domain: people, conversations, turns, safety, deliveries."""
