"""Embed, store, search: one file per embedder, one per store."""
