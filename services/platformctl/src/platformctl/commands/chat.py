"""`platformctl chat`: talk with the coach in the terminal."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from platformctl.chat.conversation import Answer, Conversation, Hearing
from platformctl.chat.session import ChatError, SessionFile
from platformctl.chat.unasked import Unasked
from platformctl.commands.shared import Data, fail, folder_of, running

MODEL = "model"
PROMPT = "> "
GREETING = "Write to your coach; an empty line or Ctrl-D ends."


def chat(
    data: Data = None,
    url: Annotated[
        str | None,
        typer.Option("--url", help="The platform's address, instead of the one that runs on the data folder."),
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="TEXT", help="Send this one message and print the answer.")
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.", min=1)] = 180.0,
) -> None:
    """Talk with the coach over the same door as the web page; the words appear as they come.

    With --message one message is sent and the answer is printed. It ends with 0, or with 1 when there was no answer or
    when something else than the model answered (stderr says what). The conversation goes on where it stopped.
    """
    folder = folder_of(data)
    address, file = url or running(folder).url, SessionFile(folder.chat_session)
    conversation = Conversation(address, file, timeout)
    if message is not None:
        once(conversation, message)
        return
    screen = Screen()
    with Unasked(address, file, screen.unasked).listening():
        talk(conversation, screen)


def once(conversation: Conversation, message: str) -> None:
    """Ask, print, and end with 1 when the model did not answer."""
    answer = _ask(conversation, message, Hearing(delta=lambda _: None, status=_aside))
    typer.echo(answer.text)
    if answer.source != MODEL:
        raise fail(f"The model did not answer; this is a prepared text (source: {answer.source}).")


def talk(conversation: Conversation, screen: "Screen") -> None:
    """Ask again and again until an empty line."""
    typer.echo(GREETING)
    while text := _read_line():
        with screen.answering():
            shown = Shown()
            answer = _ask(conversation, text, Hearing(delta=shown.delta, status=_aside))
            shown.finish(answer)
            if answer.source != MODEL:
                _aside(f"source: {answer.source}")


class Screen:
    """Shows what the coach writes unasked: at the prompt at once, else when the answer is whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answering = False
        self._waiting: list[str] = []

    def unasked(self, text: str) -> None:
        """Show it now or later; may be called from any thread."""
        with self._lock:
            if self._answering:
                self._waiting.append(text)
            else:
                _write(f"\nYour coach writes first: {text}\n{PROMPT}")

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Keep the screen for an answer."""
        with self._lock:
            self._answering = True
        try:
            yield
        finally:
            with self._lock:
                self._answering = False
                for text in self._waiting:
                    _write(f"Your coach writes first: {text}\n")
                self._waiting.clear()


@dataclass(slots=True)
class Shown:
    """What of an answer is on the screen already."""

    text: str = ""

    def delta(self, piece: str) -> None:
        """Show the next words."""
        _write(piece)
        self.text += piece

    def finish(self, answer: Answer) -> None:
        """Show what is missing of the whole answer, or all of it when something else was shown."""
        if answer.text.startswith(self.text):
            _write(answer.text[len(self.text) :])
        elif answer.text.split() != self.text.split():
            _write(f"\n{answer.text}")
        _write("\n")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _ask(conversation: Conversation, text: str, hearing: Hearing) -> Answer:
    try:
        return asyncio.run(conversation.ask(text, hearing))
    except ChatError as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt:
        raise fail("Interrupted; the answer will be in the conversation.", 130) from None


def _read_line() -> str:
    try:
        return input(PROMPT).strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def _aside(text: str) -> None:
    typer.echo(f"({text})", err=True)
