"""As much of S3 as content-addressed files need: put, get, delete; path-style addresses, signatures unread."""

import asyncio
import contextlib
import hashlib
import socket
from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

NO_KEY = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>'


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Asked(NamedTuple):
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]


class FakeS3:
    """One server with any bucket, on a free port of this machine; what is in `failures` is answered first."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.failures: deque[tuple[int, str]] = deque()
        self.asked: list[Asked] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        routes = [Route("/{bucket}/{key:path}", self._object, methods=["GET", "PUT", "DELETE"])]
        config = uvicorn.Config(Starlette(routes=routes), log_config=None, access_log=False, lifespan="off")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else 40 ms an answer
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        await self._serving

    async def _object(self, request: Request) -> Response:
        key = f"{request.path_params['bucket']}/{request.path_params['key']}"
        content = await request.body()
        self.asked.append(Asked(request.method, request.url.path, request.headers))
        if self.failures:
            status, code = self.failures.popleft()
            return Response(code and f"<Error><Code>{code}</Code></Error>", status, media_type="application/xml")
        if request.method == "PUT":
            self.objects[key] = content
            return Response(headers={"ETag": f'"{hashlib.md5(content).hexdigest()}"'})
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Response(status_code=204)
        if key not in self.objects:
            return Response(NO_KEY, status_code=404, media_type="application/xml")
        return Response(self.objects[key])
