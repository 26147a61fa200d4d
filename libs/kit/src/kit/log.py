"""Structured logs, one JSON object a line on stderr, without what people tell their coach."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from functools import partial
from typing import Any, TextIO

import grpc
import structlog

REDACTED = "[redacted]"
# Keys whose values are what a person wrote, where a person is reached, or what opens a door.
PRIVATE_KEYS = frozenset(
    "text texts body content payload message messages prompt reply answer query transcript address sender sender_id "
    "chat_id phone email name display_name token secret password authorization cookie url dsn key api_key headers "
    "params".split()
)
CREDENTIALS_IN_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE)
# Libraries that log payloads, addresses or statements below warning, at any LOG_LEVEL.
QUIET = ("asyncio", "httpcore", "httpx", "hpack", "urllib3", "grpc", "nats", "sqlalchemy", "asyncpg", "websockets",
         "uvicorn", "uvicorn.access", "chromadb", "opentelemetry", "aiohttp", "watchfiles")  # fmt: skip

Logger = structlog.stdlib.BoundLogger
Event = MutableMapping[str, Any]


def redact(_: Any, __: str, event: Event) -> Event:
    """Replace private values and credentials inside addresses, however deep they lie."""
    for key in event:
        event[key] = _clean(key, event[key])
    return event


def _clean(key: str, value: Any) -> Any:
    if key.lower() in PRIVATE_KEYS:
        return REDACTED
    if isinstance(value, str):
        return CREDENTIALS_IN_URL.sub(r"\g<scheme>" + REDACTED + "@", value)
    if isinstance(value, Mapping):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(key, item) for item in value]
    return value


def describe_exception(_: Any, __: str, event: Event, whole: bool = False) -> Event:
    """Turn exc_info into type and places, never its text: that may quote a person. `whole`: all places."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info is True else info[1]
    if error is not None:
        event["error"] = error_name(error)
        frames = traceback.extract_tb(error.__traceback__)[0 if whole else -8 :]
        event["at"] = [f"{frame.filename.rsplit('/src/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
        if whole and error.__context__ is not None:
            event["while_handling"] = describe_exception(_, __, {"exc_info": error.__context__}, whole)
    return event


def error_name(error: BaseException) -> str:
    """Name an error without its text: class, and the code of a gRPC or database error where it has one."""
    code = getattr(error, "sqlstate", None) or getattr(getattr(error, "orig", None), "sqlstate", None)
    if code is None and isinstance(error, grpc.RpcError):
        code = getattr(getattr(error, "code", lambda: None)(), "name", None)
    cause = error.__cause__
    name = type(error).__name__ + (f"({code})" if code else "")
    return f"{name} from {type(cause).__name__}" if cause is not None else name


def configure(service: str, level: str, stream: TextIO | None = None, debug: bool = False) -> None:
    """Send all logs of this process, the libraries' own included, through one JSON pipeline."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _, __, event: {**event, "service": service},
        partial(describe_exception, whole=debug),
        redact,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            # Of a library's record keep the template: its arguments may be anything, a statement's values for example.
            use_get_message=False,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=repr),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(logging.WARNING, logging.getLevelName(level)))


def get_logger(name: str) -> Logger:
    """Return a logger; log events as a word and keys: log.info("turn_recorded", source="model")."""
    logger: Logger = structlog.stdlib.get_logger(name)
    return logger
