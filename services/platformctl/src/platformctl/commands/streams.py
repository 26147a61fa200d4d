"""`platformctl streams`: apply and show."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from platformctl.commands.shared import Data, Json, run
from platformctl.commands.stores import store_settings
from platformctl.streams.operations import StreamError, apply_topology, show_topology
from platformctl.streams.settings import StreamSettings

HELP = (
    "Create and look at the JetStream streams and consumers that the platform's code declares. Reads NATS_URL; "
    "without it the platform that runs here is taken."
)

app = typer.Typer(help=HELP, no_args_is_help=True)


@app.command("apply")
def apply_command(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Create what is missing and update what differs; nothing is ever deleted. Repeating it changes nothing."""
    changes = run(apply_topology(store_settings(StreamSettings, "nats_url", data), dry_run=dry_run), StreamError)
    if as_json:
        typer.echo(json.dumps([asdict(change) for change in changes]))
        return
    for change in changes:
        would = "would be " if dry_run and change.action != "unchanged" else ""
        typer.echo(f"{change.kind} {change.name}: {would}{change.action}")


@app.command("show")
def show_command(data: Data = None, as_json: Json = False) -> None:
    """Show each stream with its messages, and each consumer with what waits for it. No message is read."""
    found = run(show_topology(store_settings(StreamSettings, "nats_url", data)), StreamError)
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _lines(found: list[dict[str, Any]]) -> list[str]:
    lines = []
    for stream in found:
        if not stream["exists"]:
            lines.append(f"{stream['stream']}: missing (run `platformctl streams apply`)")
            continue
        lines.append(f"{stream['stream']}: {stream['messages']} messages, {stream['bytes']} bytes")
        lines.extend(
            f"  {consumer['consumer']}: {consumer['pending']} waiting, "
            f"{consumer['unacknowledged']} being handled, {consumer['redelivered']} delivered again"
            for consumer in stream["consumers"]
        )
    return lines
