"""A bot as Telegram keeps it: its updates, where they go, its chats, and what was sent; and what can go wrong."""

import asyncio
import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

TEXT_LIMIT = 4096
FILE_LIMIT = 20 * 1024 * 1024
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What the next call of a method meets; `carried_out`: the call takes effect all the same."""

    code: int = 0
    description: str = ""
    parameters: Json = field(default_factory=dict)
    hang_seconds: float = 0.0
    cut: bool = False
    carried_out: bool = False


def too_many(retry_after: int) -> Fault:
    """Too many requests."""
    return Fault(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


def moved(chat_id: int) -> Fault:
    """The group has become a supergroup."""
    return Fault(400, "Bad Request: group chat was upgraded", {"migrate_to_chat_id": chat_id})


def broken(code: int = 502, *, carried_out: bool = False) -> Fault:
    """The front of the API has no answer of the server behind it."""
    return Fault(code, "Bad Gateway", carried_out=carried_out)


def hanging(seconds: float, *, carried_out: bool = True) -> Fault:
    """No answer in time."""
    return Fault(hang_seconds=seconds, carried_out=carried_out)


def cut(*, carried_out: bool) -> Fault:
    """The connection is reset instead of an answer."""
    return Fault(cut=True, carried_out=carried_out)


class ApiError(Exception):
    """A refusal in the Bot API's envelope."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}


@dataclass(frozen=True)
class Sent:
    """A message that reached a chat."""

    message_id: int
    chat_id: int
    text: str
    at: float


@dataclass
class Webhook:
    """Where a bot's updates go."""

    url: str
    secret: str
    max_connections: int


