"""What is outside a platform that runs on a cluster, in one process: Telegram, a model server, and people who write.

python -m fakes.outside --token 4242:AAE...     # ports: 8443 Telegram, 8090 model, 8080 what a test says to it

POST /people/begin {"door": "http://coach-web:8080", "per_second": 5}     POST /people/end     POST /people/read
GET /people/state     GET /people/report
"""

import argparse
import asyncio
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fakes.openai_server import ScriptedModel
from fakes.people import People, echoing
from fakes.telegram import FakeTelegram

EVERYWHERE = "0.0.0.0"
TELEGRAM_PORT, MODEL_PORT, CONTROL_PORT = 8443, 8090, 8080


def control(people: People, telegram: FakeTelegram, model: ScriptedModel) -> Starlette:
    """Return the app by which a test leads the people."""

    async def begin(request: Request) -> Response:
        people.begin(**await request.json())
        return JSONResponse(people.state())

    async def end(_: Request) -> Response:
        await people.end()
        return JSONResponse(people.state())

    async def read(request: Request) -> Response:
        await (people.read_all() if request.query_params.get("all") else people.read())
        return JSONResponse(people.state())

    async def state(_: Request) -> Response:
        webhook = telegram.bot.webhook
        return JSONResponse({
            **people.state(), "webhook": webhook.url if webhook else "", "asked": len(model.asked),
            "telegram_calls": dict(telegram.bot.calls),
        })  # fmt: skip

    async def report(_: Request) -> Response:
        return JSONResponse(people.report())

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [
        Route("/health", health), Route("/people/begin", begin, methods=["POST"]),
        Route("/people/end", end, methods=["POST"]), Route("/people/read", read, methods=["POST"]),
        Route("/people/state", state), Route("/people/report", report),
    ]  # fmt: skip
    return Starlette(routes=routes)


async def serve(token: str, secret: str) -> None:
    """Serve until stopped."""
    # One thread for each request under way: while a platform is away they take half a minute each.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(256))
    model = ScriptedModel(echoing, EVERYWHERE, MODEL_PORT)
    async with FakeTelegram(token, host=EVERYWHERE, port=TELEGRAM_PORT) as telegram, model:
        app = control(People(telegram, secret), telegram, model)
        config = uvicorn.Config(app, EVERYWHERE, CONTROL_PORT, access_log=False, lifespan="off")
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Telegram, a model and people, for a platform on a cluster.")
    parser.add_argument("--token", required=True)
    parser.add_argument("--webhook-secret", required=True)
    given = parser.parse_args()
    asyncio.run(serve(given.token, given.webhook_secret))
