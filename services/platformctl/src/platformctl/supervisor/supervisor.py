"""All programs of one platform: started in order, kept running, stopped in reverse order."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from platformctl.supervisor.keeper import Keeper, Patience, Program, Status
from platformctl.supervisor.orphans import Orphans

REAP_SECONDS = 2.0


class Supervisor:
    """Owns the processes. `changed` is called whenever a status changes."""

    def __init__(
        self,
        say: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
    ) -> None:
        self._say, self._changed = say, changed
        self._patience = patience or Patience()
        self._keepers: list[Keeper] = []
        self._kinds: Mapping[str, str] = {}
        self._force = asyncio.Event()
        self._orphans = Orphans()
        self._reaping: asyncio.Task[None] | None = None

    def statuses(self) -> list[Status]:
        """Every program that was started, in order."""
        return [keeper.status() for keeper in self._keepers]

    async def start(self, programs: Sequence[Program], kinds: Mapping[str, str] | None = None) -> None:
        """Start these together and wait until each is ready. Raises CannotStartError for the first that is not.

        `kinds` names, by program, what several of them are alike in: those are stopped together.
        """
        self._kinds = {**self._kinds, **(kinds or {})}
        if self._reaping is None:
            self._orphans.open()
            self._reaping = asyncio.create_task(self._reap())
        keepers = [Keeper(program, self._say, self._changed, self._patience) for program in programs]
        self._keepers += keepers
        starting = [asyncio.create_task(keeper.start()) for keeper in keepers]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    def force(self) -> None:
        """Stop without patience from now on."""
        self._force.set()

    async def stop(self) -> None:
        """Stop everything, last started first; nothing of it is left afterwards."""
        for keeper in self._keepers:
            keeper.give_up()
        for _, alike in groupby(reversed(self._keepers), lambda keeper: self._kinds.get(keeper.name, keeper.name)):
            await asyncio.gather(*(keeper.stop(self._force) for keeper in alike))
        if self._reaping is not None:
            self._reaping.cancel()
            await asyncio.gather(self._reaping, return_exceptions=True)
            self._reaping = None
            self._orphans.close()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            self._orphans.collect()
