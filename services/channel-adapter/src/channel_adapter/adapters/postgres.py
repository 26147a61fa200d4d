"""The schema `channels`: accounts, polling leases, and the rows that name stored files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from channel_adapter.app.ports import AccountTakenError, Lease, RecordsUnavailableError
from channel_adapter.domain.messages import KeptFile
from kit.postgres import Database

REGISTER = text(
    """INSERT INTO channels.accounts (organization_id, channel, account)
       VALUES (:organization_id, :channel, :account) ON CONFLICT (channel, account) DO NOTHING"""
)
# Under row-level security another organisation's account is not there.
OWNED = text("SELECT 1 FROM channels.accounts WHERE channel = :channel AND account = :account")

ADD_FILE = text(
    """INSERT INTO channels.files (organization_id, sha256, size_bytes, media_type, kind, channel, account)
       VALUES (:organization_id, :sha256, :size_bytes, :media_type, :kind, :channel, :account)
       ON CONFLICT (organization_id, sha256) DO NOTHING"""
)

# clock_timestamp(): the database's own time, so that processes with differing clocks agree.
ACQUIRE = text(
    """INSERT INTO channels.polling_leases AS lease (organization_id, channel, account, owner, token, expires_at)
       VALUES (:organization_id, :channel, :account, :owner, 1, clock_timestamp() + make_interval(secs => :seconds))
       ON CONFLICT (channel, account) DO UPDATE
          SET owner = excluded.owner, token = lease.token + 1, expires_at = excluded.expires_at
        WHERE lease.expires_at <= clock_timestamp()
       RETURNING token, position"""
)
HELD = "channel = :channel AND account = :account AND token = :token AND expires_at > clock_timestamp()"
RENEW = text(
    f"""UPDATE channels.polling_leases SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
        WHERE {HELD}"""  # noqa: S608  # HELD is ours
)
ADVANCE = text(
    f"""UPDATE channels.polling_leases
           SET position = :position, expires_at = clock_timestamp() + make_interval(secs => :seconds)
         WHERE {HELD}"""  # noqa: S608  # HELD is ours
)
RELEASE = text(f"UPDATE channels.polling_leases SET expires_at = clock_timestamp() WHERE {HELD}")  # noqa: S608  # ours


@asynccontextmanager
async def _transaction(database: Database, organization_id: str) -> AsyncIterator[AsyncConnection]:
    try:
        async with database.transaction(organization_id) as connection:
            yield connection
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        raise RecordsUnavailableError from error


class PostgresAccounts:
    """The accounts that this platform serves."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def register(self, organization_id: str, channel: str, account: str) -> None:
        key = {"channel": channel, "account": account}
        async with _transaction(self._database, organization_id) as connection:
            await connection.execute(REGISTER, {**key, "organization_id": organization_id})
            if (await connection.execute(OWNED, key)).first() is None:
                raise AccountTakenError


class PostgresFileRecords:
    """The rows that name stored files."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, organization_id: str, channel: str, account: str, file: KeptFile) -> None:
        async with _transaction(self._database, organization_id) as connection:
            await connection.execute(
                ADD_FILE,
                {
                    "organization_id": organization_id,
                    "sha256": file.sha256,
                    "size_bytes": file.size_bytes,
                    "media_type": file.media_type,
                    "kind": file.kind.value,
                    "channel": channel,
                    "account": account,
                },
            )


class PostgresLeases:
    """Polling leases, fenced by a token that rises with each owner."""

    def __init__(self, database: Database, owner: str, hold_seconds: float) -> None:
        self._database = database
        self._owner = owner
        self._hold_seconds = hold_seconds

    async def acquire(self, organization_id: str, channel: str, account: str) -> Lease | None:
        values = {
            "organization_id": organization_id,
            "channel": channel,
            "account": account,
            "owner": self._owner,
            "seconds": self._hold_seconds,
        }
        async with _transaction(self._database, organization_id) as connection:
            row = (await connection.execute(ACQUIRE, values)).first()
        return Lease(organization_id, channel, account, row.token, row.position) if row else None

    async def renew(self, lease: Lease) -> bool:
        async with _transaction(self._database, lease.organization_id) as connection:
            result = await connection.execute(RENEW, {**_key(lease), "seconds": self._hold_seconds})
        return bool(result.rowcount == 1)

    async def advance(self, lease: Lease, position: int) -> bool:
        values = {**_key(lease), "position": position, "seconds": self._hold_seconds}
        async with _transaction(self._database, lease.organization_id) as connection:
            result = await connection.execute(ADVANCE, values)
        return bool(result.rowcount == 1)

    async def release(self, lease: Lease) -> None:
        async with _transaction(self._database, lease.organization_id) as connection:
            await connection.execute(RELEASE, _key(lease))


def _key(lease: Lease) -> dict[str, str | int]:
    return {"channel": lease.channel, "account": lease.account, "token": lease.token}
