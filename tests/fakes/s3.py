"""As much of S3 as content-addressed files need: put, get, delete, list; path-style addresses, signatures unread."""

import asyncio
import contextlib
import hashlib
import re
import socket
from collections.abc import Iterator
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

EMPTY_LIST = (
    '<?xml version="1.0"?><ListBucketResult><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>'
)
NO_KEY = '<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>'


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class FakeS3:
    """One server with any bucket, on a free port of this machine."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        routes = [
            Route("/{bucket}", self._list),
            Route("/{bucket}", self._delete_many, methods=["POST"]),
            Route("/{bucket}/{key:path}", self._object, methods=["GET", "HEAD", "PUT", "DELETE"]),
        ]
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

    async def _list(self, _: Request) -> Response:
        return Response(EMPTY_LIST, media_type="application/xml")

    async def _delete_many(self, request: Request) -> Response:
        keys = re.findall(r"<Key>([^<]+)</Key>", (await request.body()).decode())
        for key in keys:
            self.objects.pop(f"{request.path_params['bucket']}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        return Response(f'<?xml version="1.0"?><DeleteResult>{deleted}</DeleteResult>', media_type="application/xml")

    async def _object(self, request: Request) -> Response:
        key = f"{request.path_params['bucket']}/{request.path_params['key']}"
        if request.method == "PUT":
            self.objects[key] = await request.body()
            return Response(headers={"ETag": f'"{hashlib.md5(self.objects[key]).hexdigest()}"'})
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Response(status_code=204)
        if key not in self.objects:
            return Response(NO_KEY, status_code=404, media_type="application/xml")
        tags = {"ETag": '"tag"', "Last-Modified": "Mon, 02 Mar 2026 08:00:00 GMT"}
        return Response(self.objects[key], headers=tags)
