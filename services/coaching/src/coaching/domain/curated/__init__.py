"""Composed replies for models too small to be trusted with free sentences: they choose, code words it."""
