"""What several tests of llm-inference need."""

from pathlib import Path

import pytest

from support.models import small_model


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The real small model."""
    return small_model()
