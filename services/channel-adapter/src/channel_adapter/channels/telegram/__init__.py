"""Telegram, by its Bot API: webhook or long polling."""
