"""Print contracts/topology.py: the streams and consumers of the generated package below the folder given."""

import importlib
import sys
from typing import Any

TEMPLATE = '''\
"""Streams and durable consumers of JetStream. Generated from topology.proto by `make protos`; never edited."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as code creates it; max_age_hours 0 keeps messages until they are taken or max_bytes is reached."""

    name: str
    subjects: tuple[str, ...]
    work_queue: bool
    max_age_hours: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable pull consumer, shared by all replicas of the service that its name begins with."""

    durable: str
    stream: str
    filter_subject: str
    ack_wait_seconds: int
    max_deliver: int
    max_ack_pending: int

'''


def words(value: Any, fields: tuple[str, ...]) -> str:
    parts = []
    for name in fields:
        field = getattr(value, name)
        text = (
            "(" + "".join(f'"{item}", ' for item in field).rstrip() + ")"
            if name == "subjects"
            else (f'"{field}"' if isinstance(field, str) else repr(field))
        )
        parts.append(f"    {name}={text.replace(',)', ',)')},\n")
    return "".join(parts)


def render(module: Any) -> str:
    out = [TEMPLATE]
    names: dict[str, list[str]] = {"Stream": [], "Consumer": []}
    for kind, enum, extension, key, fields in (
        ("Stream", module.Stream, module.stream, "name", ("subjects", "work_queue", "max_age_hours", "max_bytes")),
        (
            "Consumer", module.Consumer, module.consumer, "durable",
            ("stream", "filter_subject", "ack_wait_seconds", "max_deliver", "max_ack_pending"),
        ),
    ):  # fmt: skip
        for value in enum.DESCRIPTOR.values:
            if value.number == 0:
                continue
            constant = value.name.removeprefix(f"{kind.upper()}_")
            title = constant if kind == "Stream" else constant.lower().replace("_", "-")
            options = value.GetOptions().Extensions[extension]
            out.append(f'\n{constant} = {kind}(\n    {key}="{title}",\n{words(options, fields)})\n')
            names[kind].append(constant)
    for kind, listed in names.items():
        out.append(f"\n{kind.upper()}S = ({', '.join(listed)})\n")
    return "".join(out)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.stdout.write(render(importlib.import_module("contracts.events.v1.topology_pb2")))
