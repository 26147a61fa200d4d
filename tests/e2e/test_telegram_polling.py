"""Telegram from a laptop behind NAT: long polling, files, restarts, two platforms side by side."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.platform import none_left, running_platform
from support.ports import free_port
from support.scripted import NO_LIMITS, Scripted, scripted_platform


@pytest.fixture(scope="module")
def polling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """Without PUBLIC_URL Telegram is asked for updates."""
    with scripted_platform(tmp_path_factory.mktemp("polling"), webhook=False) as found:
        yield found


async def test_a_message_is_answered_over_long_polling(polling: Scripted) -> None:
    person = polling.person()
    with polling.replying(text="Good that you wrote."):
        polling.tell(person, "Hello over there")
        assert "Good that you wrote." in " ".join(await polling.hears(person))


async def test_a_photo_is_kept_by_its_hash_and_the_coach_still_answers(polling: Scripted) -> None:
    person = polling.person()
    content = b"\x89PNG not really" * 5000
    polling.loop.call(lambda: person.send_photo(content, caption="my running shoes"))
    assert await polling.hears(person)
    name = hashlib.sha256(content).hexdigest()
    kept = [file for file in polling.platform.data.rglob(f"*{name}*") if file.is_file()]
    assert [file.read_bytes() for file in kept] == [content]


async def test_a_second_platform_runs_beside_the_first_and_dies_with_its_parent(
    polling: Scripted, tmp_path: Path
) -> None:
    with running_platform(
        tmp_path / "data",
        free_port(),
        {**NO_LIMITS, "LLM_PROVIDER": "openai_compatible", "OPENAI_BASE_URL": polling.model.url},
    ) as second:
        assert second.url != polling.url
        processes = second.processes()
        second.process.kill()
        second.process.wait(10)
        assert none_left(processes, 30) == []
    person = polling.person()
    polling.tell(person, "still there?")
    assert await polling.hears(person)
