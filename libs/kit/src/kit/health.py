"""What a process needs in order to be ready."""

import asyncio
from collections.abc import Awaitable, Callable

from kit.log import error_name

Check = Callable[[], Awaitable[str | None]]
CHECK_SECONDS = 3.0


class Readiness:
    """Named checks of dependencies; a check passes by returning, a word to show or nothing, and fails by raising."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self.draining = False

    def add(self, name: str, check: Check) -> None:
        """Register a dependency under a name that operators read."""
        self._checks[name] = check

    async def report(self) -> tuple[bool, dict[str, str]]:
        """Run all checks side by side; return whether all passed, and for each ok, its own word, or an error's name."""
        names = list(self._checks)
        answers = await asyncio.gather(*(self._run(self._checks[name]) for name in names))
        checks = {name: word for name, (_, word) in zip(names, answers, strict=True)}
        if self.draining:
            checks["process"] = "draining"
        return not self.draining and all(passed for passed, _ in answers), checks

    @staticmethod
    async def _run(check: Check) -> tuple[bool, str]:
        try:
            word = await asyncio.wait_for(check(), CHECK_SECONDS)
        except Exception as error:  # noqa: BLE001  # any failure of a dependency is its answer
            return False, error_name(error)
        return True, word or "ok"
