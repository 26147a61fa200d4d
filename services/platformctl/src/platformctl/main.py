"""platformctl: every operator action as a command. The registry below is the table of contents."""

import sys
from collections.abc import Callable, Sequence

import typer

from kit.settings import BaseServiceSettings
from platformctl.commands import (
    chat,
    check_in,
    cluster,
    config,
    db,
    down,
    models,
    people,
    schedule,
    status,
    streams,
    up,
)
from platformctl.commands.shared import settings_of

HELP = "Run, look after and talk to a coaching platform."

COMMANDS: dict[str, Callable[..., None]] = {
    "up": up.up,
    "down": down.down,
    "status": status.status,
    "chat": chat.chat,
    "explain": schedule.explain,
}
GROUPS: dict[str, typer.Typer] = {
    "db": db.app,
    "streams": streams.app,
    "people": people.app,
    "check-in": check_in.app,
    "schedule": schedule.app,
    "models": models.app,
    "cluster": cluster.app,
    "config": config.app,
}

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def check_settings(context: typer.Context) -> None:
    """Refuse an unknown ENVIRONMENT, whatever the command; `config` says it with all else that is wrong."""
    if context.invoked_subcommand != "config":
        settings_of(BaseServiceSettings)


for name, command in COMMANDS.items():
    app.command(name)(command)
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line."""
    refuse_broken_text(sys.argv[1:])
    app()


def refuse_broken_text(arguments: Sequence[str]) -> None:
    """End with 1 and a sentence when an argument is no UTF-8: neither JSON nor a service could be told of it."""
    for number, argument in enumerate(arguments, start=1):
        if any("\ud800" <= character <= "\udfff" for character in argument):
            sys.exit(f"Argument {number} is no text: its bytes are not UTF-8.")


if __name__ == "__main__":
    main()
