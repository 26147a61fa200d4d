"""The door of the chat socket /v1/chat: who may come in, how many, and everybody out at a stop."""

import asyncio

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from gateway.app.metrics import CHAT_SOCKETS
from gateway.domain.addresses import limit_subject
from gateway.entrypoints.chat_socket import ChatParts, ChatSocket, Close
from gateway.entrypoints.peers import peer_of

PATH = "/v1/chat"
DRAIN_SECONDS = 5.0


class ChatDoor:
    """Lets sockets in, and sends them all away at a stop."""

    def __init__(self, parts: ChatParts, max_sockets: int) -> None:
        self._parts = parts
        self._max_sockets = max_sockets
        self._open: dict[ChatSocket, asyncio.Event] = {}
        self._draining = False

    def route(self) -> WebSocketRoute:
        """Return the route of the socket."""
        return WebSocketRoute(PATH, self._enter)

    async def drain(self) -> None:
        """Tell every page to come back (1012), and wait until they are told."""
        self._draining = True
        gone = [asyncio.create_task(event.wait()) for event in self._open.values()]
        for socket in self._open:
            socket.leave(Close.RESTART)
        if gone:
            _, late = await asyncio.wait(gone, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    async def _enter(self, websocket: WebSocket) -> None:
        peer = peer_of(websocket.scope)
        if not self._parts.surroundings.allows_origin(websocket.headers.get("origin", ""), peer):
            await websocket.close()  # before accept: the browser sees 403
            return
        await websocket.accept()
        if self._draining or len(self._open) >= self._max_sockets:
            await websocket.close(Close.RESTART if self._draining else Close.LATER)
            return
        address = limit_subject(self._parts.surroundings.client_address(peer), self._parts.address_key)
        socket = ChatSocket(websocket, self._parts, address)
        gone = self._open[socket] = asyncio.Event()
        CHAT_SOCKETS.inc()
        try:
            await socket.run()
        finally:
            gone.set()
            del self._open[socket]
            CHAT_SOCKETS.dec()
