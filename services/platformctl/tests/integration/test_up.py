"""`platformctl up` as a process: every part and service real, but for the model, which is scripted."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from fakes.openai_server import ScriptedModel
from platformctl.parts.nats import NatsPart
from platformctl.parts.postgres import PostgresPart
from platformctl.parts.valkey import ValkeyPart
from platformctl.up.services import SERVICES
from support.background import BackgroundLoop
from support.platform import Platform, clean_environment, living, none_left, platformctl, running_platform
from support.ports import free_port
from support.servers import running as running_part

LATER_SETTINGS = {"STRIPE_SECRET_KEY": "sk_test_later", "WHATSAPP_ACCESS_TOKEN": "later"}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a platform of these tests is, and with what it is started."""

    data: Path
    port: int
    env: dict[str, str]

    def start_in_vain(self, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
        """Run `up` where it must refuse."""
        return platformctl("up", "--data", str(self.data), *arguments, env=self.env | env, timeout=60)  # type: ignore[no-any-return]  # the helper is loose


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    with BackgroundLoop() as loop:
        model = loop.enter(ScriptedModel(text="I hear you."))
        env = {"OPENAI_BASE_URL": model.url, "EMBEDDER": "hashing", "VECTOR_STORE": "memory", **LATER_SETTINGS}
        yield Setting(tmp_path_factory.mktemp("up") / "data", free_port(), env)


@pytest.fixture(scope="module")
def running(setting: Setting) -> Iterator[Platform]:
    with running_platform(setting.data, setting.port, setting.env) as platform:
        yield platform


def until(found: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Everything on this machine that was started with this folder in its command, environment or as its own."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *process.environ().values(), process.cwd()]
        except psutil.Error:  # it has ended, or is another user's
            continue
        if any(str(folder) in word for word in told):
            found.append(process)
    return found


def status_of(platform: Platform) -> dict[str, dict[str, object]]:
    answer = json.loads(platformctl("status", "--json", "--data", str(platform.data)).stdout)
    return {part["name"]: part for part in answer["parts"]}


def test_it_says_what_it_does_and_at_last_where_it_is(running: Platform, setting: Setting) -> None:
    ready = running.lines.index(f"Ready: http://127.0.0.1:{setting.port}")
    said = "\n".join(running.lines[:ready])
    assert re.search(r"OPENAI_BASE_URL is set, so the server at 127\.0\.0\.1:\d+ is used", said)
    assert "WHATSAPP_ACCESS_TOKEN is set but not used yet" in said
    assert all("coaching" in line for line in running.lines[ready + 1 :])  # another test kills it
    for part in ("postgres", "nats", "valkey", "vector-search", "llm-inference", "coaching", "gateway"):
        assert f"{part} started" in said


def test_run_json_names_every_part_and_no_secret(running: Platform) -> None:
    text = (running.data / "run.json").read_text()
    assert (running.data / "run.json").stat().st_mode & 0o777 == 0o600
    assert json.loads(text)["url"] == running.url
    for secret in (running.data / "secrets").iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
        assert secret.read_text().strip() not in text


def test_every_part_is_ready_and_the_coach_answers(running: Platform) -> None:
    assert all(part["ready"] for part in status_of(running).values())
    answer = platformctl("chat", "--data", str(running.data), "--message", "Good morning")
    assert answer.returncode == 0, answer.stderr
    assert "I hear you." in answer.stdout


def test_a_second_start_on_the_same_data_is_refused_by_process(running: Platform, setting: Setting) -> None:
    refused = setting.start_in_vain()
    assert refused.returncode == 1
    assert f"as process {running.process.pid}" in refused.stdout
    assert "platformctl down" in refused.stdout


def test_a_port_that_is_taken_is_refused_with_what_to_do(running: Platform, setting: Setting, tmp_path: Path) -> None:
    refused = setting.start_in_vain("--data", str(tmp_path / "other"), "--port", str(setting.port))
    assert refused.returncode == 1
    assert f"PORT={setting.port} is in use" in refused.stdout
    assert not (tmp_path / "other").exists()


def test_a_part_that_dies_is_started_again_and_a_line_says_so(running: Platform) -> None:
    victim = status_of(running)["coaching"]
    os.kill(int(str(victim["pid"])), signal.SIGKILL)
    until(lambda: any("coaching is back" in line for line in running.lines))
    assert any("coaching ended by signal 9" in line and "starting it again in" in line for line in running.lines)
    after = status_of(running)["coaching"]
    assert (after["ready"], after["restarts"]) == (True, 1)


@pytest.mark.guarantee("E2E-clean-stop")
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_second_platform_beside_it_is_killed_leaves_no_process_and_starts_again(
    running: Platform, setting: Setting, tmp_path: Path
) -> None:
    data = tmp_path / "second"
    with running_platform(data, free_port(), setting.env) as second:
        assert not set(running.run_json()["ports"].values()) & set(second.run_json()["ports"].values())
        everything = second.processes()
        assert {process.pid for process in everything} & {process.pid for process in processes_of(data)}
        second.process.kill()
        second.process.wait()
        assert none_left(everything) == []
        assert (data / "run.json").exists()
        assert platformctl("status", "--data", str(data)).returncode == 1
    with running_platform(data, free_port(), setting.env) as second:
        everything = second.processes()
        stopped = platformctl("down", "--data", str(data))
        assert stopped.returncode == 0, stopped.stderr
        assert second.process.wait(10) == 0
        assert living(everything) == []
        assert not (data / "run.json").exists()
    assert all(part["ready"] for part in status_of(running).values())


def test_own_servers_are_used_and_none_is_started(setting: Setting, tmp_path: Path) -> None:
    stores = tmp_path / "stores"
    own_postgres = PostgresPart(stores, free_port(), durable=False)
    own_nats, own_valkey = NatsPart(stores, free_port()), ValkeyPart(stores, free_port())
    with running_part(own_postgres) as postgres, running_part(own_nats) as nats, running_part(own_valkey) as valkey:
        env = setting.env | {"DATABASE_URL": postgres.url, "NATS_URL": nats.url, "REDIS_URL": valkey.url}
        with running_platform(tmp_path / "data", free_port(), env) as platform:
            assert set(status_of(platform)) == {service.name for service in SERVICES}
            for name in ("DATABASE_URL", "NATS_URL", "REDIS_URL"):
                assert any(f"{name} is set, so that server is used" in line for line in platform.lines)


@pytest.mark.parametrize(
    ("env", "status", "said"),
    [
        ({"REQUEST_TIMEOUT": "soon"}, 78, "REQUEST_TIMEOUT"),
        ({"GUEST_MESSAGES_BURST": "-1"}, 1, "gateway: .*GUEST_MESSAGES_BURST"),
        ({"DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:9/x"}, 1, "DATABASE_URL is set, so that server is used"),
        ({"ENVIRONMENT": "production"}, 78, "SECRET_KEY is missing"),
    ],
    ids=["own setting", "service's setting", "store that is not there", "missing secret"],
)
def test_what_cannot_start_says_why_and_leaves_nothing(
    setting: Setting, tmp_path: Path, env: dict[str, str], status: int, said: str
) -> None:
    refused = platformctl("up", "--data", str(tmp_path / "data"), env=setting.env | env)
    text = refused.stdout + refused.stderr
    assert refused.returncode == status, text
    assert re.search(said, text), text
    assert "hunter2" not in text
    assert living(processes_of(tmp_path)) == []
    assert not (tmp_path / "data" / "run.json").exists()


@pytest.mark.guarantee("E2E-clean-stop")
def test_a_stop_during_the_start_leaves_nothing(setting: Setting, tmp_path: Path) -> None:
    command = [str(Path(sys.executable).parent / "platformctl"), "up", "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, env=clean_environment() | setting.env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "starting vector-search" in line:
                break
        everything = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 130
    assert rest.splitlines()[-1] == "stopped"
    assert none_left(everything) == []
