"""The port that several gateways of one machine share."""

import socket

from kit.process import StartError


def shared_listener(host: str, port: int) -> socket.socket:
    """Return a socket on the port, which other gateways of the same user may have too. Raises StartError.

    Linux spreads new connections over all of them; elsewhere one gets them until it ends.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named: asyncio sets TCP_NODELAY only then.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartError(
            f"HTTP port {port} on {host} cannot be shared ({error.strerror}): stop what uses it, or set HTTP_PORT"
        ) from None
    return listener
