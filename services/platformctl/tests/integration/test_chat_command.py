"""`platformctl chat` with a real gateway, behind which a scripted coach answers."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from fakes.gateway_door import Door
from fakes.stage import Stage
from gateway.domain.conversation import Delta, Role, Status
from gateway.domain.sessions import GuestId
from gateway.domain.webhooks import Answer, RawRequest
from platformctl.chat.session import SessionFile, open_session
from platformctl.chat.unasked import Unasked
from platformctl.commands.chat import Screen
from platformctl.main import app
from support.background import BackgroundLoop

ACCEPTED = Answer(200, "application/json", b"{}")


@dataclass
class Coach:
    """Answers every message; `source` and `lost` make it misbehave."""

    url: str
    door: Door
    data: Path
    source: str = "model"
    silent: bool = False
    nudge: str = ""  # written unasked, in the middle of each answer
    heard: list[tuple[str, str]] = field(default_factory=list)

    def take(self, request: RawRequest) -> Answer:
        """What the channel adapter would do: store the message, work on it, show and store the answer."""
        message = json.loads(request.body)
        guest = GuestId(request.authenticated_subject)
        self.heard.append((guest, message["text"]))
        turn = f"turn-{len(self.heard)}"
        conversations, live = self.door.conversations, self.door.live
        conversations.add(guest, message["text"], client_id=message["id"], turn_id=turn)
        if self.silent:
            return ACCEPTED
        live.emit(guest, Status(turn, "queued", 2))
        live.emit(guest, Delta(turn, "You said:", 0))
        if self.nudge:
            live.emit(guest, conversations.add(guest, self.nudge, Role.COACH, "model"))
        live.emit(guest, Delta(turn, f" {message['text']}", 1))
        text = f"You said: {message['text']}"
        live.emit(guest, conversations.add(guest, text, Role.COACH, self.source, turn_id=turn))
        return ACCEPTED

    def chat(self, *arguments: str, typed: str = "") -> Result:
        command = ["chat", "--url", self.url, "--data", str(self.data), *arguments]
        return CliRunner().invoke(app, command, input=typed)


@pytest.fixture
def coach(tmp_path: Path) -> Iterator[Coach]:
    with BackgroundLoop() as loop:
        door = Door()
        coach = Coach(loop.enter(door.serving()), door, tmp_path)
        door.inbound.judge = coach.take
        yield coach


@pytest.mark.guarantee("E2E-chat-exit")
def test_one_message_prints_the_answer_and_ends_well(coach: Coach) -> None:
    result = coach.chat("--message", "Good morning")
    assert (result.exit_code, result.stdout) == (0, "You said: Good morning\n")


@pytest.mark.guarantee("E2E-chat-exit")
@pytest.mark.parametrize("source", ["template", "command", "crisis"])
def test_an_answer_that_is_not_the_models_is_a_failure_that_says_so(coach: Coach, source: str) -> None:
    coach.source = source
    result = coach.chat("--message", "Good morning")
    assert result.exit_code == 1
    assert result.stdout == "You said: Good morning\n"
    assert f"source: {source}" in result.stderr


def test_the_conversation_goes_on_as_the_same_guest(coach: Coach) -> None:
    coach.chat("--message", "One")
    coach.chat("--message", "Two")
    assert [text for _, text in coach.heard] == ["One", "Two"]
    assert len({guest for guest, _ in coach.heard}) == 1
    assert (coach.data / "chat-session.json").stat().st_mode & 0o777 == 0o600


def test_another_data_folder_is_another_guest(coach: Coach, tmp_path: Path) -> None:
    coach.chat("--message", "One")
    coach.data = tmp_path / "other"
    coach.data.mkdir()
    coach.chat("--message", "Two")
    assert len({guest for guest, _ in coach.heard}) == 2


def test_talking_shows_each_answer_once_and_ends_with_an_empty_line(coach: Coach) -> None:
    result = coach.chat(typed="Hello\nAnd more\n\n")
    assert result.exit_code == 0
    assert result.stdout.count("You said: Hello\n") == 1
    assert result.stdout.count("You said: And more\n") == 1
    assert "2 others are before you" in result.stderr


def test_an_answer_that_does_not_come_is_a_failure_that_says_what_to_do(coach: Coach) -> None:
    coach.silent = True
    result = coach.chat("--message", "Hello", "--timeout", "1")
    assert result.exit_code == 1
    assert "No answer within 1 s" in result.stderr


def test_a_refusal_is_told_in_the_gateways_words(coach: Coach) -> None:
    result = coach.chat("--message", "x" * 5000)
    assert result.exit_code == 1
    assert "The message is too long" in result.stderr


def test_a_refusal_that_passes_says_for_how_long(coach: Coach) -> None:
    coach.door.inbound.judge = lambda _: Answer(429, retry_after_seconds=7)
    result = coach.chat("--message", "Hello")
    assert result.exit_code == 1
    assert result.stderr == "The platform refused: That was a lot at once. Wait 7 s, then try again.\n"


def test_without_a_platform_it_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["chat", "--url", "http://127.0.0.1:9", "--data", str(tmp_path), "-m", "Hello"])
    assert result.exit_code == 1
    assert "No platform answers at http://127.0.0.1:9" in result.stderr


def test_without_a_running_platform_it_says_how_to_start_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["chat", "--data", str(tmp_path), "-m", "Hello"])
    assert result.exit_code == 1
    assert f"platformctl up --data {tmp_path}" in result.stderr


def test_a_lost_connection_is_taken_up_again_and_nothing_is_asked_twice(coach: Coach) -> None:
    """The socket is closed after the message was stored; the answer is found when it is back."""
    first = True

    def lose_once(request: RawRequest) -> Answer:
        nonlocal first
        coach.silent = first
        answer = coach.take(request) if first or not coach.heard else ACCEPTED
        if first:
            first = False
            guest, text = coach.heard[0]
            coach.door.conversations.add(GuestId(guest), f"You said: {text}", Role.COACH, "model", turn_id="turn-1")
            for _ in range(400):  # more than a slow reader's queue holds: the gateway closes the socket
                coach.door.live.emit(GuestId(guest), Status("turn-0", "thinking", 0))
        return answer

    coach.door.inbound.judge = lose_once
    result = coach.chat("--message", "Hello")
    assert (result.exit_code, result.stdout) == (0, "You said: Hello\n")
    assert len(coach.heard) == 1
    assert "coming back" in result.stderr


def test_what_is_written_unasked_is_no_part_of_an_answer(coach: Coach) -> None:
    coach.nudge = "How did it go?"
    result = coach.chat("--message", "Hello")
    assert (result.exit_code, result.stdout) == (0, "You said: Hello\n")


def test_what_is_written_unasked_waits_for_the_end_of_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with screen.answering():
        screen.unasked("How did it go?")
        assert capsys.readouterr().out == ""
    assert capsys.readouterr().out == "Your coach writes first: How did it go?\n"
    screen.unasked("And now?")
    assert capsys.readouterr().out == "\nYour coach writes first: And now?\n> "


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def guest_of(url: str, file: SessionFile) -> GuestId:
    async with httpx.AsyncClient() as client:
        return GuestId((await open_session(client, url, file)).guest_id)


def test_what_the_coach_writes_unasked_is_told_once_also_after_a_lost_connection(tmp_path: Path) -> None:
    with BackgroundLoop() as loop:
        stage, file, told = Stage(loop), SessionFile(tmp_path / "chat-session.json"), list[str]()
        stage.open()
        guest = asyncio.run(guest_of(stage.url, file))
        stage.write_first(guest, "Read long ago.")
        stage.door.conversations.add(guest, "Hello")
        stage.write_first(guest, "How did it go?")
        with Unasked(stage.url, file, told.append).listening():
            until(lambda: told == ["How did it go?"])
            until(lambda: bool(stage.door.live.sinks.get(guest)))
            stage.write_first(guest, "And now?")
            until(lambda: told == ["How did it go?", "And now?"])
            stage.close()
            stage.write_first(guest, "Meanwhile.")
            stage.open()
            until(lambda: told == ["How did it go?", "And now?", "Meanwhile."])
        stage.close()


def test_nobody_becomes_a_second_guest_by_listening(coach: Coach) -> None:
    result = coach.chat(typed="Hello\n\n")
    assert result.exit_code == 0
    coach.chat("--message", "Again")
    assert len({guest for guest, _ in coach.heard}) == 1
