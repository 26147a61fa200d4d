"""One platform with a scripted model and a fake Telegram, shared by the tests that need no start of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.scripted import Scripted, scripted_platform

# The first test of a module starts a platform, and a busy machine takes minutes for that.
TEST_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder longer than the others."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """Telegram calls the webhook; the streams forget duplicates after a second."""
    with scripted_platform(tmp_path_factory.mktemp("scripted")) as found:
        yield found
