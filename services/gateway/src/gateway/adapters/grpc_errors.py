"""What a failed gRPC call means for the client of the gateway."""

import grpc

from gateway.domain.refusals import Reason, Refused
from kit.log import get_logger

CLIENTS_FAULT = frozenset({
    grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.OUT_OF_RANGE,
})  # fmt: skip
RETRY_SECONDS = 5

log = get_logger("gateway.peers")


def refused_by(peer: str, error: grpc.aio.AioRpcError) -> Refused:
    """Return the refusal; logs the code and never the details, which may quote a request."""
    return refusal(peer, error.code())


def refusal(peer: str, code: grpc.StatusCode) -> Refused:
    """Return what a status means for the client; logs it."""
    if code in CLIENTS_FAULT:
        return Refused(Reason.INVALID)
    log.warning("peer_call_failed", peer=peer, code=code.name)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Refused(Reason.TIMED_OUT, RETRY_SECONDS)
    return Refused(Reason.UNAVAILABLE, RETRY_SECONDS)
