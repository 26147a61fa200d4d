"""One way to start and stop a service: settings, logs, traces, build, run, drain, close."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import uvloop

from kit import faultpoints, log, tracing
from kit.health import Readiness
from kit.metrics import PROCESS_TASK_FAILURES
from kit.settings import BaseServiceSettings, SettingsError, load

EXIT_START = 1
EXIT_SETTINGS = 78  # EX_CONFIG of sysexits.h: starting again will not help

Hook = Callable[[], Awaitable[None]]
S = TypeVar("S", bound=BaseServiceSettings)


class StartError(Exception):
    """The service cannot start; the text says why and what to do, and holds no secret."""


class Life:
    """What a service hangs its parts on: background work, readiness, and an orderly end."""

    def __init__(self, name: str, drain_seconds: float) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        self.readiness = Readiness()
        self.drain_seconds = drain_seconds
        self._tasks: dict[asyncio.Task[None], str] = {}
        self._drains: list[Hook] = []
        self._closes: list[Hook] = []
        self._failed = False
        self._log = log.get_logger("kit.process")

    def background(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` for the life of the process; it should end when `stopping` is set. Its crash ends the process."""
        task = asyncio.create_task(work, name=name)
        self._tasks[task] = name
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        name = self._tasks.pop(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            PROCESS_TASK_FAILURES.labels(name).inc()
            self._log.error("background_task_failed", task=name, exc_info=error)
            self._failed = True
            self.stopping.set()

    def on_drain(self, hook: Hook) -> None:
        """Stop taking new work; hooks run in the order of registration, before the work in progress is waited for."""
        self._drains.append(hook)

    def on_close(self, hook: Hook) -> None:
        """Close a part; hooks run last in, first out, after the work has ended."""
        self._closes.append(hook)

    def stop(self) -> None:
        """Begin the orderly end."""
        self.stopping.set()

    async def finish(self) -> bool:
        """Drain, wait for background work, close; return whether everything went well."""
        self.readiness.draining = True
        for hook in self._drains:
            await self._quietly("drain", hook)
        if tasks := list(self._tasks):
            _, late = await asyncio.wait(tasks, timeout=self.drain_seconds)
            for task in late:
                self._log.warning("work_cut_off", task=task.get_name())
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for hook in reversed(self._closes):
            await self._quietly("close", hook)
        return not self._failed

    async def _quietly(self, stage: str, hook: Hook) -> None:
        try:
            await asyncio.wait_for(hook(), self.drain_seconds + 5)
        except Exception as error:  # noqa: BLE001  # one part that fails to close must not keep the others open
            self._log.warning("stop_step_failed", stage=stage, exc_info=error)


async def _live(name: str, settings: S, build: Callable[[S, Life], Awaitable[None]]) -> int:
    life = Life(name, settings.drain_seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, life.stop)
    logger = log.get_logger("kit.process")
    try:
        await build(settings, life)
    except Exception as error:  # whatever it was: it has a name, and what did start is closed
        why = str(error)
        if not isinstance(error, StartError):
            logger.exception("start_failed")
            why = f"{log.error_name(error)}; the log above says where"
        sys.stderr.write(f"{name}: cannot start: {why}\n")
        await life.finish()
        return EXIT_START
    for setting in settings.ignored_settings():
        logger.warning("setting_not_used_yet", setting=setting)
    gc.freeze()  # what was imported and built stays: the collector need not look at it again with each of its rounds
    gc.set_threshold(20_000, 20)
    logger.info("started", environment=settings.environment.value)
    await life.stopping.wait()
    logger.info("stopping")
    clean = await life.finish()
    logger.info("stopped", clean=clean)
    return 0 if clean else EXIT_START


def run(name: str, kind: type[S], build: Callable[[S, Life], Awaitable[None]]) -> NoReturn:
    """Run a service until SIGTERM or SIGINT; exit 0 after an orderly end, 78 for wrong settings, else 1."""
    try:
        settings = load(kind)
    except SettingsError as error:
        sys.stderr.write(f"{name}: settings: {error}\n")
        sys.exit(EXIT_SETTINGS)
    log.configure(name, settings.log_level, debug=settings.debug)
    provider = tracing.configure(name, settings.otel_exporter_otlp_endpoint)
    faultpoints.arm(settings.fault_points)
    code = uvloop.run(_live(name, settings, build))
    if provider is not None:
        provider.shutdown()
    sys.exit(code)
