"""Fixtures that every suite shares: real servers on free loopback ports, once for each run, clean for each test."""

from collections.abc import Iterator

import pytest

from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from platformctl.parts.valkey import ValkeyPart
from support.database import TestDatabase, fresh_database, make_template
from support.leaks import LeakCheck
from support.ports import free_port
from support.servers import in_thread, running
from support.streams import reset_streams
from support.valkey import flush


def pytest_configure(config: pytest.Config) -> None:
    """Look for processes that the tests left behind, after all else."""
    config.pluginmanager.register(LeakCheck(), "leak-check")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The superuser's URL of a PostgreSQL whose template database is migrated. Tests take `database`."""
    part = PostgresPart(tmp_path_factory.mktemp("postgres"), free_port(), durable=False)
    with running(part):
        make_template(part.url)
        yield part.url


@pytest.fixture
def database(postgres_url: str) -> Iterator[TestDatabase]:
    """A migrated database of this test alone, with a URL for each service's role."""
    with fresh_database(postgres_url) as found:
        yield found


@pytest.fixture(scope="session")
def nats_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A nats-server with JetStream. Tests take `nats_url`."""
    with running(NatsPart(tmp_path_factory.mktemp("nats"), free_port())) as part:
        yield part.url


@pytest.fixture
def nats_url(nats_server_url: str) -> str:
    """NATS with the topology's streams and consumers, empty."""
    in_thread(lambda: reset_streams(nats_server_url))
    return nats_server_url


@pytest.fixture(scope="session")
def valkey_server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A valkey-server. Tests take `valkey_url`."""
    with running(ValkeyPart(tmp_path_factory.mktemp("valkey"), free_port())) as part:
        yield part.url


@pytest.fixture
def valkey_url(valkey_server_url: str) -> str:
    """Valkey (Redis), empty."""
    in_thread(lambda: flush(valkey_server_url))
    return valkey_server_url
