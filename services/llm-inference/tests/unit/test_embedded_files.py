"""What the embedded engine keeps on disk, and which slot serves whom."""

import json
import os
import time
from pathlib import Path

import pytest

from llm_inference.providers.embedded.engine import cores_for, usable_cores
from llm_inference.providers.embedded.grammar import compact_grammar
from llm_inference.providers.embedded.slots import Slots
from llm_inference.providers.embedded.states import States
from llm_inference.providers.embedded.weights import sha256_of


def kept(states: States, key: str, size: int, age_seconds: float = 0) -> str:
    stem = states.stem("person", key)
    (states.folder / "0.part").write_bytes(b"x" * size)
    states.keep("0.part", stem)
    (path,) = states.folder.glob(f"{stem}*")
    stamp = time.time() - age_seconds
    os.utime(path, (stamp, stamp))
    return stem


@pytest.fixture
def states(tmp_path: Path) -> States:
    made = States(tmp_path / "slots", "model 1", max_bytes=100, max_days=2)
    made.open()
    return made


def test_only_this_user_may_read_the_folder(states: States) -> None:
    assert states.folder.stat().st_mode & 0o777 == 0o700


def test_a_name_tells_nothing_and_differs_by_model_kind_and_key(states: States) -> None:
    other = States(states.folder, "model 2", 100, 2)
    names = {states.stem("person", "MARKER"), states.stem("system", "MARKER"), other.stem("person", "MARKER")}
    assert len(names) == 3
    assert not any("MARKER" in name for name in names)


def test_what_is_kept_is_found_again(states: States) -> None:
    name = kept(states, "a", 10)
    assert states.find(name)
    assert not states.find(states.stem("person", "b"))


def test_the_least_recently_used_goes_first(states: States) -> None:
    old, older = kept(states, "old", 40, 100), kept(states, "older", 40, 200)
    assert states.find(older)
    new = kept(states, "new", 40)
    assert [states.find(name) is not None for name in (old, older, new)] == [False, True, True]


def test_what_nobody_returned_to_is_dropped_at_the_start(states: States) -> None:
    name = kept(states, "a", 10, age_seconds=3 * 86_400)
    (states.folder / "1.part").write_bytes(b"half written")
    states.open()
    assert not states.find(name)
    assert list(states.folder.iterdir()) == []


def test_what_is_written_again_takes_the_place_of_the_last(states: States) -> None:
    first, second = kept(states, "a", 10), kept(states, "a", 20)
    assert first == second
    (path,) = states.folder.iterdir()
    assert path.stat().st_size == 20


def test_a_damaged_file_is_not_given_to_the_engine(states: States) -> None:
    name = kept(states, "a", 10)
    (path,) = states.folder.iterdir()
    path.write_bytes(b"x" * 9)
    assert states.find(name) is None
    assert list(states.folder.iterdir()) == []


def test_a_dropped_state_is_gone(states: States) -> None:
    name = kept(states, "a", 10)
    states.drop(name)
    states.drop(name)
    assert not states.find(name)


def test_the_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"one")
    first = sha256_of(model)
    note = tmp_path / "m.gguf.sha256.json"
    note.write_text(json.dumps(json.loads(note.read_text()) | {"sha256": "remembered"}))
    assert sha256_of(model) == "remembered"
    model.write_bytes(b"other")
    assert sha256_of(model) not in ("remembered", first)
    note.write_text("nonsense")
    assert len(sha256_of(model)) == 64


async def test_a_returning_person_gets_the_slot_that_remembers_them() -> None:
    slots = Slots(3)
    first = await slots.acquire("a")
    first.holds = "a"
    second = await slots.acquire("b")
    slots.release(first)
    slots.release(second)
    assert await slots.acquire("a") is first
    assert await slots.acquire("c") is not second  # one was never used


async def test_a_stranger_gets_the_slot_unused_for_longest() -> None:
    slots = Slots(2)
    first, second = await slots.acquire("a"), await slots.acquire("b")
    slots.release(second)
    slots.release(first)
    assert await slots.acquire("") is second


def test_one_core_is_left_to_the_services() -> None:
    assert cores_for(0) == max(1, usable_cores() - 1)
    assert cores_for(3) == 3


def test_json_is_written_without_idle_spaces() -> None:
    assert compact_grammar({"type": "integer"}).startswith('%llguidance {}\nstart: %json {"type": "integer", "x-gui')
