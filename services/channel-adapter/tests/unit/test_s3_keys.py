"""Lent keys serve while others are asked for: none waits for a lender that hangs, and it is not asked all the time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from channel_adapter.adapters.s3 import keys as s3_keys
from channel_adapter.adapters.s3.keys import AGAIN, EARLIER, Renewed
from channel_adapter.adapters.s3.roles import Lent
from channel_adapter.app.ports import FileFault, FileStoreError

SECOND = timedelta(seconds=1)


class Lender:
    """Lends keys for an hour, numbered; with a `fault` none; it answers only while `answering`."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.asked = 0
        self.fault: FileFault | None = None
        self.answering = asyncio.Event()
        self.answering.set()

    async def __call__(self, _: aiohttp.ClientSession) -> Lent:
        self.asked += 1
        number = self.asked
        await self.answering.wait()
        if self.fault is not None:
            raise FileStoreError(self.fault)
        until = self.now + timedelta(hours=1)
        return Lent(AccessKeyId=f"ASIA-{number}", SecretAccessKey="secret", Token="token", Expiration=until)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def in_last_minutes(http: aiohttp.ClientSession) -> tuple[Lender, Renewed]:
    """Return keys that are to be renewed and still serve."""
    lender = Lender()
    keys = Renewed(lender, lambda: lender.now)
    assert (await keys(http)).key_id == "ASIA-1"
    lender.now += timedelta(hours=1) - EARLIER
    return lender, keys


async def test_one_request_renews_and_the_others_use_the_keys_in_hand(http: aiohttp.ClientSession) -> None:
    lender, keys = await in_last_minutes(http)
    lender.answering.clear()
    renewing = asyncio.create_task(keys(http))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        assert [(await keys(http)).key_id for _ in range(3)] == ["ASIA-1"] * 3
    lender.answering.set()
    assert (await renewing).key_id == "ASIA-2"
    assert (await keys(http)).key_id == "ASIA-2"
    assert lender.asked == 2


async def test_who_renews_does_not_wait_for_long(http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    lender, keys = await in_last_minutes(http)
    monkeypatch.setattr(s3_keys, "PATIENCE_SECONDS", 0.01)
    lender.answering.clear()
    async with asyncio.timeout(1):
        assert (await keys(http)).key_id == "ASIA-1"


@pytest.mark.parametrize("fault", [FileFault.UNREACHABLE, FileFault.REFUSED])
async def test_a_failure_is_remembered_for_a_while(http: aiohttp.ClientSession, fault: FileFault) -> None:
    lender, keys = await in_last_minutes(http)
    lender.fault = fault
    for asked in (2, 3):
        assert [(await keys(http)).key_id for _ in range(3)] == ["ASIA-1"] * 3
        assert lender.asked == asked
        lender.now += AGAIN - SECOND
        assert (await keys(http)).key_id == "ASIA-1"
        assert lender.asked == asked
        lender.now += SECOND
    lender.fault = None
    assert (await keys(http)).key_id == "ASIA-4"


async def test_keys_that_ended_are_not_used_and_their_lender_is_asked_each_time(http: aiohttp.ClientSession) -> None:
    lender, keys = await in_last_minutes(http)
    lender.fault = FileFault.UNREACHABLE
    lender.now += EARLIER
    for asked in (2, 3):
        with pytest.raises(FileStoreError):
            await keys(http)
        assert lender.asked == asked


async def test_keys_that_end_while_others_are_asked_for_are_not_used(http: aiohttp.ClientSession) -> None:
    lender, keys = await in_last_minutes(http)
    lender.answering.clear()
    lender.fault = FileFault.REFUSED
    renewing = asyncio.create_task(keys(http))
    await asyncio.sleep(0)
    lender.now += EARLIER
    lender.answering.set()
    with pytest.raises(FileStoreError) as failed:
        await renewing
    assert failed.value.fault is FileFault.REFUSED


async def test_the_first_keys_are_asked_for_once(http: aiohttp.ClientSession) -> None:
    lender = Lender()
    keys = Renewed(lender, lambda: lender.now)
    assert {given.key_id for given in await asyncio.gather(*[keys(http) for _ in range(4)])} == {"ASIA-1"}
    assert lender.asked == 1
