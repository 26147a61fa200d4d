"""Chroma as the index on disk: texts and vectors by organisation, read whole by person, never queried by Chroma."""
