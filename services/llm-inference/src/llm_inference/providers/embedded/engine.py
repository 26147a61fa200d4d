"""llama.cpp's server inside this process: quiet, on a free loopback port, closed to everyone without its key."""

import os
import secrets
import time
from pathlib import Path
from typing import Any

import xllamacpp

from llm_inference.domain.errors import BackendUnavailableError

# Prompts are computed in pieces, so that a long one neither stalls the others' tokens nor outlives its caller for long.
# 128 tokens cost no measurable speed on a CPU.
PIECE_TOKENS = 128
# Only what must be said, at any LOG_LEVEL: from 3 on llama.cpp's log may quote prompts.
QUIET = 0
NOBODY = "https://nobody.invalid"


def cores_for(threads: int) -> int:
    """Return how many cores to compute on: as told, or all but one.

    Services that share the engine's cores slow it down far more than one core less does (threads wait for each other).
    """
    return threads or max(1, usable_cores() - 1)


def usable_cores() -> int:
    """Return the cores that this process may use; macOS knows no affinity."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Engine:
    """A running engine; constructing it loads the model, which takes seconds. Ends with close()."""

    def __init__(self, model: Path, slots: int, context_tokens: int, threads: int, states: Path) -> None:
        self.key = secrets.token_urlsafe(32)
        # Should the engine ever abort, a debugger's backtrace in the log would show prompts.
        os.environ["GGML_NO_BACKTRACE"] = "1"
        begun = time.perf_counter()
        try:
            self._server: Any = xllamacpp.Server(self._params(model, slots, context_tokens, threads, states))
        except RuntimeError:
            raise BackendUnavailableError(
                f"the engine cannot load {model.name}: the file is damaged or no GGUF model, or memory is short"
            ) from None
        self.url: str = self._server.listening_address
        self.loaded_seconds = time.perf_counter() - begun

    def close(self) -> None:
        """Stop the server and free the model."""
        self._server = None

    def _params(self, model: Path, slots: int, context_tokens: int, threads: int, states: Path) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(model)
        params.n_ctx = context_tokens * slots
        params.n_parallel = slots
        params.n_batch = params.n_ubatch = PIECE_TOKENS
        params.fit_params = False
        for cpu in (params.cpuparams, params.cpuparams_batch):
            cpu.n_threads = cores_for(threads)
            cpu.poll = 0  # idle threads sleep instead of spinning
        params.slot_save_path = f"{states}{os.sep}"
        params.cache_ram_mib = 0  # states are kept on disk, by us
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = [self.key]
        params.cors_origins = NOBODY
        params.cors_origins_explicit = True
        params.cors_credentials = False
        params.ui = params.endpoint_slots = params.endpoint_props = False
        params.verbosity = QUIET
        return params


def engine_version() -> str:
    """Return the engine's version; states of another one are not read."""
    return str(xllamacpp.__version__)
