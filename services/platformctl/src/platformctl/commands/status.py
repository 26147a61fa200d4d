"""`platformctl status`: each part of a running platform, and whether it is ready."""

import asyncio
import json
from dataclasses import asdict, dataclass

import typer

from platformctl.commands.shared import Data, Json, folder_of, running
from platformctl.up.runfile import PartEntry, start_time
from platformctl.up.services import is_ready

CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What one part is now."""

    name: str
    ready: bool
    pid: int | None
    restarts: int
    address: str


def status(data: Data = None, as_json: Json = False) -> None:
    """Show each part with its process, its restarts and whether it is ready. Ends with 1 when something is not."""
    found = running(folder_of(data))
    parts = asyncio.run(_ask(found.parts))
    ready = all(part.ready for part in parts)
    if as_json:
        record = {"ready": ready, "url": found.url, "pid": found.pid, "parts": [asdict(part) for part in parts]}
        typer.echo(json.dumps(record | {"external": found.external, "model": found.model}))
    else:
        typer.echo(f"{found.url} (process {found.pid}, {found.environment})")
        typer.echo("\n".join(map(_line, parts)))
    if not ready:
        raise typer.Exit(1)


async def _ask(parts: list[PartEntry]) -> list[PartStatus]:
    answers = await asyncio.gather(*(_is_ready(part) for part in parts))
    return [
        PartStatus(part.name, answer, part.pid, part.restarts, part.address)
        for part, answer in zip(parts, answers, strict=True)
    ]


async def _is_ready(part: PartEntry) -> bool:
    if part.pid is None or start_time(part.pid) is None:
        return False
    return await (is_ready(part.ready_url) if part.ready_url else _listens(part.address))


async def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _reader, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), CONNECT_SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def _line(part: PartStatus) -> str:
    state = "ready" if part.ready else "NOT READY"
    again = f", started again {part.restarts} times" if part.restarts else ""
    return f"  {part.name:<16} {state:<10} {part.address:<22} process {part.pid or '-'}{again}"
