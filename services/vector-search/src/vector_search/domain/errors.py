"""What can go wrong, as a closed set; the gRPC entrypoint decides once what each means to the caller."""


class VectorSearchError(Exception):
    """Base of the set. Texts are for operators and hold nothing that a person wrote."""


class InvalidRequestError(VectorSearchError):
    """The caller's mistake: the same call will never succeed."""


class StoreUnavailableError(VectorSearchError):
    """The store did not answer; the same call may succeed later."""


class SourceUnavailableError(VectorSearchError):
    """Coaching did not give its texts; a rebuild may be run again later."""


class ModelMismatchError(VectorSearchError):
    """Stored vectors come from another embedding model; they are never mixed, a rebuild is needed."""
