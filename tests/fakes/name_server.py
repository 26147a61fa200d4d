"""A name server that knows one name, whose addresses a test changes: what a headless Service is to its clients."""

import asyncio
import socket
import struct
from typing import Self, cast

A = 1  # IPv4 addresses; there are no others
HEADER_BYTES = 12
ANSWER, NOT_FOUND, SECONDS_VALID = 0x8580, 0x8583, 1  # authoritative; no error, or no such name


class NameServer(asyncio.DatagramProtocol):
    """Answers every question for IPv4 addresses with those that are set (none: no such name), on a free port here."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.port = 0

    async def __aenter__(self) -> Self:
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()

    def target(self, port: int) -> str:
        """Return what a gRPC client is given for that port at the name."""
        return f"dns://127.0.0.1:{self.port}/peer.test:{port}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._answers = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        end = data.index(0, HEADER_BYTES) + 5  # the name's end, its type, its class
        (kind,) = struct.unpack(">H", data[end - 4 : end - 2])
        found = self.addresses if kind == A else []
        head = data[:2] + struct.pack(">HHHHH", ANSWER if self.addresses else NOT_FOUND, 1, len(found), 0, 0)
        rows = [
            b"\xc0\x0c" + struct.pack(">HHIH", A, 1, SECONDS_VALID, 4) + socket.inet_aton(address) for address in found
        ]
        self._answers.sendto(head + data[HEADER_BYTES:end] + b"".join(rows), sender)
