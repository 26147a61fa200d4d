"""`platformctl chat`: talk with the coach in the terminal."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from platformctl.chat.conversation import Answer, Conversation, Hearing
from platformctl.chat.session import ChatError, SessionFile
from platformctl.commands.shared import Data, fail, folder_of, running

MODEL = "model"
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
    conversation = Conversation(url or running(folder).url, SessionFile(folder.chat_session), timeout)
    if message is not None:
        once(conversation, message)
    else:
        talk(conversation)


def once(conversation: Conversation, message: str) -> None:
    """Ask, print, and end with 1 when the model did not answer."""
    answer = _ask(conversation, message, Hearing(delta=lambda _: None, status=_aside))
    typer.echo(answer.text)
    if answer.source != MODEL:
        raise fail(f"The model did not answer; this is a prepared text (source: {answer.source}).")


def talk(conversation: Conversation) -> None:
    """Ask again and again until an empty line."""
    typer.echo(GREETING)
    while text := _read_line():
        shown = Shown()
        answer = _ask(conversation, text, Hearing(delta=shown.delta, status=_aside))
        shown.finish(answer)
        if answer.source != MODEL:
            _aside(f"source: {answer.source}")


@dataclass(slots=True)
class Shown:
    """What of an answer is on the screen already."""

    text: str = ""

    def delta(self, piece: str) -> None:
        """Show the next words."""
        self._write(piece)
        self.text += piece

    def finish(self, answer: Answer) -> None:
        """Show what is missing of the whole answer, or all of it when something else was shown."""
        if answer.text.startswith(self.text):
            self._write(answer.text[len(self.text) :])
        elif answer.text.split() != self.text.split():
            self._write(f"\n{answer.text}")
        self._write("\n")

    @staticmethod
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
        return input("> ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def _aside(text: str) -> None:
    typer.echo(f"({text})", err=True)
