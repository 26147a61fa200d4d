"""The operators' pages beside a release that runs: commands that look, render and check; test_docs runs them all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.cluster.pages import PROMISED, reader_of
from support.cluster.place import Place
from support.cluster.release import Release


@pytest.mark.guarantee("K8S-docs")
@pytest.mark.smaller("commands that start, stop or change something are left out")
@pytest.mark.timeout(300)
def test_commands_that_only_look_can_be_run_at_any_time(
    scripted: Release, place: Place, tag: str, tmp_path: Path, tell: Callable[[str], None]
) -> None:
    reader, _ = reader_of(scripted, place, tag, tmp_path / "checkout")
    for page in sorted(PROMISED, key=lambda page: page != "install.md"):  # which writes my-values.yaml
        trouble = reader.follow(page, only_look=True)
        assert not trouble, trouble
    tell(f"{len(reader.done)} lines of commands that only look")
