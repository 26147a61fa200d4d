"""Keys that Amazon's services lend to a role; a real S3 made the keys, so that it knows whether they are used well."""

import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from channel_adapter.adapters.file_store import open_file_store
from channel_adapter.adapters.s3 import bucket as s3
from channel_adapter.adapters.s3 import roles, signature
from channel_adapter.adapters.s3.keys import KeySource, key_source
from channel_adapter.adapters.s3.signature import Keys, Request
from channel_adapter.app.ports import FileFault, FileStoreError
from channel_adapter.settings import UploadSettings
from fakes.amazon import POD_TOKEN, ROLE, SERVICE_ACCOUNT_TOKEN, FakeAmazon
from fakes.channel_ports import ORGANIZATION
from fakes.s3 import FakeS3
from kit.backoff import Backoff
from support.minio import KEY, SECRET, running_minio

WHERE = ("service account", "pod", "container", "machine")
SHA = "ab" * 32


@pytest.fixture
async def amazon() -> AsyncIterator[FakeAmazon]:
    async with FakeAmazon() as fake:
        yield fake


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def environment(where: str, url: str, folder: Path) -> dict[str, str]:
    """What Amazon sets in such a place, its addresses replaced by this machine's."""
    for name, token in (("account", SERVICE_ACCOUNT_TOKEN), ("pod", POD_TOKEN)):
        (folder / name).write_text(f"{token}\n")
    if where == "service account":
        sts = {"AWS_ENDPOINT_URL_STS": url, "AWS_ROLE_ARN": ROLE}
        return sts | {"AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "account")}
    if where == "pod":
        agent = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials"}
        return agent | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / "pod")}
    if where == "container":
        agent = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v1/credentials"}
        return agent | {"AWS_CONTAINER_AUTHORIZATION_TOKEN": POD_TOKEN}
    return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}


