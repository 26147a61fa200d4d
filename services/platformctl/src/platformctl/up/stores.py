"""The three stores of a platform: the user's own where a URL is given, else embedded parts."""

from pydantic import SecretStr

from kit.settings import load
from platformctl.db.migrate import migrate
from platformctl.db.settings import MigrationSettings
from platformctl.parts.base import Part
from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from platformctl.parts.valkey import ValkeyPart
from platformctl.streams.operations import apply_topology
from platformctl.streams.settings import StreamSettings
from platformctl.up.environment import Stores
from platformctl.up.settings import UpSettings


def parts_of(settings: UpSettings, ports: dict[str, int]) -> list[Part]:
    """The parts to start here, in order."""
    data = settings.data_folder
    parts: list[Part] = []
    if settings.database_url is None:
        parts.append(PostgresPart(data, ports["postgres.client"], replicas=settings.replicas))
    if settings.nats_url is None:
        parts.append(NatsPart(data, ports["nats.client"], ports["nats.monitor"]))
    if settings.redis_url is None:
        parts.append(ValkeyPart(data, ports["valkey.client"]))
    return parts


def stores_of(settings: UpSettings, parts: list[Part]) -> Stores:
    """Where each store is. Call it when the parts are prepared: their passwords are made then."""
    embedded = {part.name: part.url for part in parts}

    def url(name: str, given: SecretStr | None) -> str:
        return given.get_secret_value() if given is not None else embedded[name]

    return Stores(
        database=url("postgres", settings.database_url),
        nats=url("nats", settings.nats_url),
        redis=url("valkey", settings.redis_url),
    )


async def migrate_database(stores: Stores, passwords: dict[str, str]) -> str:
    """Bring the schemas to the newest revision and the roles to their passwords; returns what was done."""
    settings = load(
        MigrationSettings,
        database_url=SecretStr(stores.database),
        gateway_database_password=SecretStr(passwords["GATEWAY_DATABASE_PASSWORD"]),
        coaching_database_password=SecretStr(passwords["COACHING_DATABASE_PASSWORD"]),
        channels_database_password=SecretStr(passwords["CHANNELS_DATABASE_PASSWORD"]),
    )
    done = await migrate(settings)
    if done.ahead:
        return f"database: at revision {done.after}, which is newer than this version knows"
    if done.before == done.after:
        return f"database: at revision {done.after}"
    return f"database: migrated from {done.before or 'nothing'} to revision {done.after}"


async def apply_streams(stores: Stores) -> str:
    """Create and update the streams; returns what was done."""
    changes = await apply_topology(load(StreamSettings, nats_url=SecretStr(stores.nats)))
    changed = [change for change in changes if change.action != "unchanged"]
    return f"streams: {len(changed)} created or updated" if changed else "streams: as declared"
