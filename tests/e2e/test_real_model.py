"""From nothing to an answer by the real model on this machine, and back to nothing."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from platformctl.parts.postgres import PostgresPart
from support.chat import WebChat
from support.platform import Platform, none_left, platformctl, running_platform
from support.ports import free_port
from support.scripted import NO_LIMITS, Scripted

SHA256 = re.compile(r"[0-9a-f]{64}")
MODEL = ("--model", "small")
EMBEDDED = {**NO_LIMITS, "LLM_PROVIDER": "embedded"}  # an Ollama that happens to run here would be used otherwise
TURNS = """
SELECT source, model_sha256, model_provider, generated_tokens, failure_reason FROM coaching.turns ORDER BY ended_at
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform with the small embedded model, from an empty folder."""
    data = tmp_path_factory.mktemp("real") / "data"
    with running_platform(data, free_port(), EMBEDDED, *MODEL) as platform:
        yield platform


async def rows(platform: Platform, statement: str) -> list[asyncpg.Record]:
    """Read the platform's database as its owner."""
    port = platform.run_json()["ports"]["postgres.client"]
    connection = await asyncpg.connect(PostgresPart(platform.data, port).url)
    try:
        return await connection.fetch(statement)
    finally:
        await connection.close()


@pytest.mark.guarantee("E2E-real-model")
async def test_a_web_message_is_answered_by_the_real_model(real: Platform) -> None:
    assert real.lines[-1] == f"Ready: {real.url}"
    async with WebChat(real.url) as chat:
        answer = await chat.say("I want to go for a walk every morning, but I never get up in time.")
        assert answer["source"] == "model"
        assert answer["text"]
        deltas = [frame["text"] for frame in chat.frames if frame["type"] == "delta"]
        assert " ".join(deltas).split() == answer["text"].split()
    turn = (await rows(real, TURNS))[-1]
    assert (turn["source"], turn["model_provider"], turn["failure_reason"]) == ("model", "embedded", None)
    assert SHA256.fullmatch(turn["model_sha256"])
    assert turn["generated_tokens"] > 0


@pytest.mark.guarantee("P10-privacy")
async def test_what_the_real_model_reads_and_writes_is_in_no_log(real: Platform) -> None:
    marker = f"marker{uuid4().hex}"
    async with WebChat(real.url) as chat:
        answer = await chat.say(f"My secret word is {marker} and I want to keep it.")
    assert answer["source"] == "model"
    logs = {file.name: file.read_text(errors="replace") for file in (real.data / "logs").iterdir()}
    assert {"postgres.log", "nats.log", "llm-inference.log", "vector-search.log"} <= set(logs)
    assert [name for name, text in logs.items() if marker in text] == []


@pytest.mark.guarantee("E2E-chat-exit")
def test_chat_prints_the_models_answer_and_exits_0(real: Platform) -> None:
    done = platformctl("chat", "--data", str(real.data), "--message", "Hello, who are you?")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.guarantee("E2E-chat-exit")
def test_chat_exits_1_on_a_fallback(scripted: Scripted) -> None:
    with scripted.replying(failure="status"):
        done = platformctl("chat", "--url", scripted.url, "--message", "Hello?")
    assert done.returncode == 1
    assert done.stderr.strip()


def test_chat_exits_1_and_says_why_when_nothing_runs(tmp_path: Path) -> None:
    done = platformctl("chat", "--data", str(tmp_path), "--message", "Hello?")
    assert done.returncode == 1
    assert "platformctl up" in done.stderr


def test_status_and_people_tell_scripts_what_they_need(real: Platform) -> None:
    status = platformctl("status", "--data", str(real.data), "--json")
    assert status.returncode == 0, status.stdout
    assert json.loads(status.stdout)
    for command in (("db", "verify"), ("db", "migrate"), ("streams", "show"), ("streams", "apply")):
        done = platformctl(*command, "--data", str(real.data), "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)
    people = platformctl("people", "list", "--data", str(real.data), "--json")
    assert people.returncode == 0, people.stderr
    assert json.loads(people.stdout)


@pytest.mark.guarantee("E2E-clean-stop")
async def test_a_stop_leaves_no_process_and_a_new_start_has_the_conversation(tmp_path: Path) -> None:
    data = tmp_path / "data"
    port = free_port()
    with running_platform(data, port, EMBEDDED, *MODEL) as first:
        said = platformctl("chat", "--data", str(data), "--message", "My sister Ada plays the cello.")
        assert said.returncode == 0, said.stderr
        processes = first.processes()
        assert len(processes) > 8
        assert first.stop() == 0
        assert await asyncio.to_thread(none_left, processes) == []
        assert not (data / "run.json").exists()
    with running_platform(data, port, EMBEDDED, *MODEL) as second:
        again = platformctl("chat", "--data", str(data), "--message", "Do you remember my sister?")
        assert again.returncode == 0, again.stderr
        stored = await rows(second, "SELECT conversation_id, text FROM coaching.messages ORDER BY position")
    assert "My sister Ada plays the cello." in stored[0]["text"]
    assert len({row["conversation_id"] for row in stored}) == 1
