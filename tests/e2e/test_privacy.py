"""What a person tells the coach appears in no log, metric or span, whatever goes wrong."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from support.chat import WebChat
from support.scripted import BOT_TOKEN, WEBHOOK_SECRET, Scripted, scripted_platform

STEPS = (
    "opt_out", "identify", "consent", "screen_for_crisis", "why_written", "handed_over", "load_context", "recall",
    "plan", "generate", "check_reply", "record",
)  # fmt: skip


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scripted, Path]]:
    """A platform at LOG_LEVEL=DEBUG each of whose steps fails once for every file that a test puts into a folder."""
    folder = tmp_path_factory.mktemp("failing")
    points = ",".join(f"step_{step}!@{folder / step}" for step in STEPS)
    with scripted_platform(folder, LOG_LEVEL="DEBUG", FAULT_POINTS=points, TURNS_PER_MINUTE="1000") as found:
        yield found, folder


async def metrics_of_all(scripted: Scripted) -> str:
    pages = []
    async with httpx.AsyncClient(timeout=30) as client:
        for port in (value for name, value in scripted.platform.run_json()["ports"].items() if is_http(name)):
            answer = await client.get(f"http://127.0.0.1:{port}/metrics")
            pages.append(answer.text)
    return "\n".join(pages)


def is_http(name: str) -> bool:
    return name.endswith("http")


def logs_of(data: Path) -> dict[str, str]:
    return {file.name: file.read_text(errors="replace") for file in (data / "logs").rglob("*") if file.is_file()}


@pytest.mark.guarantee("P10-privacy")
async def test_a_marker_appears_nowhere_with_a_failure_forced_in_every_step(failing: tuple[Scripted, Path]) -> None:
    scripted, folder = failing
    marker = f"marker{uuid4().hex}"
    with scripted.replying(text=f"You said {marker}. What next?"):
        async with WebChat(scripted.url) as chat:
            await chat.say(f"{marker} hello")
            for step in STEPS:
                (folder / step).touch()
                await chat.say(f"{marker} and now {step}", seconds=90)
                assert not (folder / step).exists(), f"the step {step} was never reached"
        person = scripted.person()
        scripted.tell(person, f"{marker} from Telegram")
        await scripted.hears(person)
    with scripted.replying(failure="status"):
        async with WebChat(scripted.url) as chat:
            assert (await chat.say(f"{marker} to a model that fails"))["source"] == "template"
    await refused_bodies(scripted, marker)
    await asyncio.sleep(3)  # spans leave in batches of a second

    private = [marker, str(person.chat_id), BOT_TOKEN.partition(":")[2], WEBHOOK_SECRET, chat.token]
    logs = logs_of(scripted.platform.data)
    assert {"postgres.log", "nats.log", "coaching.log", "llm-inference.log"} <= set(logs)
    logs["platformctl"] = "\n".join(scripted.platform.lines)
    for name, text in logs.items():
        for secret in private:
            assert secret not in text, f"{name}: {around(text, secret)}"
    metrics = await metrics_of_all(scripted)
    assert "ai_response_duration_seconds_count" in metrics
    spans = b"\n".join(scripted.spans.raw)
    assert spans
    for secret in private:
        assert secret not in metrics, around(metrics, secret)
        assert secret.encode() not in spans, around(spans.decode(errors="replace"), secret)


async def refused_bodies(scripted: Scripted, marker: str) -> None:
    async with httpx.AsyncClient(base_url=scripted.url, timeout=30) as client:
        for body in (f'{{"{marker}', f'{{"update_id": 1, "message": {{"text": "{marker}"}}}}', marker * 100_000):
            await client.post("/webhooks/telegram/4242", content=body)
            await client.post(f"/webhooks/{marker}/4242", content=body)
        await client.get(f"/v1/{marker}?q={marker}", headers={"Authorization": f"Bearer {marker}"})


@pytest.mark.guarantee("P10-privacy")
async def test_a_trace_crosses_every_service(failing: tuple[Scripted, Path]) -> None:
    scripted, _ = failing
    async with WebChat(scripted.url) as chat:
        await chat.say("follow me through the house")
    await asyncio.sleep(3)
    widest = max(scripted.spans.traces.values(), key=len)
    assert {"gateway", "channel-adapter", "coaching", "llm-inference"} <= widest


def around(text: str, secret: str) -> str:
    place = text.index(secret)
    return re.sub(r"\s+", " ", text[max(0, place - 200) : place + 60]).replace(secret, "<SECRET>")
