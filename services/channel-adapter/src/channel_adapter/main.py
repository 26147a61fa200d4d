"""The composition root: settings, parts from outside, channels, use cases, entrypoints."""

import socket

from channel_adapter.adapters.coaching_client import CoachingDeliveries
from channel_adapter.adapters.file_store import ObjectFileStore, open_file_store
from channel_adapter.adapters.jetstream import DeadLetterStream, InboundStream, LivePages
from channel_adapter.adapters.postgres import PostgresAccounts, PostgresFileRecords, PostgresLeases
from channel_adapter.app.channel import Connection, Connections, Outside, by_endpoint
from channel_adapter.app.connect import AccountState, ConnectAccount
from channel_adapter.app.files import KeepFiles
from channel_adapter.app.pace import Rests, Turns, Workers
from channel_adapter.app.poll import LeaseTimes, PollAccount
from channel_adapter.app.ports import FileFault, FileStore, FileStoreError, Leases
from channel_adapter.app.receive import Intake, ReceiveRequest
from channel_adapter.app.send import Pace, SendDeliveries
from channel_adapter.app.typing import ShowTyping
from channel_adapter.channels.registry import CHANNELS
from channel_adapter.domain.delivery import Lane
from channel_adapter.entrypoints.consumer import ConsumeOutbound
from channel_adapter.entrypoints.grpc import ReceiveServicer
from channel_adapter.entrypoints.live import ListenLive
from channel_adapter.settings import ChannelAdapterSettings, Settings
from contracts import topology
from contracts.channels.v1.channels_pb2_grpc import add_ChannelAdapterServicer_to_server
from kit import grpc_client, jetstream, log, process
from kit.clock import Clock, SystemClock
from kit.grpc_server import GrpcServer
from kit.http import HttpServer, ops_app
from kit.ids import new_id
from kit.jetstream import Bus
from kit.postgres import Database
from kit.process import Life, StartError

NAME = "channel-adapter"
CONSUMERS = {
    Lane.REPLY: topology.CHANNEL_ADAPTER_REPLY,
    Lane.PROACTIVE: topology.CHANNEL_ADAPTER_PROACTIVE,
}


async def build(settings: Settings, life: Life) -> None:
    """Start the service's parts in the order in which they need each other."""
    clock = SystemClock(settings.test_clock)
    owner = f"{socket.gethostname()}:{new_id()}"
    database = Database(settings, NAME)
    life.readiness.add("postgres", database.check)
    life.on_close(database.close)
    bus = await jetstream.connect(settings.nats_url.get_secret_value(), NAME, life)
    files = KeepFiles(
        await _file_store(settings, life),
        PostgresFileRecords(database),
        settings.uploads_max_bytes,
        # The request that the file came with must still be answered in time.
        min(settings.uploads_timeout_seconds, settings.request_timeout / 2),
    )
    intake = Intake(InboundStream(bus), files, clock)
    connections = _open_channels(settings, life, bus, clock)

    await _serve(settings, life, ReceiveRequest(connections, intake, settings.max_body_bytes))
    await _send(settings, life, bus, connections, owner)
    leases = PostgresLeases(database, owner, settings.polling_lease_seconds)
    connect = ConnectAccount(PostgresAccounts(database), life.stopping)
    for connection in connections.values():
        _ = life.background("account", _keep(settings, life, connection, connect, intake, leases))


async def _file_store(settings: Settings, life: Life) -> FileStore:
    """Open it, and store something in it: what is wrong is said now, not with the first file that somebody sends."""
    store: ObjectFileStore | None = None
    try:
        store = open_file_store(settings)
        life.on_close(store.close)
        await store.check()
    except FileStoreError as error:
        if store is None or not settings.uploads_s3_bucket or error.fault is not FileFault.UNREACHABLE:
            raise StartError(_advice(settings, error.fault)) from None
        log.get_logger("channel_adapter").warning("file_store_unreachable", consequence="files are not kept")
    return store


def _advice(settings: Settings, fault: FileFault) -> str:
    if not settings.uploads_s3_bucket:
        return f"the folder {settings.uploads_dir} cannot be written: change it or set UPLOADS_DIR"
    where = f"{settings.uploads_s3_bucket} at {settings.uploads_s3_endpoint_url or 'Amazon'}"
    return {
        FileFault.ADDRESS: "UPLOADS_S3_ENDPOINT_URL must be http://host:port or https://host:port, without a user or"
        " password: they are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        FileFault.BUCKET: f"UPLOADS_S3_BUCKET: there is no bucket {where}: create it, or correct the name",
        FileFault.REFUSED: f"UPLOADS_S3_BUCKET: the bucket {where} refuses to store: check AWS_ACCESS_KEY_ID,"
        " AWS_SECRET_ACCESS_KEY and AWS_REGION, or the role, and that it may get, put and delete objects",
    }[fault]


def _open_channels(settings: Settings, life: Life, bus: Bus, clock: Clock) -> Connections:
    outside = Outside(settings.default_organization_id, LivePages(bus), clock, life.on_close)
    return by_endpoint(connection for kind in CHANNELS.values() for connection in kind.open(settings, outside))


async def _serve(settings: Settings, life: Life, receive: ReceiveRequest) -> None:
    server = GrpcServer(settings.bind_host, settings.grpc_port, life, settings.grpc_max_connection_age_seconds)
    server.add(add_ChannelAdapterServicer_to_server, ReceiveServicer(receive))
    await server.start()
    await HttpServer(ops_app(life), settings.bind_host, settings.http_port, life).start()


async def _send(settings: Settings, life: Life, bus: Bus, connections: Connections, owner: str) -> None:
    clock = SystemClock(settings.test_clock)
    channel = grpc_client.channel(settings.coaching_address)
    life.on_close(lambda: channel.close(None))
    pace = Pace(Turns(), Workers(settings.max_workers), Rests(clock))
    sending = SendDeliveries(connections, CoachingDeliveries(channel, owner), pace, clock, life.stopping)
    # Enough to keep the workers busy while the next batch is claimed, and few enough that claims do not run out.
    limit = min(256, 16 * settings.max_workers)
    for lane, spec in CONSUMERS.items():
        consume = ConsumeOutbound(await bus.consumer(spec), lane, sending, DeadLetterStream(bus), limit)
        _ = life.background(f"outbound-{lane}", consume.run(life.stopping))
    typing = {connection.channel for connection in connections.values() if connection.abilities.typing}
    await ListenLive(bus, ShowTyping(connections, clock)).start(sorted(typing))


async def _keep(
    settings: Settings, life: Life, connection: Connection, connect: ConnectAccount, intake: Intake, leases: Leases
) -> None:
    """Have one account's updates pushed where there is a public address, else fetch them where the channel can."""
    state = AccountState(connection)
    address = settings.webhook_url(connection.channel, connection.account)
    ready = await connect(connection, address, state)
    if ready and address is None and connection.poller is not None:
        times = LeaseTimes(settings.polling_lease_seconds)
        await PollAccount(connection, intake, leases, times, state).run(connection.poller, life.stopping)


def main() -> None:
    """Run the service."""
    process.run(NAME, ChannelAdapterSettings, build)


if __name__ == "__main__":
    main()
