"""One platform with a scripted model and a fake Telegram, shared by the tests that need no start of their own."""

from collections.abc import Iterator

import pytest

from support.scripted import Scripted, scripted_platform


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scripted]:
    """Telegram calls the webhook; the streams forget duplicates after a second."""
    with scripted_platform(tmp_path_factory.mktemp("scripted")) as found:
        yield found