class Bot:
    """One bot: its updates, its chats, and what it sent."""

    def __init__(self, token: str, retry_seconds: float) -> None:
        self.token = token
        self.id = int(token.partition(":")[0])
        self.retry_seconds = retry_seconds
        self.pending: dict[int, Json] = {}
        self.webhook: Webhook | None = None
        self.webhook_statuses: list[int] = []
        self.sent: list[Sent] = []
        self.send_seconds = 0.0  # how long a call takes, half of it before the message is in the chat
        self.actions: list[tuple[int, str]] = []
        self.answered_presses: list[str] = []
        self.calls: dict[str, int] = defaultdict(int)
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.blocked: set[int] = set()
        self.chats: set[int] = set()
        self.files: dict[str, tuple[str, bytes]] = {}
        self.next_update_id = 5_000_001
        self.message_ids = count(1)
        self._changed = asyncio.Condition()
        self._getting = 0
        self.conflicts = 0
        self._deliveries: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(40)

    # ------------------------------------------------------------------ updates

    def add_update(self, kind: str, content: Json, copies: int = 1) -> int:
        """Queue an update; more than one copy is delivered in parallel, as a confused provider does."""
        update_id = self.next_update_id
        self.next_update_id += 1
        self.pending[update_id] = {"update_id": update_id, kind: content}
        self._deliver(update_id, copies)
        task = asyncio.ensure_future(self._wake())
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)
        return update_id

    def repeat(self, update: Json) -> None:
        """Deliver an update again that was confirmed before."""
        self.pending[update["update_id"]] = update
        self._deliver(update["update_id"], 1)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _deliver(self, update_id: int, copies: int) -> None:
        if self.webhook is None:
            return
        for _ in range(copies):
            task = asyncio.ensure_future(self._post_until_taken(self.pending[update_id], self.webhook))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)

    async def _post_until_taken(self, update: Json, webhook: Webhook) -> None:
        delay = self.retry_seconds
        headers = {SECRET_HEADER: webhook.secret} if webhook.secret else {}
        while True:
            async with self._slots:
                status = await _post(webhook.url, update, headers)
            self.webhook_statuses.append(status)
            if 200 <= status < 300:
                self.pending.pop(update["update_id"], None)
                async with self._changed:
                    self._changed.notify_all()
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)

    def stop_delivering(self) -> None:
        """Forget the webhook's open deliveries; the updates stay."""
        for task in self._deliveries:
            task.cancel()

    async def end_polls(self) -> None:
        """End the getUpdates that wait."""
        self._getting += 1
        await self._wake()

    async def settled(self, seconds: float = 60.0) -> None:
        """Wait until every update has been taken."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: not self.pending)

    # ------------------------------------------------------------------ methods of the Bot API

    async def call(self, method: str, params: Json) -> Any:
        """Carry out one method."""
        if method not in METHODS:
            raise ApiError(404, "Not Found: method not found")
        return await METHODS[method](self, params)

    async def get_me(self, _: Json) -> Json:
        return {"id": self.id, "is_bot": True, "first_name": "Fake", "username": "fake_bot"}

    async def set_webhook(self, params: Json) -> bool:
        self.stop_delivering()
        connections = int(params.get("max_connections", 40))
        self.webhook = Webhook(params["url"], params.get("secret_token", ""), connections)
        self._slots = asyncio.Semaphore(connections)
        for update_id in self.pending:
            self._deliver(update_id, 1)
        return True

    async def delete_webhook(self, params: Json) -> bool:
        self.stop_delivering()
        self.webhook = None
        if params.get("drop_pending_updates"):
            self.pending.clear()
        return True

    async def get_webhook_info(self, _: Json) -> Json:
        return {"url": self.webhook.url if self.webhook else "", "pending_update_count": len(self.pending)}

    async def get_updates(self, params: Json) -> list[Json]:
        if self.webhook is not None:
            raise ApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        self._getting += 1
        mine = self._getting
        await self._wake()
        offset = int(params.get("offset", 0))
        # A queue that went on with lower numbers is given out whole: Telegram does so after a quiet week.
        if self.pending and offset <= max(self.pending):
            self.pending = {number: update for number, update in self.pending.items() if number >= offset}
        elif offset and self.pending and max(self.pending) == offset - 1:
            self.pending = {}
        async with self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(float(params.get("timeout", 0))):
                    await self._changed.wait_for(lambda: bool(self.pending) or self._getting != mine)
        if self._getting != mine:
            self.conflicts += 1
            raise ApiError(409, "Conflict: terminated by other getUpdates request")
        allowed = params.get("allowed_updates") or []
        wanted = [update for update in self.pending.values() if not allowed or set(update) & set(allowed)]
        return wanted[: int(params.get("limit", 100))]

    async def send_message(self, params: Json) -> Json:
        chat_id, text = int(params["chat_id"]), str(params.get("text", ""))
        if not text.strip():
            raise ApiError(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > TEXT_LIMIT:
            raise ApiError(400, "Bad Request: message is too long")
        self._check_chat(chat_id)
        await asyncio.sleep(self.send_seconds / 2)
        sent = Sent(next(self.message_ids), chat_id, text, time.monotonic())
        self.sent.append(sent)
        await self._wake()
        await asyncio.sleep(self.send_seconds / 2)
        chat = {"id": chat_id, "type": "private"}
        return {"message_id": sent.message_id, "date": int(time.time()), "chat": chat, "text": text}

    async def send_chat_action(self, params: Json) -> bool:
        chat_id = int(params["chat_id"])
        self._check_chat(chat_id)
        self.actions.append((chat_id, params["action"]))
        return True

    async def answer_callback_query(self, params: Json) -> bool:
        self.answered_presses.append(params["callback_query_id"])
        return True

    async def get_file(self, params: Json) -> Json:
        if params["file_id"] not in self.files:
            raise ApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        path, content = self.files[params["file_id"]]
        if len(content) > FILE_LIMIT:
            raise ApiError(400, "Bad Request: file is too big")
        return {"file_id": params["file_id"], "file_size": len(content), "file_path": path}

    def _check_chat(self, chat_id: int) -> None:
        if chat_id in self.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat_id not in self.chats:
            raise ApiError(400, "Bad Request: chat not found")

    async def wait_for_sent(self, number: int, chat_id: int | None = None, seconds: float = 60.0) -> list[Sent]:
        """Wait until so many messages were sent (to one chat), and return them."""

        def found() -> list[Sent]:
            return [one for one in self.sent if chat_id in (None, one.chat_id)]

        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(found()) >= number)
        return found()


METHODS: dict[str, Callable[[Bot, Json], Awaitable[Any]]] = {
    "getMe": Bot.get_me,
    "setWebhook": Bot.set_webhook,
    "deleteWebhook": Bot.delete_webhook,
    "getWebhookInfo": Bot.get_webhook_info,
    "getUpdates": Bot.get_updates,
    "sendMessage": Bot.send_message,
    "sendChatAction": Bot.send_chat_action,
    "answerCallbackQuery": Bot.answer_callback_query,
    "getFile": Bot.get_file,
}


async def _post(url: str, update: Json, headers: dict[str, str]) -> int:
    """Return the webhook's status; 0 where there is no answer."""
    try:
        async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
            return (await client.post(url, json=update, headers=headers)).status_code
    except httpx.TransportError:
        return 0
