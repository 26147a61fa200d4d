"""A coach for the page: takes messages in, says the same few sentences, and remembers what was said."""

import asyncio
import json
from datetime import UTC, datetime

from fakes.gateway_door import Door
from gateway.domain.conversation import Delta, Role, Status, StoredMessage
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from kit.ids import new_id


class ScriptedCoach:
    """Answers each message once, sentence by sentence; change the attributes between messages."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.sentences: tuple[str, ...] = ("That sounds important.", "What would a first small step be?")
        self.source = "model"
        self.ahead = 0
        self.pause_seconds = 0.05
        self.taken: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        door.inbound.judge = self._judge

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
        turn, live, sentences = new_id(), self.door.live, self.sentences
        for ahead in range(self.ahead, 0, -1):
            live.emit(guest, Status(turn, "queued", ahead))
            await asyncio.sleep(self.pause_seconds)
        live.emit(guest, Status(turn, "thinking", 0))
        for index, sentence in enumerate(sentences):
            await asyncio.sleep(self.pause_seconds)
            live.emit(guest, Delta(turn, sentence, index))
        await asyncio.sleep(self.pause_seconds)
        text = " ".join(sentences)
        self.door.conversations.open_turns.discard(guest)
        live.emit(guest, self._record(guest, text, Role.COACH, source=self.source, turn_id=turn))

    def _record(
        self, guest: GuestId, text: str, role: Role, source: str = "", client_id: str = "", turn_id: str = ""
    ) -> StoredMessage:
        return self.door.conversations.add(guest, text, role, source, client_id, turn_id, datetime.now(UTC))
