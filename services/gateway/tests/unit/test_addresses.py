import pytest

from gateway.domain.addresses import Peer, Surroundings, limit_subject, parse_networks

BEHIND_PROXY = Surroundings(parse_networks("10.0.0.0/8, 192.0.2.1, fd00::/8"), "https://coach.example.org")
DIRECT = Surroundings()


def peer(**values: str) -> Peer:
    return Peer(**({"address": "198.51.100.9", "scheme": "http", "host": "127.0.0.1:8080"} | values))


@pytest.mark.parametrize(
    ("surroundings", "address", "forwarded_for", "expected"),
    [
        (DIRECT, "198.51.100.9", "1.2.3.4", "198.51.100.9"),
        (BEHIND_PROXY, "198.51.100.9", "1.2.3.4", "198.51.100.9"),
        (BEHIND_PROXY, "10.1.1.1", "", "10.1.1.1"),
        (BEHIND_PROXY, "10.1.1.1", "203.0.113.5", "203.0.113.5"),
        (BEHIND_PROXY, "10.1.1.1", "6.6.6.6, 203.0.113.5, 10.2.2.2", "203.0.113.5"),
        (BEHIND_PROXY, "::ffff:10.1.1.1", "2001:db8::1", "2001:db8::1"),
        (BEHIND_PROXY, "10.1.1.1", "10.2.2.2", "10.2.2.2"),
        (BEHIND_PROXY, "10.1.1.1", "not an address", "not an address"),
        (BEHIND_PROXY, "", "203.0.113.5", ""),
    ],
)
def test_the_nearest_address_that_no_proxy_stands_for(
    surroundings: Surroundings, address: str, forwarded_for: str, expected: str
) -> None:
    assert surroundings.client_address(peer(address=address, forwarded_for=forwarded_for)) == expected


@pytest.mark.parametrize(
    ("surroundings", "values", "expected"),
    [
        (DIRECT, {}, False),
        (DIRECT, {"scheme": "https"}, True),
        (DIRECT, {"scheme": "wss"}, True),
        (DIRECT, {"forwarded_proto": "https"}, False),
        (BEHIND_PROXY, {"address": "10.1.1.1", "forwarded_proto": "https"}, True),
        (BEHIND_PROXY, {"forwarded_proto": "https"}, False),
        (BEHIND_PROXY, {"host": "coach.example.org"}, True),
        (BEHIND_PROXY, {"host": "127.0.0.1:8080"}, False),
    ],
)
def test_encryption_is_believed_of_trusted_proxies_alone(
    surroundings: Surroundings, values: dict[str, str], expected: bool
) -> None:
    assert surroundings.is_https(peer(**values)) is expected


@pytest.mark.parametrize(
    ("origin", "values", "expected"),
    [
        ("", {}, True),
        ("http://127.0.0.1:8080", {}, True),
        ("http://127.0.0.1:9999", {}, False),
        ("https://127.0.0.1:8080", {}, False),
        ("https://coach.example.org", {"host": "coach.example.org"}, True),
        ("https://coach.example.org:443", {"host": "inner:8080"}, True),
        ("http://coach.example.org", {"host": "coach.example.org"}, False),
        ("https://evil.example", {"host": "coach.example.org"}, False),
        ("https://coach.example.org.evil.example", {}, False),
        ("null", {}, False),
        ("http://[::1", {}, False),
        ("http://127.0.0.1:port", {}, False),
    ],
)
def test_only_our_own_pages_may_act(origin: str, values: dict[str, str], expected: bool) -> None:
    assert BEHIND_PROXY.allows_origin(origin, peer(**values)) is expected


def test_addresses_are_counted_by_a_keyed_hash() -> None:
    subject = limit_subject("203.0.113.5", b"key")
    assert subject == limit_subject("::ffff:203.0.113.5", b"key")
    assert subject != limit_subject("203.0.113.5", b"other key")
    assert subject != limit_subject("203.0.113.6", b"key")


def test_an_ipv6_network_is_one_subject() -> None:
    assert limit_subject("2001:db8::1", b"k") == limit_subject("2001:db8::ffff:2", b"k")
    assert limit_subject("2001:db8::1", b"k") != limit_subject("2001:db8:0:1::1", b"k")


def test_what_is_no_address_is_counted_together() -> None:
    assert limit_subject("", b"k") == limit_subject("nonsense", b"k")


def test_a_wrong_network_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        parse_networks("10.0.0.0/99")
