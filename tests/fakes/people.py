"""People who write at a steady pace while a platform is changed under them, and what became of every message.

Each person is new and writes once, half of them on the web and half on Telegram; the word in their message comes back
in the answer of the scripted model. `report()` accounts for every word: the requests that brought it, how often it was
answered, and every answer that was not the model's.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from fakes.openai_server import Asked, Reply
from fakes.patience import Fate, Request, patiently
from fakes.telegram import FakeTelegram, Person
from fakes.telegram_bot import SECRET_HEADER

WORD = re.compile(r"\btask[0-9]+\b")
POLL_SECONDS = 2.0
AT_ONCE = 16  # readings of histories
Json = dict[str, Any]


def echoing(asked: Asked) -> Reply:
    """Answer with every word that was asked about."""
    found = WORD.findall(asked.text)
    return Reply(f"I have read about {' and '.join(found) or 'nothing'}, and one small step is enough.")


@dataclass(slots=True)
class Written:
    """One person's one message; `answers`: the texts that came back, in order.

    On the web `id` is the message's own; `stored` has the ids of the person's messages in the history, and `replied`
    for each of the coach's there the id of the one that it answers.
    """

    word: str
    channel: str
    at: float
    requests: list[Fate] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    token: str = ""
    chat_id: int = 0
    id: str = ""
    stored: list[str] = field(default_factory=list)
    replied: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        """Whether every request that brought it succeeded."""
        return bool(self.requests) and all(fate.succeeded for fate in self.requests)

    def take(self, history: list[Json]) -> None:
        """Note what the conversation on the web holds now."""
        own = [message for message in history if message["role"] == "person"]
        coachs = [message for message in history if message["role"] == "coach"]
        turns = {message["turn_id"]: message["client_id"] for message in own}
        self.answers = [message["text"] for message in coachs]
        self.stored = [message["client_id"] for message in own]
        self.replied = [turns.get(message["turn_id"], "") for message in coachs]

    def told(self) -> Json:
        """Return it for a report."""
        return {
            "word": self.word, "channel": self.channel, "at": self.at, "accepted": self.accepted,
            "requests": [fate.told() for fate in self.requests], "answers": self.answers,
            "id": self.id, "stored": self.stored, "replied": self.replied,
        }  # fmt: skip


class People:
    """Writes to the platform at `door`, the address of its web page."""

    def __init__(self, telegram: FakeTelegram, secret: str) -> None:
        self._telegram = telegram
        self._secret = secret
        # Neither a person nor an update is ever the one of an earlier run, whose platform may still know it.
        self._people = count(int(time.time()))
        telegram.bot.next_update_id = int(time.time())
        self._door = ""
        self._written: list[Written] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing: asyncio.Task[None] | None = None
        self._reading = asyncio.Semaphore(AT_ONCE)

    def begin(self, door: str, per_second: float) -> None:
        """Forget what was, and write from now on; channels take turns."""
        self._door = door
        self._written = []
        self._writing = asyncio.create_task(self._write(per_second))

    async def end(self) -> None:
        """Write no more; requests that are under way go on."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
            self._writing = None

    async def _write(self, per_second: float) -> None:
        next_at = time.monotonic()
        while True:
            number = next(self._people)
            written = Written(f"task{number}", ("web", "telegram")[number % 2], time.time())
            self._written.append(written)
            self._spawn(self._on_web(written) if written.channel == "web" else self._on_telegram(written))
            next_at += 1 / per_second
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _on_web(self, written: Written) -> None:
        session = await self._ask(written, Request("session", "POST", "/v1/session"))
        if not session.succeeded:
            return
        written.token = json.loads(session.body)["token"]
        written.id = str(uuid4())
        message = {"id": written.id, "text": f"Today I want to begin with {written.word}."}
        body = json.dumps(message).encode()
        await self._ask(written, Request("message", "POST", "/v1/messages", body, self._bearer(written)))

    async def _on_telegram(self, written: Written) -> None:
        bot = self._telegram.bot
        written.chat_id = int(written.word.removeprefix("task"))
        person: Person = self._telegram.person(written.chat_id, locale="en")
        update = {"update_id": bot.next_update_id, "message": person.message(text=f"I begin with {written.word}.")}
        bot.next_update_id += 1
        headers = {SECRET_HEADER: self._secret}
        path = f"/webhooks/telegram/{bot.id}"
        await self._ask(written, Request("webhook", "POST", path, json.dumps(update).encode(), headers))

    async def _ask(self, written: Written, request: Request) -> Fate:
        fate = await patiently(self._door, request)
        written.requests.append(fate)
        return fate

    @staticmethod
    def _bearer(written: Written) -> dict[str, str]:
        return {"Authorization": f"Bearer {written.token}"}

    async def read(self) -> None:
        """Look for the answers that nobody has seen yet."""
        await asyncio.gather(*(self._read(written) for written in self._written if not written.answers))

    async def read_all(self) -> None:
        """Look again at everybody's conversation: a second answer may have come later."""
        await asyncio.gather(*(self._read(written) for written in self._written))

    async def _read(self, written: Written) -> None:
        if written.channel == "telegram":
            written.answers = self._telegram.sent(written.chat_id)
        elif written.token:
            async with self._reading:
                found = await patiently(
                    self._door, Request("history", "GET", "/v1/messages", headers=self._bearer(written))
                )
            if found.succeeded:
                written.take(json.loads(found.body)["messages"])

    def state(self) -> Json:
        """Return how far it is."""
        return {
            "writing": self._writing is not None,
            "written": len(self._written),
            "under_way": len(self._tasks),
            "unanswered": sum(not written.answers for written in self._written if written.accepted),
        }

    def report(self) -> Json:
        """Return every message and what became of it."""
        return {"written": [written.told() for written in self._written]}
