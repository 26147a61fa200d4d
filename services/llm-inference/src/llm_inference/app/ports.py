"""What the application needs from outside."""

from collections.abc import AsyncGenerator
from typing import Protocol

from llm_inference.domain.completion import Completion, Delta, Ended, Model


class ModelProvider(Protocol):
    """A model server, or an engine in this process. Errors are those of domain.errors, without any prompt text."""

    name: str
    # Completions at once for each of MAX_WORKERS: an engine computes on our cores, a server has its own queue.
    per_worker: int

    async def start(self) -> None:
        """Load or connect. Raises BackendUnavailableError, with what to do; a remote server may still come later."""

    async def close(self) -> None:
        """Let go of everything; generations in progress end."""

    async def check(self) -> None:
        """Return when the model answers now; raise BackendUnavailableError otherwise. Cheap."""

    async def describe(self) -> Model:
        """Return which model answers. Raises BackendUnavailableError."""

    def stream(self, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        """Generate: deltas, then one Ended. Closing the generator stops the generation at the backend.

        Raises InvalidRequestError, BackendUnavailableError.
        """
