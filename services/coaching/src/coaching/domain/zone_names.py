"""Names of time zones, for whoever mistyped one."""

from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

SUGGESTIONS = 3


def nearest(name: str) -> list[str]:
    """Return a few zones that may have been meant: of a city with that name, or of names that look alike."""
    wanted = name.strip().replace(" ", "_").casefold()
    exact = _names().get(wanted, ())
    alike = get_close_matches(wanted, _names(), n=SUGGESTIONS, cutoff=0.6)
    found = dict.fromkeys([*exact, *(zone for key in alike for zone in _names()[key])])
    return list(found)[:SUGGESTIONS]


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Return the zones by their own name and by their city's, in lower case."""
    found: dict[str, tuple[str, ...]] = {}
    for zone in sorted(available_timezones()):
        for key in {zone.casefold(), zone.rpartition("/")[2].casefold()}:
            found[key] = (*found.get(key, ()), zone)
    return found
