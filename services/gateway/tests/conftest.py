"""What the gateway's tests share."""

from datetime import UTC, datetime

import pytest

from fakes.gateway_door import Door
from kit.clock import FixedClock


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def fixed_clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
