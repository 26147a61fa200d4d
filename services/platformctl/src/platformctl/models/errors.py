"""What can go wrong while a model is fetched; every text is meant for a person and holds no secret."""


class ModelError(Exception):
    """The model cannot be had; the text says why and what to do."""


class SourceError(Exception):
    """One source failed; another may work. The text is a short reason."""
