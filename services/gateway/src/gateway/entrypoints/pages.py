"""The page's files, served by the gateway itself where no web server stands before it (one machine)."""

from pathlib import Path

from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

TEMPLATE = "/{file}"


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        # Only what is there gets the label; what is not stays "unmatched".
        response = await super().get_response(path, scope)
        scope["endpoint_template"] = TEMPLATE
        # Files have no version in their names: the browser asks each time, and mostly hears 304.
        response.headers["Cache-Control"] = "no-cache"
        return response


def page_routes(web_dir: Path | None) -> list[BaseRoute]:
    """Return the route of the page at /, or none where there is no page to serve."""
    return [Mount("/", _Files(directory=web_dir, html=True))] if web_dir else []