@pytest.fixture(params=WHERE)
def given(
    request: pytest.FixtureRequest, amazon: FakeAmazon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    monkeypatch.setattr(roles, "ECS", amazon.url)
    return environment(request.param, amazon.url, tmp_path)


def source(environ: dict[str, str]) -> KeySource:
    return key_source(environ, "us-east-1", lambda: datetime.now(UTC))


async def test_a_role_is_lent_keys_once(given: dict[str, str], amazon: FakeAmazon, http: aiohttp.ClientSession) -> None:
    keys = source(given)
    assert [await keys(http) for _ in range(3)] == [Keys("ASIA-1", "lent-secret", "lent-token")] * 3
    assert amazon.lent == 1


async def test_keys_are_asked_for_again_before_they_end(
    given: dict[str, str], amazon: FakeAmazon, http: aiohttp.ClientSession
) -> None:
    now = [amazon.until - timedelta(minutes=6)]
    keys = key_source(given, "us-east-1", lambda: now[0])
    for minutes, lent in ((6, 1), (5, 2), (4, 3)):  # this lender's keys end when they did before
        now[0] = amazon.until - timedelta(minutes=minutes)
        _ = [await keys(http) for _ in range(2)]
        assert amazon.lent == lent


async def test_keys_serve_to_their_end_where_no_others_can_be_had(
    given: dict[str, str], amazon: FakeAmazon, http: aiohttp.ClientSession
) -> None:
    now = [datetime.now(UTC)]
    keys = key_source(given, "us-east-1", lambda: now[0])
    first = await keys(http)
    amazon.away = True
    now[0] = amazon.until - timedelta(minutes=1)
    assert await keys(http) == first
    now[0] = amazon.until + timedelta(seconds=1)
    with pytest.raises(FileStoreError):
        await keys(http)


async def test_what_is_refused_is_said_so(
    given: dict[str, str], amazon: FakeAmazon, http: aiohttp.ClientSession
) -> None:
    amazon.closed = True
    with pytest.raises(FileStoreError) as failed:
        await source(given)(http)
    assert failed.value.fault is FileFault.REFUSED


STEPS = [
    "/latest/api/token", "/latest/meta-data/iam/security-credentials/",
    "/latest/meta-data/iam/security-credentials/uploads-of-machines",
]  # fmt: skip
HANGS = 0


@pytest.mark.parametrize(
    ("step", "answer", "fault"),
    [
        (STEPS[0], HANGS, FileFault.REFUSED),  # nobody is there
        *[(STEPS[0], status, FileFault.REFUSED) for status in (403, 404, 405)],
        *[(step, status, FileFault.UNREACHABLE) for step in STEPS for status in (429, 500, 503)],
        *[(step, HANGS, FileFault.UNREACHABLE) for step in STEPS[1:]],
        *[(step, 404, FileFault.REFUSED) for step in STEPS[1:]],  # a machine without a role
    ],
)
async def test_a_machine_whose_service_is_busy_is_not_one_without(
    amazon: FakeAmazon, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch,
    step: str, answer: int, fault: FileFault,
) -> None:  # fmt: skip
    monkeypatch.setattr(roles, "TIMES", aiohttp.ClientTimeout(total=1 if answer == HANGS else 5))
    amazon.failing[step] = answer
    with pytest.raises(FileStoreError) as failed:
        await source({"AWS_EC2_METADATA_SERVICE_ENDPOINT": amazon.url})(http)
    assert failed.value.fault is fault


async def test_no_keys_anywhere_is_said_so(http: aiohttp.ClientSession) -> None:
    for environ in (
        {"AWS_EC2_METADATA_DISABLED": "true"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"},
        {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/file"},
    ):
        with pytest.raises(FileStoreError) as failed:
            await source(environ)(http)
        assert failed.value.fault is FileFault.REFUSED


async def test_keys_of_the_environment_come_first(
    given: dict[str, str], amazon: FakeAmazon, http: aiohttp.ClientSession
) -> None:
    own = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "own", "AWS_SESSION_TOKEN": ""}
    assert await source(given | own)(http) == Keys("AKIA", "own")
    assert await source(given | own | {"AWS_SESSION_TOKEN": "t"})(http) == Keys("AKIA", "own", "t")
    of_echo = {"AWS_ACCESS_KEY_ID": "AKIA\n", "AWS_SECRET_ACCESS_KEY": "own\n", "AWS_SESSION_TOKEN": " t\r\n"}
    assert await source(given | of_echo)(http) == Keys("AKIA", "own", "t")
    assert amazon.lent == 0


async def test_a_lender_that_is_away_for_a_moment_is_asked_again(
    amazon: FakeAmazon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amazon.away = True
    monkeypatch.setattr(s3, "PAUSES", Backoff(first=0.001))
    async with FakeS3() as server:
        keys = source(environment("pod", amazon.url, tmp_path))
        bucket = s3.Bucket(f"{server.url}/uploads", "us-east-1", keys, lambda: datetime.now(UTC))
        with pytest.raises(FileStoreError) as failed:
            await bucket.put("a", b"content")
        amazon.away = False
        await bucket.put("a", b"content")
        await bucket.close()
    assert failed.value.fault is FileFault.UNREACHABLE
    assert server.asked[0].headers["x-amz-security-token"] == "lent-token"


# ---------------------------------------------------------------- the keys are real ones


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_minio(tmp_path_factory.mktemp("minio"), "uploads") as url:
        yield url


async def lent_by(url: str, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str, str]:
    """Ask minio for keys that end: the same signature, for its service `sts`."""
    form = "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"
    headers = {"host": url.removeprefix("http://"), "content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", "/", headers, hashlib.sha256(form.encode()).hexdigest())
    with monkeypatch.context() as patch:
        patch.setattr(signature, "SERVICE", "sts")
        sent = signature.signed(request, Keys(KEY, SECRET), "us-east-1", datetime.now(UTC))
    async with http.post(f"{url}/", data=form, headers=sent) as response:
        text = await response.text()
    found = dict(re.findall(r"<(AccessKeyId|SecretAccessKey|SessionToken)>([^<]+)<", text))
    return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


@pytest.mark.parametrize("where", WHERE)
async def test_a_role_keeps_files(
    where: str, minio: str, amazon: FakeAmazon, http: aiohttp.ClientSession, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    amazon.keys = await lent_by(minio, http, monkeypatch)
    monkeypatch.setattr(roles, "ECS", amazon.url)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(where, amazon.url, tmp_path).items():
        monkeypatch.setenv(name, value)
    settings = UploadSettings(_env_file=None, uploads_s3_bucket="uploads", uploads_s3_endpoint_url=minio)
    store = open_file_store(settings)
    await store.check()
    await store.put(ORGANIZATION, SHA, b"content")
    assert await store.get(ORGANIZATION, SHA) == b"content"
    await store.close()
    assert amazon.lent == 1
