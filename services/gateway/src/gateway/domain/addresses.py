"""Where a request came from: the client's address behind proxies we trust, and the origin of a page."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Peer:
    """What a connection and its headers say about the other side."""

    address: str
    scheme: str
    host: str
    forwarded_for: str = ""
    forwarded_proto: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about the way to us: proxies whose headers are believed, and our public address."""

    trusted_proxies: tuple[Network, ...] = ()
    public_url: str = ""

    def client_address(self, peer: Peer) -> str:
        """Return the nearest address that no trusted proxy stands for; headers of others are not believed."""
        hops = [hop.strip() for hop in peer.forwarded_for.split(",") if hop.strip()]
        address = peer.address
        while hops and self._trusts(address):
            address = hops.pop()
        return address

    def is_https(self, peer: Peer) -> bool:
        """Whether the browser's own connection is encrypted."""
        if peer.scheme in ("https", "wss"):
            return True
        if self._trusts(peer.address) and peer.forwarded_proto.split(",", 1)[0].strip().lower() == "https":
            return True
        public = urlsplit(self.public_url)
        return public.scheme == "https" and public.netloc.lower() == peer.host.lower()

    def allows_origin(self, origin: str, peer: Peer) -> bool:
        """Whether a page of this origin may act for a guest: our own pages only.

        Programs send no Origin and hold no cookie that a page could abuse, so none is fine.
        """
        if not origin:
            return True
        asked = _origin(origin)
        scheme = "https" if self.is_https(peer) else "http"
        return asked is not None and asked in (_origin(f"{scheme}://{peer.host}"), _origin(self.public_url))

    def _trusts(self, address: str) -> bool:
        if not self.trusted_proxies:
            return False
        try:
            parsed = _parse(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.trusted_proxies)


def parse_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a comma-separated list of addresses and CIDR blocks; raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def limit_subject(address: str, key: bytes) -> str:
    """Return a keyed hash to count an address by; an IPv6 customer has a /64, so that is what counts."""
    try:
        parsed = _parse(address)
    except ValueError:
        network = "unknown"
    else:
        network = str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
    return hmac.digest(key, network.encode(), hashlib.sha256).hex()[:32]


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    parsed = ipaddress.ip_address(address)
    # A socket that listens on both families shows IPv4 clients as ::ffff:192.0.2.1.
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname or "", port) if parts.hostname else None
