"""One platform on one machine, from nothing to ready, step by step."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack

from platformctl.console import Console
from platformctl.models.catalog import EMBEDDER, Model
from platformctl.models.sources import fetcher_of
from platformctl.parts.base import Part
from platformctl.parts.secrets import secret
from platformctl.ports import PortClaims, allocate, with_replicas
from platformctl.supervisor.keeper import Patience
from platformctl.supervisor.supervisor import Supervisor
from platformctl.up import notices
from platformctl.up.cores import usable_cores
from platformctl.up.datadir import DataFolder
from platformctl.up.environment import Stores, compose, defaults, missing, role_passwords
from platformctl.up.language_model import LanguageModel, choose
from platformctl.up.preflight import DATA_BYTES, check_room, check_system_libraries
from platformctl.up.runfile import PartEntry, RunFile, start_time
from platformctl.up.services import SERVICES, ServiceProgram, replicas_of
from platformctl.up.settings import CHAT_MODELS, UpSettings
from platformctl.up.stores import apply_streams, migrate_database, parts_of, stores_of

LOOPBACK = "127.0.0.1"
MINILM = "minilm_onnx"


class LocalPlatform:
    """Everything that `platformctl up` holds. `environ` is the user's environment with the `.env` files read."""

    def __init__(self, settings: UpSettings, environ: Mapping[str, str], console: Console) -> None:
        self._settings, self._environ, self._console = settings, environ, console
        self._folder = DataFolder(settings.data_folder)
        self._held = ExitStack()
        self._fetcher = fetcher_of(settings, console)
        self._language_model: LanguageModel | None = None
        self._ports: dict[str, int] = {}
        self._parts: list[Part] = []
        self._replicas = replicas_of(SERVICES, settings.replicas)
        self._services: list[ServiceProgram] = []
        self._model_settings: dict[str, str] = {}
        self._is_up = False
        self.supervisor = Supervisor(
            lambda text: console.line(f"  {text}"),
            self._write_run_file,
            Patience(ready_seconds=settings.start_timeout_seconds),
        )

    @property
    def url(self) -> str:
        """Where the web page is."""
        return f"http://{LOOPBACK}:{self._ports['gateway.http']}"

    async def start(self) -> str:
        """Bring it up; returns its address. Raises one of REFUSALS."""
        await self._check_machine()
        self._hold_data_and_ports()
        stores = await self._start_stores()
        await self._fetch_models()
        await self._start_services(stores)
        self._is_up = True
        self._write_run_file()
        return self.url

    async def stop(self) -> None:
        """Bring it down again, however far it came; no process of it stays."""
        self._is_up = False
        await self.supervisor.stop()
        if self._ports:
            self._folder.run_file.unlink(missing_ok=True)
        self._held.close()

    async def _check_machine(self) -> None:
        for notice in notices.not_used_yet(self._settings):
            self._console.line(notice)
        self._language_model = await asyncio.to_thread(choose, self._settings)
        self._console.line(self._language_model.said)
        for notice in notices.replicas(self._settings, self._language_model.provider):
            self._console.line(notice)
        if self._language_model.provider == "embedded":
            check_system_libraries()
        for notice in notices.telegram(self._settings):
            self._console.line(notice)

    def _hold_data_and_ports(self) -> None:
        made = self._folder.open()
        self._held.enter_context(self._folder.lock())
        self._held.callback(self._folder.undo, made)
        check_room(self._folder.path, DATA_BYTES)
        self._fetcher.check_room(self._wanted_models().values())
        claims = PortClaims()
        self._held.callback(claims.close)
        chosen = {} if self._settings.port is None else {"PORT": self._settings.port}
        table = with_replicas({replica.service.name: replica.of for replica in self._replicas})
        ports = allocate(claims, chosen, {"gateway": self._settings.bind_host}, table)
        self._ports = ports
        self._console.line(f"data in {self._folder.path}, logs in {self._folder.logs}")

    async def _start_stores(self) -> Stores:
        for notice in notices.external(self._settings).values():
            self._console.line(notice)
        self._parts = parts_of(self._settings, self._ports)
        if self._parts:
            self._console.line(f"starting {', '.join(part.name for part in self._parts)}")
            async with self._console.working("starting the stores"):
                await self.supervisor.start(self._parts)
        stores = stores_of(self._settings, self._parts)
        async with self._console.working("preparing the database and the streams"):
            passwords = role_passwords(self._folder.path, self._environ)
            self._console.line(f"  {await migrate_database(stores, passwords)}")
            self._console.line(f"  {await apply_streams(stores)}")
        return stores

    def _wanted_models(self) -> dict[str, Model]:
        wanted: dict[str, Model] = {}
        model = self._language_model
        if model is not None and model.provider == "embedded" and model.fetch:
            wanted["llm"] = CHAT_MODELS[self._settings.model]
        if self._settings.embedder == MINILM and missing(self._environ, {"EMBEDDER_MODEL_PATH": ""}):
            wanted["embedder"] = EMBEDDER
        return wanted

    async def _fetch_models(self) -> None:
        for kind, entry in self._wanted_models().items():
            files = list((await self._fetcher.fetch(entry)).values())
            names = ("LLM_MODEL_PATH",) if kind == "llm" else ("EMBEDDER_MODEL_PATH", "EMBEDDER_TOKENIZER_PATH")
            self._model_settings |= {name: str(file) for name, file in zip(names, files, strict=True)}
            if kind == "llm":
                self._model_settings |= missing(self._environ, {"LLM_MODEL": entry.title})

    async def _start_services(self, stores: Stores) -> None:
        assert self._language_model is not None  # noqa: S101 # chosen before anything starts
        data = self._folder.path
        settings = {
            **missing(self._environ, defaults(data, usable_cores(), self._settings.replicas)),
            **self._model_settings,
            "LLM_PROVIDER": self._language_model.provider,
            "ENVIRONMENT": self._settings.environment.value,
        }
        if self._settings.secret_key is None:
            settings["SECRET_KEY"] = secret(data, "secret-key")
        passwords = role_passwords(data, self._environ)
        self._services = [
            ServiceProgram(
                replica,
                compose(replica, self._environ, self._ports, stores, passwords, settings),
                replica.ops(self._ports),
                self._folder.logs,
                self._settings.drain_seconds,
            )
            for replica in self._replicas
        ]
        self._console.line(f"starting {', '.join(replica.name for replica in self._replicas)}")
        async with self._console.working("loading and starting the services"):
            await self.supervisor.start(self._services, {one.name: one.service.name for one in self._replicas})

    def _write_run_file(self) -> None:
        if self._is_up:
            self._run_file().write(self._folder.run_file)

    def _run_file(self) -> RunFile:
        ready_pages = {service.name: service.ready_url for service in self._services}
        doors = {replica.name: replica.door(self._ports) for replica in self._replicas}
        doors |= {part.name: part.port for part in self._parts}
        parts = [
            PartEntry(
                name=status.name,
                state=status.state.value,
                pid=status.pid,
                restarts=status.restarts,
                address=f"{LOOPBACK}:{doors[status.name]}",
                ready_url=ready_pages.get(status.name, ""),
            )
            for status in self.supervisor.statuses()
        ]
        model = {"provider": self._language_model.provider} if self._language_model else {}
        return RunFile(
            pid=os.getpid(),
            started_at=start_time(os.getpid()) or 0.0,
            url=self.url,
            environment=self._settings.environment.value,
            ports=self._ports,
            parts=parts,
            external=list(notices.external(self._settings)),
            model=model | {key.lower(): value for key, value in self._model_settings.items()},
            secrets=str(self._folder.secrets),
            logs=str(self._folder.logs),
        )
