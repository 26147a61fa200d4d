"""A coach for the page: takes messages in, says the same few sentences, and remembers what was said."""

import asyncio
import json
import queue
from contextlib import suppress
from datetime import UTC, datetime

from fakes.gateway_door import Door
from gateway.domain.conversation import Delta, Role, Status, StoredMessage
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from kit.ids import new_id

EVERYTHING: tuple[type, ...] = (Status, Delta, StoredMessage)

POLL_SECONDS = 0.01


class ScriptedCoach:
    """Answers each message once, sentence by sentence; change the attributes between messages."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.sentences: tuple[str, ...] = ("That sounds important.", "What would a first small step be?")
        self.source = "model"
        self.ahead = 0
        self.pause_seconds = 0.05
        self.by_hand = False
        self.dies_after = 0  # sentences; a process that dies in the middle answers again under another turn id
        self.heard_again: tuple[type, ...] = EVERYTHING  # what of the second try reaches the page
        self.taken: list[str] = []
        self._steps: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._tasks: set[asyncio.Task[None]] = set()
        door.inbound.judge = self._judge

    def go_on(self) -> None:
        """Let a coach that is led `by_hand` take its next step; may be called from any thread."""
        self._steps.put(None)

    def _judge(self, request: RawRequest) -> Answer:
        message = json.loads(request.body)
        if message["id"] not in self.taken:
            self.taken.append(message["id"])
            guest = GuestId(request.authenticated_subject)
            self._record(guest, message["text"], Role.PERSON, client_id=message["id"])
            self.door.conversations.open_turns.add(guest)
            task = asyncio.create_task(self._answer(guest))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return Answer(200)

    async def _answer(self, guest: GuestId) -> None:
        turn, sentences, heard = new_id(), self.sentences, EVERYTHING
        for ahead in range(self.ahead, 0, -1):
            self.door.live.emit(guest, Status(turn, "queued", ahead))
            await self._pause()
        if self.dies_after:
            await self._say(guest, turn, sentences[: self.dies_after], EVERYTHING)
            turn, heard = new_id(), self.heard_again
        await self._say(guest, turn, sentences, heard)
        await self._pause()
        self.door.conversations.open_turns.discard(guest)
        answer = self._record(guest, " ".join(sentences), Role.COACH, source=self.source, turn_id=turn)
        if StoredMessage in heard:
            self.door.live.emit(guest, answer)

    async def _say(self, guest: GuestId, turn: str, sentences: tuple[str, ...], heard: tuple[type, ...]) -> None:
        if Status in heard:
            self.door.live.emit(guest, Status(turn, "thinking", 0))
        for index, sentence in enumerate(sentences):
            await self._pause()
            if Delta in heard:
                self.door.live.emit(guest, Delta(turn, sentence, index))

    async def _pause(self) -> None:
        if not self.by_hand:
            await asyncio.sleep(self.pause_seconds)
        while self.by_hand:
            with suppress(queue.Empty):
                self._steps.get_nowait()
                break
            await asyncio.sleep(POLL_SECONDS)

    def _record(
        self, guest: GuestId, text: str, role: Role, source: str = "", client_id: str = "", turn_id: str = ""
    ) -> StoredMessage:
        return self.door.conversations.add(guest, text, role, source, client_id, turn_id, datetime.now(UTC))
