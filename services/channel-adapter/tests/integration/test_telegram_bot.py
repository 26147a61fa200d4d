"""A bot against a server that behaves as Telegram's: what is sent, what is fetched, what each failure means."""

import io
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from pydantic import SecretStr

from channel_adapter.channels.telegram.client import BotApi, http_client
from channel_adapter.channels.telegram.handler import TelegramBot
from channel_adapter.domain.delivery import Problem, ProviderError
from channel_adapter.domain.messages import FileKind, FileRefusal, FileRefusedError, OptOut, PersonText, RemoteFile
from fakes.channel_ports import outbound
from fakes.telegram import FakeTelegram, Fault, broken, cut, hanging, moved, too_many
from kit import log

TIMEOUT = 0.4


@dataclass
class Line:
    """A bot and the server it talks to."""

    telegram: FakeTelegram
    client: aiohttp.ClientSession

    def bot(self, token: str | None = None, bot_id: str = "1000", poll_seconds: int = 0) -> TelegramBot:
        secret = SecretStr(token or self.telegram.bot.token)
        return TelegramBot(BotApi(self.client, self.telegram.url, secret, TIMEOUT), bot_id, "s3cret", poll_seconds)

    async def send(self, chat_id: int, text: str = "Hello") -> str:
        return await self.bot().send(outbound(address=str(chat_id)), text)

    async def problem_of_sending(self, chat_id: int, text: str = "Hello") -> ProviderError:
        with pytest.raises(ProviderError) as error:
            await self.send(chat_id, text)
        return error.value


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with FakeTelegram() as telegram, http_client() as client:
        yield Line(telegram, client)


async def test_a_text_arrives_as_it_is(line: Line) -> None:
    person = line.telegram.person()
    assert await line.send(person.chat_id, "*not* <b>markup</b> 🙂") == "1"
    assert line.telegram.sent(person.chat_id) == ["*not* <b>markup</b> 🙂"]


@pytest.mark.parametrize(
    ("fault", "problem", "arrived"),
    [
        (too_many(9), Problem.RATE_LIMITED, 0),
        (broken(500), Problem.PROVIDER_FAILED, 0),
        (broken(502, carried_out=True), Problem.PROVIDER_FAILED, 1),
        (cut(carried_out=True), Problem.ANSWER_LOST, 1),
        (cut(carried_out=False), Problem.ANSWER_LOST, 0),
        (hanging(TIMEOUT + 0.2), Problem.ANSWER_LOST, 1),
        (Fault(401, "Unauthorized"), Problem.CREDENTIALS_REFUSED, 0),
        (Fault(404, "Not Found"), Problem.CREDENTIALS_REFUSED, 0),
        (Fault(409, "Conflict: terminated by other getUpdates request"), Problem.CONFLICT, 0),
        (Fault(400, "Bad Request: can't parse entities"), Problem.REJECTED, 0),
        (Fault(403, "Forbidden: user is deactivated"), Problem.RECIPIENT_GONE, 0),
        (Fault(403, "Forbidden: bot can't initiate conversation with a user"), Problem.RECIPIENT_UNKNOWN, 0),
    ],
)
async def test_what_a_failure_means(line: Line, fault: Fault, problem: Problem, arrived: int) -> None:
    person = line.telegram.person()
    line.telegram.bot.faults["sendMessage"].append(fault)
    error = await line.problem_of_sending(person.chat_id)
    assert error.problem is problem
    assert len(line.telegram.sent(person.chat_id)) == arrived


async def test_retry_after_is_told(line: Line) -> None:
    line.telegram.bot.faults["sendMessage"].append(too_many(9))
    assert (await line.problem_of_sending(line.telegram.person().chat_id)).pause_seconds == 9


async def test_a_server_that_is_not_there_has_got_nothing(line: Line) -> None:
    person = line.telegram.person()
    await line.telegram.stop()
    assert (await line.problem_of_sending(person.chat_id)).problem is Problem.UNREACHABLE


async def test_who_blocked_the_bot_is_gone(line: Line) -> None:
    person = line.telegram.person()
    person.block()
    assert (await line.problem_of_sending(person.chat_id)).verdict.recipient_gone


async def test_a_bot_cannot_write_first(line: Line) -> None:
    assert (await line.problem_of_sending(42)).problem is Problem.RECIPIENT_UNKNOWN


async def test_a_moved_chat_is_written_to_at_its_new_place(line: Line) -> None:
    new = line.telegram.person()
    line.telegram.bot.faults["sendMessage"].append(moved(new.chat_id))
    await line.send(42)
    assert line.telegram.sent(new.chat_id) == ["Hello"]


async def test_the_longest_text_fits(line: Line) -> None:
    person = line.telegram.person()
    await line.send(person.chat_id, "🙂" * 2048)
    assert (await line.problem_of_sending(person.chat_id, "🙂" * 2048 + "x")).problem is Problem.REJECTED


async def test_connecting_with_a_public_address_sets_the_webhook(line: Line) -> None:
    await line.bot().connect("http://127.0.0.1:9/webhooks/telegram/1000")
    webhook = line.telegram.bot.webhook
    assert webhook is not None
    assert (webhook.url, webhook.secret) == ("http://127.0.0.1:9/webhooks/telegram/1000", "s3cret")


