"""The process and a real S3: what it says at the start, and a file that a person sends."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest

from channel_adapter.adapters.file_store import open_file_store
from channel_adapter.settings import UploadSettings
from contracts.events.v1 import events_pb2
from fakes.channel_coaching import FakeCoaching
from fakes.channel_ports import ORGANIZATION
from fakes.telegram import TOKEN, FakeTelegram
from support.database import TestDatabase
from support.minio import KEY, SECRET, running_minio
from support.services import running_service, start_service


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_minio(tmp_path_factory.mktemp("minio"), "uploads") as url:
        yield url


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
def environment(minio: str, nats_url: str, database: TestDatabase, telegram: FakeTelegram) -> dict[str, str]:
    return {
        "NATS_URL": nats_url, "DATABASE_URL": database.channels_url, "COACHING_ADDRESS": "127.0.0.1:1",
        "TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "TELEGRAM_POLL_SECONDS": "1",
        "UPLOADS_S3_BUCKET": "uploads", "UPLOADS_S3_ENDPOINT_URL": minio,
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "",
    }  # fmt: skip


async def test_a_photo_is_kept_in_the_bucket(
    environment: dict[str, str], telegram: FakeTelegram, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"\xff\xd8 a photo" * 100
    async with FakeCoaching() as coaching:  # type: ignore[abstract]  # the adapter makes no other calls
        of_echo = {"AWS_ACCESS_KEY_ID": f"{KEY}\n", "AWS_SECRET_ACCESS_KEY": f"{SECRET}\n"}  # as Secrets often are
        given = environment | of_echo | {"COACHING_ADDRESS": coaching.address}
        async with running_service("channel-adapter", given, tmp_path):
            telegram.person().send_photo(content, "my breakfast")
            event = await first_inbound(nats_url)
    (photo,) = event.text.files
    assert photo.sha256 == hashlib.sha256(content).hexdigest()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = open_file_store(UploadSettings(_env_file=None))
    assert await store.get(ORGANIZATION, photo.sha256) == content
    await store.close()


async def first_inbound(nats_url: str) -> events_pb2.InboundEvent:
    client = await nats.connect(nats_url)
    js = client.jetstream()
    async with asyncio.timeout(60):
        while not (await js.stream_info("INBOUND")).state.messages:  # noqa: ASYNC110  # the stream's own count
            await asyncio.sleep(0.02)
    stored = await js.get_msg("INBOUND", 1)
    await client.close()
    return events_pb2.InboundEvent.FromString(stored.data or b"")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"UPLOADS_S3_BUCKET": "no-such"}, "there is no bucket no-such at http://127.0.0.1"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong-4711"}, "refuses to store: check AWS_ACCESS_KEY_ID"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true"}, "refuses to store: check AWS_ACCESS_KEY_ID"),
        ({"UPLOADS_S3_ENDPOINT_URL": "minio:9000"}, "UPLOADS_S3_ENDPOINT_URL must be http://host:port"),
        ({"UPLOADS_S3_ENDPOINT_URL": "http://me:pw-4711@127.0.0.1:9"}, "https://host:port, without a user or"),
        ({"AWS_REGION": "us-east-1\n"}, "refuses to store: check AWS_ACCESS_KEY_ID"),
        ({"UPLOADS_S3_BUCKET": "", "UPLOADS_DIR": "/proc/uploads"}, "the folder /proc/uploads cannot be written"),
    ],
)
async def test_what_is_wrong_is_said_at_the_start(
    environment: dict[str, str], tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    service = start_service("channel-adapter", environment | wrong, tmp_path)
    try:
        assert await asyncio.to_thread(service.process.wait, 60) == 1
    finally:
        service.process.kill()
    assert said in service.log()
    assert "4711" not in service.log()


async def test_an_s3_that_is_away_costs_the_files_and_not_the_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {"UPLOADS_S3_ENDPOINT_URL": "http://127.0.0.1:9"}
    async with running_service("channel-adapter", environment, tmp_path) as service:
        assert "file_store_unreachable" in service.log()
