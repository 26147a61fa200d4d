"""`platformctl status`: each part of a running platform, and whether it is ready."""

import asyncio
import json
from dataclasses import asdict, dataclass
from typing import Annotated

import httpx
import typer

from platformctl.commands.cluster_look import show_status
from platformctl.commands.shared import Data, Json, fail, folder_of, running
from platformctl.up.datadir import DataFolder
from platformctl.up.runfile import PartEntry, start_time
from platformctl.up.services import READY_SECONDS, is_ready

CONNECT_SECONDS = 3.0
NAME_WIDTH = 16


@dataclass(frozen=True, slots=True)
class PartStatus:
    """What one part is now."""

    name: str
    ready: bool
    pid: int | None
    restarts: int
    address: str


@dataclass(frozen=True, slots=True)
class Door:
    """What a platform says of itself at its address. `checks` names what it needs: ok, a word, or an error's name."""

    url: str
    ready: bool
    checks: dict[str, str]


def status(
    data: Data = None,
    as_json: Json = False,
    url: Annotated[
        str | None,
        typer.Option(
            "--url", help="Ask the platform at this address, instead of the one that runs on the data folder."
        ),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Ask the cluster of KUBECONFIG about this namespace.")
    ] = None,
    release: Annotated[
        str, typer.Option("--release", help="With --namespace. Default: the only one in it.", envvar="RELEASE")
    ] = "",
) -> None:
    """Show each part with its process, its restarts and whether it is ready. Ends with 1 when something is not.

    With --url, for a platform that runs elsewhere: what its gateway needs, and whether that answers. With --namespace,
    for one in a cluster: what is installed, what is rolled out, and the error of a migration that failed.
    """
    if namespace:
        show_status(namespace, release, as_json=as_json)
        return
    ready = _show_remote(url.rstrip("/"), as_json) if url else _show_local(folder_of(data), as_json)
    if not ready:
        raise typer.Exit(1)


def _show_local(folder: DataFolder, as_json: bool) -> bool:
    found = running(folder)
    parts = asyncio.run(_ask(found.parts))
    ready = all(part.ready for part in parts)
    if as_json:
        record = {"ready": ready, "url": found.url, "pid": found.pid, "parts": [asdict(part) for part in parts]}
        typer.echo(json.dumps(record | {"external": found.external, "model": found.model}))
    else:
        typer.echo(f"{found.url} (process {found.pid}, {found.environment})")
        width = max(map(len, (part.name for part in parts)), default=0)
        typer.echo("\n".join(_line(part, max(width, NAME_WIDTH)) for part in parts))
    return ready


def _show_remote(url: str, as_json: bool) -> bool:
    door = asyncio.run(_knock(url))
    if as_json:
        typer.echo(json.dumps(asdict(door)))
    else:
        typer.echo(f"{door.url} {'is ready' if door.ready else 'is NOT READY'}")
        typer.echo("\n".join(f"  {name:<16} {word}" for name, word in door.checks.items()))
    return door.ready


async def _knock(url: str) -> Door:
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=READY_SECONDS) as client:
            answer = await client.get(f"{url}/ready")
        record = answer.json()
        checks = {str(name): str(word) for name, word in record["checks"].items()}
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise fail(
            f"No platform answers at {url} ({type(error).__name__}). Is it running, and is that its address?"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise fail(f"What answers at {url} is not the gateway of a coaching platform.") from None
    return Door(url, answer.status_code == httpx.codes.OK, checks)


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


def _line(part: PartStatus, width: int) -> str:
    state = "ready" if part.ready else "NOT READY"
    times = "once" if part.restarts == 1 else f"{part.restarts} times"
    again = f", started again {times}" if part.restarts else ""
    return f"  {part.name:<{width}} {state:<10} {part.address:<22} process {part.pid or '-'}{again}"
