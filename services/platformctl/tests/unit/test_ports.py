"""The port table and how numbers are given out."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from platformctl.ports import PORTS, Port, PortClaims, PortTakenError, allocate, is_free


@pytest.fixture
def claims(tmp_path: Path) -> Iterator[PortClaims]:
    claims = PortClaims(tmp_path / "claims")
    yield claims
    claims.close()


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_no_two_ports_share_a_key_or_a_default() -> None:
    assert len({port.key for port in PORTS}) == len(PORTS)
    assert len({port.default for port in PORTS}) == len(PORTS)


def test_a_default_that_is_free_is_given(claims: PortClaims) -> None:
    table = (Port("gateway", "http", free_port(), "PORT"),)
    assert allocate(claims, {}, table=table) == {"gateway.http": table[0].default}


def test_a_default_that_is_taken_gives_another_free_port(claims: PortClaims, busy: int) -> None:
    given = allocate(claims, {}, table=(Port("gateway", "http", busy, "PORT"),))["gateway.http"]
    assert given != busy
    assert is_free(given)


def test_a_chosen_port_wins_over_the_default(claims: PortClaims) -> None:
    chosen = free_port()
    assert allocate(claims, {"PORT": chosen}, table=(Port("gateway", "http", 1, "PORT"),)) == {"gateway.http": chosen}


def test_a_chosen_port_that_is_busy_is_refused_with_what_to_do(claims: PortClaims, busy: int) -> None:
    with pytest.raises(PortTakenError, match=rf"PORT={busy} is in use.*Choose another"):
        allocate(claims, {"PORT": busy}, table=(Port("gateway", "http", 1, "PORT"),))


def test_two_that_choose_at_the_same_time_never_get_the_same_port(claims: PortClaims, tmp_path: Path) -> None:
    table = (Port("gateway", "http", free_port(), "PORT"), Port("coaching", "grpc", free_port()))
    others = PortClaims(tmp_path / "claims")
    first, second = allocate(claims, {}, table=table), allocate(others, {}, table=table)
    assert not set(first.values()) & set(second.values())
    others.close()


def test_a_claim_ends_with_its_owner(claims: PortClaims, tmp_path: Path) -> None:
    port = free_port()
    others = PortClaims(tmp_path / "claims")
    assert others.take(port)
    assert not claims.take(port)
    others.close()
    assert claims.take(port)
