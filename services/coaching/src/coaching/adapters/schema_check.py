"""Whether the database has the tables and rights that our statements need, by what the statements met lately."""

import time
from collections.abc import Callable

from kit import log

# SQLSTATE classes that no waiting mends: 42 an undefined table or column or a missing right, 3F an unknown schema.
MISMATCH = ("42", "3F")
REMEMBER_SECONDS = 90.0  # longer than any loop rests before it tries its statement again
_log = log.get_logger("coaching.schema")


class SchemaMismatchError(Exception):
    """The database is not the one that this release was written for: `platformctl db verify` says what differs."""


class SchemaCheck:
    """A readiness check: red from a statement's first such error until that statement works, or is long not tried."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._broken: dict[str, tuple[float, str]] = {}

    def failed(self, statement: str, sqlstate: str) -> None:
        """Take note of a statement's error, of whatever class."""
        if not sqlstate.startswith(MISMATCH):
            return
        if statement not in self._broken:
            _log.error("schema_mismatch", sqlstate=sqlstate, advice="run `platformctl db verify`")
        self._broken[statement] = (self._monotonic(), sqlstate)

    def worked(self, statement: str) -> None:
        """Take note of a statement's success."""
        self._broken.pop(statement, None)

    async def check(self) -> None:
        """Raise SchemaMismatchError while a statement does not fit the database."""
        oldest = self._monotonic() - REMEMBER_SECONDS
        self._broken = {statement: met for statement, met in self._broken.items() if met[0] > oldest}
        if self._broken:
            raise SchemaMismatchError(", ".join(sorted({state for _, state in self._broken.values()})))
