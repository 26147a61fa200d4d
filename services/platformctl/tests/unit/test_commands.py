"""The command line itself, and the commands that look at a running platform."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from fakes.gateway_door import Door
from platformctl.main import COMMANDS, GROUPS, app
from platformctl.models.catalog import MODELS
from platformctl.up.datadir import DataFolder
from platformctl.up.runfile import PartEntry, RunFile, start_time
from support.background import BackgroundLoop


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.open()
    return folder


@pytest.fixture
def listener() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def write_run_file(folder: DataFolder, pid: int, *parts: PartEntry) -> None:
    RunFile(
        pid=pid,
        started_at=start_time(pid) or 0.0,
        url="http://127.0.0.1:8080",
        environment="development",
        ports={"gateway.http": 8080, "coaching.grpc": 9},
        parts=list(parts),
    ).write(folder.run_file)


def test_every_command_is_registered_and_says_what_it_does() -> None:
    found = typer.main.get_command(app)
    assert set(found.commands) == {*COMMANDS, *GROUPS}  # type: ignore[attr-defined]  # it is a group
    for name in (*COMMANDS, *GROUPS):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert len(result.stdout) > 200


@pytest.mark.parametrize(
    "command", [["status"], ["chat", "-m", "x"], ["people", "list"], ["check-in", "list", "--person", "web:default:a"]]
)
def test_what_needs_a_running_platform_says_how_to_start_one(folder: DataFolder, command: list[str]) -> None:
    result = run(*command, "--data", str(folder.path))
    assert result.exit_code == 1
    assert f"No platform runs on {folder.path}" in result.stderr


def test_status_shows_each_part_and_fails_when_one_is_not_ready(folder: DataFolder, listener: str) -> None:
    up = PartEntry("nats", "ready", os.getpid(), 1, listener)
    down = PartEntry("gateway", "waiting", None, 3, "127.0.0.1:9", "http://127.0.0.1:9/ready")
    write_run_file(folder, os.getpid(), up)
    healthy = run("status", "--data", str(folder.path))
    assert (healthy.exit_code, "started again once\n" in healthy.stdout) == (0, True)
    write_run_file(folder, os.getpid(), up, down)
    result = run("status", "--data", str(folder.path))
    assert result.exit_code == 1
    assert "started again 3 times" in result.stdout
    told = json.loads(run("status", "--json", "--data", str(folder.path)).stdout)
    assert told["ready"] is False
    assert {part["name"]: part["ready"] for part in told["parts"]} == {"nats": True, "gateway": False}


def test_a_part_that_listens_no_more_is_not_ready(folder: DataFolder) -> None:
    write_run_file(folder, os.getpid(), PartEntry("nats", "ready", os.getpid(), 0, "127.0.0.1:9"))
    assert run("status", "--data", str(folder.path)).exit_code == 1


@pytest.mark.parametrize("is_ready", [True, False])
def test_status_asks_a_platform_elsewhere_what_it_needs(is_ready: bool) -> None:
    with BackgroundLoop() as loop:
        door = Door()
        url = loop.enter(door.serving())
        door.life.readiness.draining = not is_ready
        said = run("status", "--url", f"{url}/")
        told = run("status", "--url", url, "--json")
    assert said.exit_code == told.exit_code == (0 if is_ready else 1)
    assert said.stdout.startswith(f"{url} is {'ready' if is_ready else 'NOT READY'}\n")
    record = json.loads(told.stdout)
    assert (record["url"], record["ready"]) == (url, is_ready)
    assert ("draining" in record["checks"].values()) is not is_ready
    assert all(f"  {name}" in said.stdout for name in record["checks"])


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://127.0.0.1", "nonsense"])
def test_status_says_when_nothing_answers_at_the_address(url: str) -> None:
    result = run("status", "--url", url, "--json")
    assert result.exit_code == 1
    assert f"No platform answers at {url}" in result.stderr


def test_down_without_a_platform_is_no_failure(folder: DataFolder) -> None:
    result = run("down", "--data", str(folder.path))
    assert (result.exit_code, result.stdout) == (0, f"No platform runs on {folder.path}.\n")


def test_down_stops_the_platform_and_waits_for_its_end(folder: DataFolder) -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    write_run_file(folder, process.pid)
    result = run("down", "--data", str(folder.path))
    assert result.exit_code == 0
    assert process.wait(30) == -signal.SIGTERM


def test_down_says_when_it_takes_too_long(folder: DataFolder) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        write_run_file(folder, process.pid)
        result = run("down", "--data", str(folder.path), "--timeout", "0.2")
        assert result.exit_code == 1
        assert "--force" in result.stderr
        process.kill()


def test_days_of_silence_beyond_a_year_are_refused_before_anybody_is_asked() -> None:
    result = run("check-in", "add", "--person", "web:default:a", "--at", "08:30", "--after-days", "99999999999")
    assert result.exit_code == 2
    assert "--after-days" in result.stderr


def test_people_says_when_coaching_does_not_answer(folder: DataFolder) -> None:
    write_run_file(folder, os.getpid())
    result = run("people", "list", "--data", str(folder.path))
    assert result.exit_code == 1
    assert "did not answer (UNAVAILABLE)" in result.stderr


@pytest.mark.parametrize(("option", "whose"), [("--after", "person"), ("--organization", "organisation")])
def test_people_says_which_option_is_no_id(folder: DataFolder, option: str, whose: str) -> None:
    write_run_file(folder, os.getpid())
    result = run("people", "list", "--data", str(folder.path), option, "notauuid")
    assert result.exit_code == 1
    assert f"{option} must be a" in result.stderr
    assert f"{whose}'s id" in result.stderr


def test_models_are_listed_with_size_and_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    rows = json.loads(run("models", "list", "--json").stdout)
    assert {row["name"]: row["here"] for row in rows} == dict.fromkeys(MODELS, False)
    assert "Apache-2.0" in run("models", "list").stdout


def test_a_model_that_does_not_exist_is_refused_with_the_names_of_those_that_do() -> None:
    result = run("models", "fetch", "huge")
    assert result.exit_code == 1
    assert "default, small, embedder" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "prod", "development, staging, production"),
        ("PORT", "eighty", "PORT"),
        ("MODEL", "huge", "MODEL"),
        ("LLM_PROVIDER", "oracle", "LLM_PROVIDER"),
        ("OLLAMA_URL", "localhost:11434", "OLLAMA_URL"),
        ("OPENAI_BASE_URL", "http://me:hunter2@[host/v1", "OPENAI_BASE_URL"),
        ("MIGRATION_ATTEMPTS", "hunter2", "MIGRATION_ATTEMPTS"),
    ],
)
def test_up_refuses_wrong_settings_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    monkeypatch.setenv(name, value)
    result = run("up")
    assert result.exit_code == 78
    assert said in result.stderr
    assert "hunter2" not in result.stderr
    assert not (tmp_path / "data").exists()


STRONG = "x9-Tq2_Lm7.Rw4+Zk8=Bv3~Hn6!Pd1Yc"
WEBHOOKS = {"TELEGRAM_BOT_TOKEN": "1000:abc", "PUBLIC_URL": "https://coach.example.org"}


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "hunter2"}, "SECRET_KEY is too weak"),
        ({"SECRET_KEY": STRONG, **WEBHOOKS}, "TELEGRAM_WEBHOOK_SECRET is missing"),
        ({"SECRET_KEY": STRONG, **WEBHOOKS, "TELEGRAM_WEBHOOK_SECRET": "hunter2"}, "TELEGRAM_WEBHOOK_SECRET is too we"),
        ({"SECRET_KEY": STRONG, "COACHING_DATABASE_PASSWORD": "hunter2"}, "COACHING_DATABASE_PASSWORD is too weak"),
        ({"SECRET_KEY": STRONG, "DEBUG": "true"}, "DEBUG must be false"),
        ({"SECRET_KEY": STRONG, "DEBUG": "hunter2"}, "DEBUG"),
    ],
)
def test_up_refuses_weak_secrets_by_name_before_it_makes_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: str, settings: dict[str, str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATA": str(tmp_path / "data"), "ENVIRONMENT": environment, **settings}.items():
        monkeypatch.setenv(name, value)
    result = run("up")
    assert result.exit_code == 78
    assert said in result.stderr
    assert "hunter2" not in result.stderr
    assert not (tmp_path / "data").exists()


EVERY_COMMAND = (
    "up", "down", "status", "chat -m x --url http://127.0.0.1:9", "people list --address 127.0.0.1:9", "models list",
    "check-in list --person 1", "schedule preview --person 1", "explain 1",
    "models fetch", "db migrate --sql", "db wait", "db verify", "streams apply", "streams show",
)  # fmt: skip


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_refuses_an_unknown_environment_with_the_allowed_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("environment=moon\n")
    result = run(*command.split())
    assert result.exit_code == 78
    assert "development, staging, production" in result.stderr
    assert "moon" not in result.stderr
