"""The fake delivers webhooks as Telegram does: with the secret, in parallel, again until a 2xx, sometimes twice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fakes.telegram import FakeTelegram
from kit.http import HttpServer
from kit.process import Life


@dataclass
class Receiver:
    """A webhook that keeps what comes, and answers as it is told."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    secrets: set[str | None] = field(default_factory=set)
    statuses: list[int] = field(default_factory=list)
    now: int = 0
    most: int = 0
    url: str = ""

    async def receive(self, request: Request) -> Response:
        self.now += 1
        self.most = max(self.most, self.now)
        self.bodies.append(await request.json())
        self.secrets.add(request.headers.get("x-telegram-bot-api-secret-token"))
        await asyncio.sleep(0.02)
        self.now -= 1
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def ids(self) -> list[int]:
        return [body["update_id"] for body in self.bodies]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found, life = Receiver(), Life("receiver", 2)
    app = Starlette(routes=[Route("/hook", found.receive, methods=["POST"])])
    server = HttpServer(app, "127.0.0.1", 0, life)
    await server.start()
    found.url = f"http://127.0.0.1:{server.port}/hook"
    yield found
    life.stop()
    await life.finish()


async def test_updates_come_in_parallel_with_the_secret(receiver: Receiver) -> None:
    async with FakeTelegram() as telegram:
        await telegram.bot.set_webhook({"url": receiver.url, "secret_token": "s3", "max_connections": 5})
        sent = [telegram.person().say(str(number)) for number in range(12)]
        await telegram.bot.settled()
    assert sorted(receiver.ids()) == sent
    assert receiver.secrets == {"s3"}
    assert 1 < receiver.most <= 5


async def test_an_update_comes_again_until_it_is_taken(receiver: Receiver) -> None:
    receiver.statuses = [500, 403, 302]
    async with FakeTelegram(retry_seconds=0.01) as telegram:
        await telegram.bot.set_webhook({"url": receiver.url})
        update_id = telegram.person().say("again")
        await telegram.bot.settled()
        assert telegram.bot.webhook_statuses == [500, 403, 302, 200]
    assert receiver.ids() == [update_id] * 4


async def test_copies_and_repetitions_come_on_demand(receiver: Receiver) -> None:
    async with FakeTelegram() as telegram:
        await telegram.bot.set_webhook({"url": receiver.url})
        update_id = telegram.person().say("five times", copies=5)
        async with asyncio.timeout(30):
            while len(telegram.bot.webhook_statuses) < 5:  # noqa: ASYNC110  # the fake's own record
                await asyncio.sleep(0.01)
        telegram.bot.repeat(receiver.bodies[0])
        await telegram.bot.settled()
    assert receiver.ids() == [update_id] * 6


async def test_what_was_written_before_the_webhook_waits_for_it(receiver: Receiver) -> None:
    async with FakeTelegram() as telegram:
        update_id = telegram.person().say("early")
        await telegram.bot.set_webhook({"url": receiver.url})
        await telegram.bot.settled()
    assert receiver.ids() == [update_id]
