"""The helper that starts a service as a real process."""

import signal
from pathlib import Path

import pytest

from support.services import running_service, start_service


async def test_a_service_that_refuses_its_settings_is_reported_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"coaching ended with 78:(?s:.*)ENVIRONMENT"):
        async with running_service("coaching", {"ENVIRONMENT": "elsewhere"}, tmp_path):
            pass


async def test_a_service_can_be_killed_and_its_log_is_kept(tmp_path: Path) -> None:
    service = start_service("vector-search", {"ENVIRONMENT": "elsewhere"}, tmp_path)
    assert await service.stop(signal.SIGKILL) in {-signal.SIGKILL, 78}
    assert service.log_path.parent == tmp_path
    assert not await service.ready()
