"""A service from start to stop, as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

SERVICE = """
import asyncio, sys
from kit.http import HttpServer, ops_app
from kit.process import Life, StartError, run
from kit.settings import BaseServiceSettings

async def build(settings, life):
    mode = sys.argv[1]
    if mode == "refuses":
        raise StartError("the store is not there: start it")
    if mode == "stumbles":
        try:
            raise KeyError("marker-of-a-person")
        except KeyError:
            raise ValueError("marker-of-a-person")
    if mode == "explodes":
        raise ValueError("marker-of-a-person")
    async def work():
        if mode == "crashes":
            await asyncio.sleep(0.2)
            raise ValueError("marker-of-a-person")
        await life.stopping.wait()
        await asyncio.sleep(0.3)
        print("work finished", flush=True)
    async def drain():
        print("drained", flush=True)
    async def close():
        print("closed", flush=True)
    async def broken():
        raise ConnectionError("marker-of-a-person")
    life.on_drain(drain)
    life.on_close(close)
    life.background("work", work())
    if mode == "unready":
        life.readiness.add("store", broken)
    http = HttpServer(ops_app(life), settings.bind_host, settings.http_port, life)
    await http.start()
    print(f"port {http.port}", flush=True)

run("kit-test", BaseServiceSettings, build)
"""


@pytest.fixture
def service(tmp_path: Path) -> Path:
    file = tmp_path / "service.py"
    file.write_text(textwrap.dedent(SERVICE))
    return file


def start(service: Path, mode: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(service), mode], env={**os.environ, "HTTP_PORT": "0", **env}, cwd=service.parent,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    word, number = process.stdout.readline().split()
    assert word == "port"
    return int(number)


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_then_finishes_work_then_closes(service: Path, number: signal.Signals) -> None:
    process = start(service, "works")
    port_of(process)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert out.split("\n")[:3] == ["drained", "work finished", "closed"]
    assert process.returncode == 0


def test_health_readiness_and_metrics_are_served(service: Path) -> None:
    process = start(service, "works")
    try:
        port = port_of(process)
        assert get(port, "/health")[0] == 200
        assert json.loads(get(port, "/ready")[1])["status"] == "ready"
        get(port, "/no/such/marker-path")
        metrics = get(port, "/metrics")[1]
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert 'http_requests_total{endpoint="/ready",method="GET",status="200"} 1.0' in metrics
    assert 'http_requests_total{endpoint="unmatched",method="GET",status="404"} 1.0' in metrics
    assert "marker-path" not in metrics
    assert "active_database_connections" in metrics


def test_a_dependency_that_fails_makes_it_unready_and_is_named(service: Path) -> None:
    process = start(service, "unready")
    try:
        status, body = get(port_of(process), "/ready")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert status == 503
    assert json.loads(body)["checks"] == {"store": "ConnectionError"}


@pytest.mark.parametrize(
    ("mode", "env", "code", "says"),
    [
        ("refuses", {}, 1, "the store is not there: start it"),
        ("explodes", {}, 1, "ValueError"),
        ("crashes", {}, 1, "background_task_failed"),
        ("works", {"ENVIRONMENT": "moon"}, 78, "development, staging, production"),
        ("works", {"HTTP_PORT": "70000"}, 78, "HTTP_PORT"),
    ],
)
def test_what_cannot_run_says_why_and_exits(
    service: Path, mode: str, env: dict[str, str], code: int, says: str
) -> None:
    process = start(service, mode, **env)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert says in err
    assert "marker-of-a-person" not in err


@pytest.mark.parametrize(("debug", "first"), [("true", "KeyError"), ("false", None)])
def test_debug_logs_the_whole_way_of_an_error(service: Path, debug: str, first: str | None) -> None:
    process = start(service, "stumbles", debug=debug)
    _, err = process.communicate(timeout=60)
    events = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    [failed] = [event for event in events if event["event"] == "start_failed"]
    assert failed.get("while_handling", {}).get("error") == first
    assert "marker-of-a-person" not in err


@pytest.mark.parametrize(("level", "shown"), [("INFO", True), ("WARNING", False)])
def test_log_level_bounds_what_is_logged(service: Path, level: str, shown: bool) -> None:
    process = start(service, "works", log_level=level)
    port_of(process)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert ('"event": "started"' in err) is shown


def test_a_taken_port_is_a_clear_error(service: Path) -> None:
    first = start(service, "works")
    try:
        second = start(service, "works", HTTP_PORT=str(port_of(first)))
        _, err = second.communicate(timeout=60)
    finally:
        first.terminate()
        first.communicate(timeout=60)
    assert second.returncode == 1
    assert "HTTP_PORT" in err


def test_a_stop_while_working_is_quick(service: Path) -> None:
    process = start(service, "works")
    port_of(process)
    begun = time.monotonic()
    process.terminate()
    process.communicate(timeout=60)
    assert time.monotonic() - begun < 10
