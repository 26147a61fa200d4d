"""The proxy that the environment names."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def environment_proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address, None: there is none.

    Asked once: aiohttp with trust_env asks for each request, in a thread, and for ~/.netrc in another.
    """
    asked = urlsplit(url)
    return None if proxy_bypass(asked.hostname or "") else getproxies().get(asked.scheme)