async def test_connecting_without_one_removes_the_webhook_and_no_update(line: Line) -> None:
    await line.bot().connect("http://127.0.0.1:9/")
    line.telegram.person().say("waiting")
    await line.bot().connect(None)
    assert line.telegram.bot.webhook is None
    assert len((await line.bot().poll(0)).updates) == 1


@pytest.mark.parametrize(("token", "bot_id"), [("9:wrong", "9"), (None, "2000")])
async def test_a_wrong_token_is_said_so(line: Line, token: str | None, bot_id: str) -> None:
    with pytest.raises(ProviderError) as error:
        await line.bot(token, bot_id).connect(None)
    assert error.value.problem is Problem.CREDENTIALS_REFUSED


async def test_updates_stay_until_they_are_confirmed(line: Line) -> None:
    person = line.telegram.person()
    person.say("one")
    person.edit("changed")
    person.say("two")
    bot = line.bot()
    first = await bot.poll(0)
    assert [event.body for one in first.updates for event in one.events] == [
        PersonText("one", locale="de"),
        PersonText("two", locale="de"),
    ]
    assert len((await bot.poll(0)).updates) == 2
    assert (await bot.poll(first.position)).updates == ()
    await line.telegram.bot.settled()


async def test_numbers_that_begin_again_lower_are_followed(line: Line) -> None:
    person = line.telegram.person()
    person.say("before the quiet week")
    bot = line.bot()
    high = (await bot.poll(0)).position
    await bot.poll(high)
    line.telegram.bot.next_update_id = 77
    person.say("after it")
    polled = await bot.poll(high)
    assert (len(polled.updates), polled.position) == (1, 78)
    assert (await bot.poll(78)).updates == ()


async def test_blocking_is_told_and_letting_in_again_is_no_opt_in(line: Line) -> None:
    person = line.telegram.person()
    person.block()
    person.unblock()
    polled = await line.bot().poll(0)
    assert [event.body for one in polled.updates for event in one.events] == [OptOut("blocked")]
    assert await line.send(person.chat_id) == "1"


async def test_a_voice_note_is_a_file(line: Line) -> None:
    line.telegram.person().send_voice(b"OggS" * 10)
    (update,) = (await line.bot().poll(0)).updates
    (event,) = update.events
    assert isinstance(event.body, PersonText)
    (file,) = event.body.files
    assert (file.kind, file.media_type) == (FileKind.VOICE, "audio/ogg")
    assert await line.bot().download(file, 100) == b"OggS" * 10


async def test_an_update_that_is_not_understood_is_passed(line: Line) -> None:
    line.telegram.bot.add_update("message", {"no": "chat"})
    line.telegram.person().say("fine")
    polled = await line.bot().poll(0)
    assert [one.ignored for one in polled.updates] == [("malformed",), ()]


async def test_a_long_poll_waits_for_something_new(line: Line) -> None:
    assert (await line.bot(poll_seconds=1).poll(0)).updates == ()
    assert line.telegram.bot.calls["getUpdates"] == 1


async def test_polling_beside_a_webhook_is_a_conflict(line: Line) -> None:
    await line.bot().connect("http://127.0.0.1:9/")
    with pytest.raises(ProviderError) as error:
        await line.bot().poll(0)
    assert error.value.problem is Problem.CONFLICT


async def test_typing_and_presses_are_answered(line: Line) -> None:
    person = line.telegram.person()
    await line.bot().show_typing(str(person.chat_id))
    await line.bot().answer_press("press-1")
    assert line.telegram.bot.actions == [(person.chat_id, "typing")]
    assert line.telegram.bot.answered_presses == ["press-1"]


def remote(file_id: str) -> RemoteFile:
    return RemoteFile(file_id, FileKind.DOCUMENT, "application/pdf")


async def test_a_file_is_fetched(line: Line) -> None:
    line.telegram.person().send_document(b"%PDF" * 1000, "application/pdf")
    assert await line.bot().download(remote("file-1"), 4000) == b"%PDF" * 1000


@pytest.mark.parametrize(
    ("file_id", "size", "reason"),
    [("file-1", 4001, FileRefusal.TOO_LARGE), ("file-1", 21 * 1024 * 1024, FileRefusal.TOO_LARGE)],
)
async def test_a_file_that_is_too_large_is_not_fetched(
    line: Line, file_id: str, size: int, reason: FileRefusal
) -> None:
    line.telegram.person().send_document(b"x" * size, "application/pdf")
    with pytest.raises(FileRefusedError) as refusal:
        await line.bot().download(remote(file_id), 4000)
    assert refusal.value.reason is reason


@pytest.mark.guarantee("P10-privacy")
async def test_the_token_is_in_no_log_and_no_error(line: Line) -> None:
    lines = io.StringIO()
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    log.configure("channel-adapter", "DEBUG", lines)
    try:
        person = line.telegram.person()
        await line.send(person.chat_id)
        for fault in (broken(), cut(carried_out=True), too_many(1)):
            line.telegram.bot.faults["sendMessage"].append(fault)
            error = await line.problem_of_sending(person.chat_id)
            log.get_logger("test").error("failed", exc_info=error)
            assert error.__cause__ is None
            assert "fake-bot-token" not in repr(error)
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
    assert "failed" in lines.getvalue()
    assert "fake-bot-token" not in lines.getvalue()
    assert "fake-bot-token" not in repr(line.bot().__dict__)
