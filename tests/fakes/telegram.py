"""A Bot API server that behaves as Telegram's does, for tests and for trying things out by hand.

In a test:      async with FakeTelegram() as telegram: telegram.person().say("Hello")
By hand:        python tests/fakes/telegram.py --port 8443 --token 1000:fake
                curl -d '{"chat": 7, "text": "Hello"}' localhost:8443/control/say ; curl localhost:8443/control/sent

What it keeps to (core.telegram.org/bots/api): updates wait until they are confirmed by an offset or a 2xx of the
webhook; webhooks come in parallel, with the secret, and again after anything but a 2xx; getUpdates is refused while a
webhook is set and ends an older getUpdates; texts have at most 4096 UTF-16 units; a bot cannot write first; sending is
not idempotent.
"""

import argparse
import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # started by hand: beside this file lies only half of it

from fakes.telegram_bot import ApiError, Bot, Fault, Json, Sent, broken, cut, hanging, moved, too_many
from fakes.telegram_person import Person

__all__ = ["TOKEN", "FakeTelegram", "Fault", "Person", "Sent", "broken", "cut", "hanging", "moved", "too_many"]
TOKEN = "1000:fake-bot-token"


class _Protocol(HttpToolsProtocol):
    """Lets a handler cut its connection, which ASGI has no word for."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]  # read by the fake alone


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class FakeTelegram:
    """The server; `port` stays the same when it is stopped and started again."""

    def __init__(self, *tokens: str, host: str = "127.0.0.1", port: int = 0, retry_seconds: float = 0.1) -> None:
        self.bots = {token: Bot(token, retry_seconds) for token in tokens or (TOKEN,)}
        self.port = port
        self._host = host
        self._chat_ids = count(700_001)
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The base address, for TELEGRAM_API_URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bot(self) -> Bot:
        """The first bot."""
        return next(iter(self.bots.values()))

    def person(self, chat_id: int | None = None, *, bot: Bot | None = None, locale: str = "de") -> Person:
        """Return somebody who has pressed Start."""
        return Person(bot or self.bot, chat_id or next(self._chat_ids), locale)

    def sent(self, chat_id: int) -> list[str]:
        """Return the texts that reached a chat, of whichever bot."""
        return [one.text for bot in self.bots.values() for one in bot.sent if one.chat_id == chat_id]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        # With the protocol named: asyncio sets TCP_NODELAY only then, without which each answer takes 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self._host, self.port))
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            Starlette(routes=self._routes()), log_config=None, access_log=False, lifespan="off", http=_Protocol,
            timeout_keep_alive=75, timeout_graceful_shutdown=1, backlog=2048,
        )  # fmt: skip
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:  # noqa: ASYNC110  # uvicorn has no event for it
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening and delivering; what waits stays."""
        for bot in self.bots.values():
            bot.stop_delivering()
            await bot.end_polls()
        await asyncio.sleep(0.02)  # their answers leave
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            await self._serving

    def _routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self._api, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._download),
            Route("/control/say", self._say, methods=["POST"]),
            Route("/control/sent", self._show_sent),
        ]

    async def _api(self, request: Request) -> Response:
        bot = self.bots.get(request.path_params["token"])
        if bot is None:
            return _refusal(ApiError(401, "Unauthorized"))
        method, params = request.path_params["method"], await _params(request)
        bot.calls[method] += 1
        fault = bot.faults[method].popleft() if bot.faults[method] else None
        try:
            result = await bot.call(method, params) if fault is None or fault.carried_out else None
        except ApiError as error:
            return _refusal(error)
        if fault is None:
            return JSONResponse({"ok": True, "result": result})
        await asyncio.sleep(fault.hang_seconds)
        if fault.cut or fault.hang_seconds:
            request.scope["transport"].abort()
            return Response(status_code=500)
        return _refusal(ApiError(fault.code, fault.description, fault.parameters))

    async def _download(self, request: Request) -> Response:
        bot = self.bots.get(request.path_params["token"])
        found = dict(bot.files.values()).get(request.path_params["path"]) if bot else None
        return Response(found) if found is not None else Response(status_code=404)

    async def _say(self, request: Request) -> Response:
        told = await request.json()
        return JSONResponse({"update_id": self.person(int(told["chat"])).say(told["text"])})

    async def _show_sent(self, _: Request) -> Response:
        return JSONResponse([{"chat": one.chat_id, "text": one.text} for bot in self.bots.values() for one in bot.sent])


async def _params(request: Request) -> Json:
    if request.headers.get("content-type", "").startswith("application/json"):
        params: Json = await request.json()
        return params
    return dict(request.query_params)


def _refusal(error: ApiError) -> JSONResponse:
    body: Json = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return JSONResponse(body, status_code=error.code)


async def _serve(tokens: list[str], port: int) -> None:
    async with FakeTelegram(*tokens, port=port) as fake:
        print(f"Fake Telegram: {fake.url}", flush=True)  # noqa: T201  # for who starts it by hand
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Bot API server for trying things out.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", action="append", default=[])
    arguments = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(arguments.token, arguments.port))
