"""Reasons to speak first: one file each, and one line of the registry."""
