"""The model on this machine: llama.cpp in process, with each person's prompt restored from a file."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from pathlib import Path

from kit.log import get_logger
from llm_inference import dialect, wire
from llm_inference.domain.completion import Completion, Delta, Ended, Message, Model, Speaker
from llm_inference.domain.errors import BackendUnavailableError, InvalidRequestError
from llm_inference.domain.prose import is_free_prose
from llm_inference.providers.embedded.engine import Engine, engine_version
from llm_inference.providers.embedded.grammar import compact_grammar
from llm_inference.providers.embedded.slots import Slot, Slots
from llm_inference.providers.embedded.states import States
from llm_inference.providers.embedded.weights import sha256_of
from llm_inference.settings import LlmInferenceSettings

ADVICE = "this service's log says more; it starts again when it is restarted"
STATE_SECONDS = 30.0
MEGABYTE = 1_000_000
log = get_logger("llm_inference.embedded")


class Embedded:
    """Loads at start(). A person is a `cache_key`; what all share is the leading system message."""

    name = "embedded"
    per_worker = 1

    def __init__(self, settings: LlmInferenceSettings) -> None:
        self._settings = settings
        self._path = settings.llm_model_path or Path()
        self._slots = Slots(settings.max_workers)
        self._saves: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    async def start(self) -> None:
        if not self._path.is_file():
            raise BackendUnavailableError(f"LLM_MODEL_PATH is no file: {self._path.name} is missing")
        settings = self._settings
        sha256 = await asyncio.to_thread(sha256_of, self._path)
        self._model = Model(
            name=settings.llm_model or self._path.stem,
            sha256=sha256,
            provider=self.name,
            free_prose=self._is_free_prose(),
            keeps_prompts=True,
            context_tokens=settings.llm_context_tokens,
        )
        scope = f"{sha256} {engine_version()} {settings.llm_context_tokens}"
        self._states = States(
            self._folder(), scope, settings.llm_slots_max_megabytes * MEGABYTE, settings.llm_slots_max_days
        )
        self._states.open()
        self._engine = await asyncio.to_thread(
            Engine, self._path, settings.max_workers, settings.llm_context_tokens, settings.llm_threads,
            self._states.folder,
        )  # fmt: skip
        self._http = wire.Client(self._engine.url, {"Authorization": f"Bearer {self._engine.key}"}, proxies=False)
        log.info("model_loaded", model=self._model.name, sha256=sha256, seconds=round(self._engine.loaded_seconds, 2))

    async def close(self) -> None:
        await asyncio.gather(*self._saves)
        await self._http.close()
        await asyncio.to_thread(self._engine.close)
        if self._temporary is not None:
            self._temporary.cleanup()

    async def check(self) -> None:
        await wire.fetched(self._http, "GET", "/health", ADVICE)

    async def describe(self) -> Model:
        return self._model

    async def stream(self, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        slot = await self._slots.acquire(request.cache_key)
        try:
            if not request.cache_key or slot.holds != request.cache_key:
                await self._prepare(slot, request)
            slot.holds = ""
            async with aclosing(self._complete(slot, request)) as events:
                async for event in events:
                    if isinstance(event, Ended):
                        slot.holds = request.cache_key
                    yield event
        finally:
            if slot.holds:
                # The caller has its answer; the slot is free once the file is written.
                save = asyncio.create_task(self._keep(slot))
                self._saves.add(save)
                save.add_done_callback(self._saves.discard)
            else:
                self._slots.release(slot)

    async def _complete(self, slot: Slot, request: Completion) -> AsyncGenerator[Delta | Ended, None]:
        # With progress reports the engine notices a caller who has left while it still reads the prompt.
        body = dialect.body(request) | {"id_slot": slot.number, "cache_prompt": True, "return_progress": True}
        if request.schema is not None:
            del body["response_format"]
            body["grammar"] = compact_grammar(request.schema)
        async with (
            wire.posted(self._http, "/v1/chat/completions", body, ADVICE) as pieces,
            aclosing(dialect.events(pieces)) as events,
        ):
            async for event in events:
                yield event

    async def _prepare(self, slot: Slot, request: Completion) -> None:
        """Bring the slot as near to the prompt as files allow: the person's own, else the shared beginning."""
        slot.holds = ""
        if request.cache_key and await self._restore(slot, self._states.stem("person", request.cache_key)):
            return
        if not request.system_text:
            return
        shared = self._states.stem("system", request.system_text)
        if await self._restore(slot, shared):
            return
        async with self._reading:
            # Whoever came first has computed it meanwhile.
            if not await self._restore(slot, shared):
                await self._read_shared(slot, request.system_text, shared)

    async def _read_shared(self, slot: Slot, system_text: str, stem: str) -> None:
        beginning = Completion(messages=(Message(Speaker.SYSTEM, system_text),), max_tokens=1)
        try:
            async with aclosing(self._complete(slot, beginning)) as events:
                async for _ in events:
                    pass
        except InvalidRequestError:
            return  # some chat templates want a person's message too; then the whole prompt is computed
        await self._save(slot, stem)

    async def _restore(self, slot: Slot, stem: str) -> bool:
        found = await asyncio.to_thread(self._states.find, stem)
        if found is None:
            return False
        if await self._act(slot, "restore", found):
            return True
        self._states.drop(stem)
        return False

    async def _keep(self, slot: Slot) -> None:
        try:
            await self._save(slot, self._states.stem("person", slot.holds))
        finally:
            self._slots.release(slot)

    async def _save(self, slot: Slot, stem: str) -> None:
        part = f"{slot.number}.part"
        if await self._act(slot, "save", part):
            await asyncio.to_thread(self._states.keep, part, stem)

    async def _act(self, slot: Slot, action: str, filename: str) -> bool:
        """Save or restore a slot. A failure costs time, no answer: it is logged and the prompt is computed."""
        try:
            asked = self._http.request(
                "POST", f"/slots/{slot.number}", {"filename": filename}, STATE_SECONDS, {"action": action}
            )
            async with asked as response:
                await response.read()
        except wire.BROKEN as error:
            log.warning("slot_action_failed", action=action, exc_info=error)
            return False
        if response.status != HTTPStatus.OK:
            log.warning("slot_action_refused", action=action, status=response.status)
        return response.status == HTTPStatus.OK

    def _folder(self) -> Path:
        if self._settings.llm_slots_dir is not None:
            return self._settings.llm_slots_dir
        self._temporary = tempfile.TemporaryDirectory(prefix="coaching-slots-")
        return Path(self._temporary.name)

    def _is_free_prose(self) -> bool:
        if self._settings.llm_free_prose is not None:
            return self._settings.llm_free_prose
        name = self._settings.llm_model or self._path.stem
        return is_free_prose(name, size_bytes=self._path.stat().st_size)
