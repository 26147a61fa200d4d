"""Lines and bars on something that is not a terminal."""

import asyncio
import io

import pytest

from platformctl.console import Console


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_a_bar_without_a_terminal_is_a_line_every_few_percent(out: io.StringIO) -> None:
    with Console(out).bar("downloading x", 100_000_000) as bar:
        for megabyte in range(101):
            bar.at(megabyte * 1_000_000)
    lines = out.getvalue().splitlines()
    assert lines[0] == "  downloading x: 0 % (0 of 100 MB)"
    assert lines[1] == "  downloading x: 5 % (5 of 100 MB)"
    assert lines[-1] == "  downloading x: 100 % (100 of 100 MB)"
    assert len(lines) == 21


def test_a_bar_that_stands_still_says_so_now_and_then(out: io.StringIO) -> None:
    with Console(out, silence_seconds=0).bar("downloading x", 100) as bar:
        bar.at(1)
        bar.at(1)
    assert len(out.getvalue().splitlines()) == 2


async def test_long_work_is_never_silent(out: io.StringIO) -> None:
    async with Console(out, silence_seconds=0.01).working("loading"):
        async with asyncio.timeout(30):
            while len(said := out.getvalue().splitlines()) < 2:  # noqa: ASYNC110  # a text has no event
                await asyncio.sleep(0.01)
    assert said[0].startswith("  still loading")


async def test_short_work_says_nothing(out: io.StringIO) -> None:
    async with Console(out).working("loading"):
        await asyncio.sleep(0)
    assert out.getvalue() == ""


def test_a_reader_that_went_away_does_not_stop_the_work(out: io.StringIO) -> None:
    console = Console(out)
    out.close()
    console.line("nobody reads this")
