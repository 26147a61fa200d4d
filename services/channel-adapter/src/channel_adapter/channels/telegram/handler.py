"""A Telegram bot as a channel account; its numeric id names it."""

import hmac
from collections.abc import Sequence
from typing import TypeVar

from pydantic import SecretStr, TypeAdapter, ValidationError

from channel_adapter.app.channel import ChannelKind, Connection, Outside
from channel_adapter.app.ports import Polled
from channel_adapter.channels.telegram.client import BotApi, ChatMovedError, TooBigError, http_client
from channel_adapter.channels.telegram.payloads import Part, Update, Whole, Word
from channel_adapter.channels.telegram.settings import TelegramSettings
from channel_adapter.channels.telegram.updates import to_parsed
from channel_adapter.domain.abilities import Abilities
from channel_adapter.domain.delivery import Outbound, Problem, ProviderError
from channel_adapter.domain.messages import (
    FileRefusal,
    FileRefusedError,
    Parsed,
    RawRequest,
    RefusedError,
    RemoteFile,
)

CHANNEL = "telegram"
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  # the header's name
UPDATE_KINDS = ["message", "callback_query", "my_chat_member"]
PARALLEL_WEBHOOKS = 40  # Telegram's own default; order is restored by update_id
ABILITIES = Abilities(
    text_limit=4096,
    calls_provider=True,
    typing=True,
    polling=True,
    files=True,
    authenticated_sender=False,
)


class Me(Part):
    """What getMe tells."""

    id: Whole


class Sent(Part):
    """What sendMessage tells."""

    message_id: Whole


class Location(Part):
    """What getFile tells; the path is missing while Telegram has no copy to give."""

    file_path: Word | None = None


class Numbered(Part):
    """All that is needed to pass an update that is not understood."""

    update_id: Whole


class TelegramReceiver:
    """Webhook requests of one bot."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret

    def verify(self, request: RawRequest) -> None:
        given = request.headers.get(SECRET_HEADER)
        if given is None:
            raise RefusedError(401, "secret_missing", "The secret token is missing.")
        if self._secret is None or not hmac.compare_digest(given.encode(), self._secret.encode()):
            raise RefusedError(403, "secret_wrong", "The secret token is wrong.")

    def parse(self, request: RawRequest) -> Parsed:
        try:
            return to_parsed(Update.model_validate_json(request.body))
        except ValidationError:
            raise RefusedError(400, "malformed", "This is not an update of the Bot API.") from None


class TelegramBot:
    """Everything that is asked of Telegram on behalf of one bot."""

    def __init__(self, api: BotApi, bot_id: str, secret: str | None, poll_seconds: int) -> None:
        self._api = api
        self._bot_id = bot_id
        self._secret = secret
        self._poll_seconds = poll_seconds

    async def connect(self, webhook_url: str | None) -> None:
        me = _read(Me, await self._call("getMe"))
        if str(me.id) != self._bot_id:
            raise ProviderError(Problem.CREDENTIALS_REFUSED)
        if webhook_url is None:
            # Without drop_pending_updates: what people wrote meanwhile is fetched.
            await self._call("deleteWebhook")
            return
        await self._call(
            "setWebhook", url=webhook_url, secret_token=self._secret or "", allowed_updates=UPDATE_KINDS,
            max_connections=PARALLEL_WEBHOOKS,
        )  # fmt: skip

    async def poll(self, position: int) -> Polled:
        """The position is the last update's id + 1, even where that is lower than before.

        After a quiet week Telegram goes on with a random number; keeping the highest would fetch the same for ever.
        """
        offset = {"offset": position} if position else {}
        result = await self._call(
            "getUpdates", extra_seconds=self._poll_seconds, timeout=self._poll_seconds, allowed_updates=UPDATE_KINDS,
            **offset,
        )  # fmt: skip
        raw = _read_many(result)
        last = _read(Numbered, raw[-1]).update_id + 1 if raw else position
        return Polled(tuple(_tolerant(item) for item in raw), last)

    async def send(self, message: Outbound, part: str) -> str:
        try:
            return await self._send_text(message.address, part)
        except ChatMovedError as moved:
            # A refusal before anything was sent, which names the chat's new id.
            return await self._send_text(str(moved.chat_id), part)

    async def _send_text(self, address: str, text: str) -> str:
        # Plain text, no parse_mode: nothing that a model writes can break the markup.
        result = await self._api.call("sendMessage", {"chat_id": address, "text": text})
        return str(_read(Sent, result).message_id)

    async def show_typing(self, address: str) -> None:
        await self._call("sendChatAction", chat_id=address, action="typing")

    async def answer_press(self, press_id: str) -> None:
        await self._call("answerCallbackQuery", callback_query_id=press_id)

    async def download(self, file: RemoteFile, limit_bytes: int) -> bytes:
        try:
            location = _read(Location, await self._call("getFile", file_id=file.remote_id))
        except TooBigError:
            raise FileRefusedError(FileRefusal.TOO_LARGE) from None
        # A local Bot API server in --local mode gives a path of its own disk, which is not ours to read.
        if location.file_path is None or location.file_path.startswith("/"):
            raise FileRefusedError(FileRefusal.UNAVAILABLE)
        return await self._api.fetch(location.file_path, limit_bytes)

    async def _call(self, method: str, extra_seconds: float = 0.0, **params: str | int | list[str]) -> object:
        try:
            return await self._api.call(method, params, extra_seconds)
        except ChatMovedError:
            raise ProviderError(Problem.RECIPIENT_UNKNOWN) from None


def _tolerant(item: object) -> Parsed:
    """A webhook can be refused; a fetched update that is not understood would come again for ever, so it is passed."""
    try:
        return to_parsed(Update.model_validate(item))
    except ValidationError:
        return Parsed(ignored=("malformed",))


T = TypeVar("T", bound=Part)
_LIST = TypeAdapter(list[object])


def _read_many(result: object) -> list[object]:
    try:
        return _LIST.validate_python(result)
    except ValidationError:
        raise ProviderError(Problem.ANSWER_LOST) from None


def _read(kind: type[T], result: object) -> T:
    try:
        return kind.model_validate(result)
    except ValidationError:
        raise ProviderError(Problem.ANSWER_LOST) from None


def open_bots(settings: TelegramSettings, outside: Outside) -> Sequence[Connection]:
    """Return one connection per configured bot."""
    tokens = settings.telegram_tokens()
    if not tokens:
        return []
    client = http_client(settings.telegram_api_url)
    outside.on_close(client.close)
    connections = []
    for bot_id, token in tokens.items():
        api = BotApi(client, settings.telegram_api_url, SecretStr(token), settings.telegram_send_timeout_seconds)
        secret = settings.webhook_secret_of(bot_id)
        bot = TelegramBot(api, bot_id, secret, settings.telegram_poll_seconds)
        connection = Connection(
            CHANNEL, bot_id, outside.organization_id, ABILITIES, TelegramReceiver(secret), bot,
            connector=bot, poller=bot, files=bot, typist=bot, presses=bot,
        )  # fmt: skip
        connections.append(connection)
    return connections


KIND = ChannelKind(ABILITIES, TelegramSettings, open_bots)
