"""What is tried again, what is not, and what somebody has to change, said by a server that answers as it is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from channel_adapter.adapters.s3 import bucket as s3
from channel_adapter.adapters.s3.bucket import Bucket
from channel_adapter.adapters.s3.keys import Given
from channel_adapter.adapters.s3.signature import Keys
from channel_adapter.app.ports import FileFault, FileStoreError
from fakes.s3 import FakeS3
from kit.backoff import Backoff


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAUSES", Backoff(first=0.001))


@pytest.fixture
async def server() -> AsyncIterator[FakeS3]:
    async with FakeS3() as fake:
        yield fake


@pytest.fixture
async def bucket(server: FakeS3) -> AsyncIterator[Bucket]:
    opened = Bucket(f"{server.url}/uploads", "us-east-1", Given(Keys("key", "secret")), lambda: datetime.now(UTC))
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "failure",
    [
        (500, "InternalError"),
        (503, "SlowDown"),
        (502, ""),
        (429, ""),
        (409, "OperationAborted"),
        (400, "RequestTimeout"),
    ],
)
async def test_what_passes_is_tried_again(bucket: Bucket, server: FakeS3, failure: tuple[int, str]) -> None:
    server.failures.extend([failure] * (s3.TRIES - 1))
    await bucket.put("a", b"content")
    assert server.objects == {"uploads/a": b"content"}
    assert len(server.asked) == s3.TRIES


@pytest.mark.parametrize("failure", [(500, "InternalError"), (503, "SlowDown")])
async def test_it_is_tried_a_few_times_only(bucket: Bucket, server: FakeS3, failure: tuple[int, str]) -> None:
    server.failures.extend([failure] * (s3.TRIES + 1))
    with pytest.raises(FileStoreError) as failed:
        await bucket.get("a")
    assert failed.value.fault is FileFault.UNREACHABLE
    assert len(server.asked) == s3.TRIES


async def test_nothing_is_tried_when_patience_has_ended(
    bucket: Bucket, server: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "PATIENCE_SECONDS", 0.0)
    server.failures.append((500, ""))
    with pytest.raises(FileStoreError):
        await bucket.get("a")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("failure", "fault"),
    [
        ((403, "AccessDenied"), FileFault.REFUSED),
        ((403, "SignatureDoesNotMatch"), FileFault.REFUSED),
        ((403, "RequestTimeTooSkewed"), FileFault.REFUSED),
        ((400, "AuthorizationHeaderMalformed"), FileFault.REFUSED),  # another region
        ((301, "PermanentRedirect"), FileFault.REFUSED),  # another region
        ((404, "NoSuchBucket"), FileFault.BUCKET),
        ((400, "InvalidBucketName"), FileFault.BUCKET),
    ],
)
async def test_what_somebody_has_to_change_is_said_at_once(
    bucket: Bucket, server: FakeS3, failure: tuple[int, str], fault: FileFault
) -> None:
    for call in (bucket.put("a", b""), bucket.get("a"), bucket.delete("a")):
        server.failures.append(failure)
        with pytest.raises(FileStoreError) as failed:
            await call
        assert failed.value.fault is fault
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("host", "keys", "region"),
    [
        (None, Keys("key\n", "secret"), "us-east-1"),
        (None, Keys("key", "secret", "token\n"), "us-east-1"),
        (None, Keys("key", "secret"), "us-east-1\n"),
        ("me:pw@127.0.0.1", Keys("key", "secret"), "us-east-1"),
    ],
)
async def test_settings_that_no_request_can_hold_are_refused_without_a_word_of_them(
    server: FakeS3, host: str | None, keys: Keys, region: str
) -> None:
    url = f"http://{host}:9" if host else server.url
    bucket = Bucket(f"{url}/uploads", region, Given(keys), lambda: datetime.now(UTC))
    with pytest.raises(FileStoreError, match=r"^refused$") as failed:
        await bucket.put("a", b"content")
    await bucket.close()
    assert failed.value.fault is FileFault.REFUSED
    assert server.asked == []


async def test_an_address_where_no_s3_is_stores_nothing(bucket: Bucket, server: FakeS3) -> None:
    server.failures.append((404, ""))
    with pytest.raises(FileStoreError):
        await bucket.put("a", b"content")


async def test_a_path_is_sent_as_it_is_signed(bucket: Bucket, server: FakeS3) -> None:
    await bucket.put("a b/ü+$", b"content")
    assert await bucket.get("a b/ü+$") == b"content"
    assert server.objects == {"uploads/a b/ü+$": b"content"}


async def test_a_request_says_its_length_and_host_and_nothing_of_the_secret(bucket: Bucket, server: FakeS3) -> None:
    await bucket.put("a", b"")
    headers = server.asked[0].headers
    assert (headers["content-length"], headers["host"]) == ("0", server.url.removeprefix("http://"))
    assert "secret" not in str(dict(headers))
