"""A platform whose model is scripted and whose Telegram is a fake one: what the end-to-end tests share."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fakes.openai_server import Asked, Reply, ScriptedModel
from fakes.otlp import SpanCollector
from fakes.telegram import FakeTelegram, Person
from platformctl.nats_once import connect_once
from platformctl.parts.nats import NatsPart
from support.background import BackgroundLoop
from support.platform import Platform, running_platform
from support.ports import free_port

BOT_ID = "4242"
BOT_TOKEN = f"{BOT_ID}:AAE-token-of-the-fake-bot-0123456789abcd"
WEBHOOK_SECRET = "webhook-secret-0123456789-abcdefgh"
# All the tests' guests come from one address.
NO_LIMITS = {"ADDRESS_REQUESTS_PER_MINUTE": "100000", "ADDRESS_REQUESTS_BURST": "100000"}


@dataclass(frozen=True, slots=True)
class Scripted:
    """A platform and the outside world that it talks to; the fakes live in `loop`."""

    platform: Platform
    loop: BackgroundLoop
    model: ScriptedModel
    telegram: FakeTelegram
    spans: SpanCollector

    @property
    def url(self) -> str:
        return self.platform.url

    def person(self) -> Person:
        """Return somebody new who has pressed Start."""
        return self.loop.call(self.telegram.person)

    def tell(self, person: Person, text: str, copies: int = 1) -> int:
        """Let `person` write; returns the update's id."""
        return self.loop.call(lambda: person.say(text, copies))

    async def hears(self, person: Person, number: int = 1, seconds: float = 60) -> list[str]:
        """Wait until the bot has sent `number` messages to `person`."""
        return await self.loop.wait(person.hears(number, seconds))

    async def stored_events(self) -> int:
        """Return how many messages the stream INBOUND holds."""
        port = self.platform.run_json()["ports"]["nats.client"]
        client = await connect_once(NatsPart(self.platform.data, port).url, 5.0, "tests")
        try:
            return (await client.jetstream().stream_info("INBOUND")).state.messages
        finally:
            await client.close()

    @contextmanager
    def replying(self, **reply: Any) -> Iterator[list[Asked]]:
        """Answer with `Reply(**reply)` for a while; yields what was asked meanwhile."""
        before, first = self.model.script, len(self.model.asked)
        asked: list[Asked] = []
        self.model.script = lambda _: Reply(**reply)
        try:
            yield asked
        finally:
            self.model.script = before
            asked.extend(self.model.asked[first:])


@dataclass(frozen=True, slots=True)
class Outside:
    """The fakes that a platform talks to, and all that it is started with: it may be started more than once."""

    folder: Path
    port: int
    env: Mapping[str, str]
    loop: BackgroundLoop
    model: ScriptedModel
    telegram: FakeTelegram
    spans: SpanCollector

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Scripted]:
        """Start a platform, with these arguments of `up`, on what an earlier one left; stop it at the end."""
        with running_platform(self.folder / "data", self.port, self.env, *arguments) as platform:
            yield Scripted(platform, self.loop, self.model, self.telegram, self.spans)


@contextmanager
def outside(folder: Path, webhook: bool = True, **settings: str) -> Iterator[Outside]:
    """Start the fakes; Telegram calls the platform's webhook, or is asked by long polling."""
    port = free_port()
    with BackgroundLoop() as loop, SpanCollector() as spans:
        model = loop.enter(ScriptedModel())
        telegram = loop.enter(FakeTelegram(BOT_TOKEN))
        env = {
            "LLM_PROVIDER": "openai_compatible",
            "OPENAI_BASE_URL": model.url,
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_API_URL": telegram.url,
            "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "NATS_DUPLICATE_WINDOW_SECONDS": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": spans.url,
            **({"PUBLIC_URL": f"http://127.0.0.1:{port}"} if webhook else {}),
            **NO_LIMITS,
            **settings,
        }
        yield Outside(folder, port, env, loop, model, telegram, spans)


@contextmanager
def scripted_platform(
    folder: Path, webhook: bool = True, arguments: Sequence[str] = (), **settings: str
) -> Iterator[Scripted]:
    """Start one in `folder`, with these arguments of `up`; Telegram calls its webhook, or is asked by long polling."""
    with outside(folder, webhook, **settings) as around, around.running(*arguments) as found:
        yield found
