"""Composition of the gateway: settings -> adapters -> app -> entrypoints -> server."""

import secrets
from datetime import timedelta

import grpc
from starlette.types import ASGIApp

from gateway.adapters.channel_adapter_client import ChannelAdapterClient
from gateway.adapters.check_ins_client import CheckInsClient
from gateway.adapters.coaching_client import CoachingClient
from gateway.adapters.live_events import NatsLiveEvents
from gateway.adapters.local_limiter import LocalRateLimiter
from gateway.adapters.redis_limiter import FallbackRateLimiter, RedisRateLimiter
from gateway.adapters.redis_limiter import connect as connect_redis
from gateway.adapters.tokens import JwtTokens
from gateway.app.limits import Limits
from gateway.app.ports import CheckIns, Conversations, Inbound, LiveEvents, RateLimiter
from gateway.app.send_message import SendMessage
from gateway.app.sessions import Sessions
from gateway.domain.addresses import Surroundings, parse_networks
from gateway.domain.limits import Budget
from gateway.domain.sessions import derive_key
from gateway.entrypoints.chat import ChatDoor
from gateway.entrypoints.chat_socket import ChatParts
from gateway.entrypoints.edge import Bounded, Edge
from gateway.entrypoints.http import create_app
from gateway.entrypoints.listening import shared_listener
from gateway.entrypoints.pages import page_routes
from gateway.entrypoints.rest import Rest
from gateway.entrypoints.webhooks import WebhookLimits, Webhooks
from gateway.settings import GatewaySettings
from kit import grpc_client, jetstream
from kit.clock import Clock, SystemClock
from kit.http import HttpServer, MetricsMiddleware, ops_app, ops_routes
from kit.ids import new_id
from kit.log import get_logger
from kit.process import Life, run

VERSION = "0.1.0"
LOOPBACK = "127.0.0.1"
# The page waits this long at most to hear that a message is stored; the rest of REQUEST_TIMEOUT is for our own answer.
ACCEPT_SECONDS = 10.0
SHARE_OF_TIMEOUT = 0.9

log = get_logger("gateway")


async def build(settings: GatewaySettings, life: Life) -> None:
    """Build and start the gateway."""
    await start(settings, life)


async def start(settings: GatewaySettings, life: Life) -> HttpServer:
    """Connect to what the gateway needs, then open its door."""
    clock = SystemClock(settings.test_clock)
    inbound = ChannelAdapterClient(_peer(life, "channel-adapter", settings.channel_adapter_address), clock)
    coaching = _peer(life, "coaching", settings.coaching_address)
    conversations = CoachingClient(coaching, settings.default_organization_id)
    check_ins = CheckInsClient(coaching, settings.default_organization_id)
    bus = await jetstream.connect(settings.nats_url.get_secret_value(), life.name, life)
    redis = connect_redis(settings.redis_url.get_secret_value(), settings.redis_max_connections)
    life.on_close(redis.aclose)
    limiter = FallbackRateLimiter(RedisRateLimiter(redis, clock), LocalRateLimiter(clock), clock)
    app = assemble(settings, life, clock, inbound, conversations, check_ins, NatsLiveEvents(bus.nc), limiter)
    server = HttpServer(app, settings.bind_host, settings.http_port, life)
    if settings.ops_port is not None:
        server.sockets = [shared_listener(settings.bind_host, settings.http_port)]
    await server.start()
    if settings.ops_port is not None:
        await HttpServer(ops_app(life), LOOPBACK, settings.ops_port, life).start()
    return server


def assemble(
    settings: GatewaySettings, life: Life, clock: Clock, inbound: Inbound, conversations: Conversations,
    check_ins: CheckIns, live: LiveEvents, limiter: RateLimiter,
) -> ASGIApp:  # fmt: skip
    """Return the app of the public door."""
    secret = settings.secret_key.get_secret_value() or _made_up_secret()
    tokens = JwtTokens(derive_key(secret, "token"), settings.jwt_algorithm, clock)
    lifetime = timedelta(minutes=settings.jwt_expire_minutes)
    sessions = Sessions(clock, tokens, derive_key(secret, "cookie"), lifetime, new_id)
    limits = Limits(
        limiter,
        Budget("guest_messages", settings.guest_messages_per_minute, settings.guest_messages_burst),
        Budget("address_requests", settings.address_requests_per_minute, settings.address_requests_burst),
    )
    timeout = settings.request_timeout * SHARE_OF_TIMEOUT
    send_message = SendMessage(inbound, limits, min(timeout, ACCEPT_SECONDS))
    surroundings = Surroundings(parse_networks(settings.trusted_proxies), settings.public_url)
    address_key = derive_key(secret, "address")

    door = ChatDoor(
        ChatParts(
            sessions,
            send_message,
            limits,
            live,
            surroundings,
            address_key,
            clock,
            queue_frames=settings.chat_queue_frames,
            hello_seconds=settings.chat_hello_seconds,
        ),
        settings.chat_max_sockets,
    )
    life.on_drain(door.drain)
    rest = Rest(sessions, conversations, check_ins, send_message, limits, surroundings, address_key, timeout)
    others = [door.route(), *ops_routes(life), *page_routes(settings.web_dir)]
    webhooks = Webhooks(
        inbound, WebhookLimits(settings.request_timeout, settings.webhook_max_body_bytes, settings.max_webhooks)
    )
    framework = Bounded(create_app(rest, others, VERSION), settings.request_timeout)
    return MetricsMiddleware(Edge(webhooks, framework, surroundings))


def _peer(life: Life, name: str, address: str) -> grpc.aio.Channel:
    channel = grpc_client.channel(address)

    async def close() -> None:
        await channel.close(None)

    life.readiness.add(name, channel.channel_ready)
    life.on_close(close)
    return channel


def _made_up_secret() -> str:
    # Only development comes here: elsewhere the settings refuse to be without one.
    log.warning("secret_key_missing", consequence="sessions end with this process")
    return secrets.token_hex(32)


def main() -> None:
    """Run the gateway until it is stopped."""
    run("gateway", GatewaySettings, build)


if __name__ == "__main__":
    main()
