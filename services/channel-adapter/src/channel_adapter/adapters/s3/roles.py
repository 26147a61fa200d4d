"""Who lends keys to a role: Amazon's services for pods, containers and machines.

docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html; all raise FileStoreError.
"""

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

import aiohttp
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from channel_adapter.adapters.s3.signature import Keys
from channel_adapter.app.ports import FileFault, FileStoreError
from kit.proxy import environment_proxy

ECS = "http://169.254.170.2"  # of AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
EC2 = "http://169.254.169.254"
EC2_ROLES = "/latest/meta-data/iam/security-credentials/"
TIMES = aiohttp.ClientTimeout(total=5, connect=2)
STS_ANSWER = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>([^<]+)</")

Environment = Mapping[str, str]
Http = aiohttp.ClientSession


class Lent(BaseModel):
    """What each of them answers."""

    key_id: str = Field(alias="AccessKeyId", min_length=1)
    secret: str = Field(alias="SecretAccessKey", min_length=1, repr=False)
    token: str = Field(alias="Token", min_length=1, repr=False)
    until: AwareDatetime = Field(alias="Expiration")

    @property
    def keys(self) -> Keys:
        return Keys(self.key_id, self.secret, self.token)


async def of_service_account(environ: Environment, region: str, http: Http) -> Lent:
    """Amazon's Kubernetes, "IAM roles for service accounts"."""
    sts = environ.get("AWS_ENDPOINT_URL_STS") or f"https://sts.{amazon(region)}"
    form = {
        "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": environ["AWS_ROLE_ARN"],
        "RoleSessionName": environ.get("AWS_ROLE_SESSION_NAME") or "channel-adapter",
        "WebIdentityToken": await _content(environ["AWS_WEB_IDENTITY_TOKEN_FILE"]),
    }  # fmt: skip
    text = await _asked(http, Ask("POST", f"{sts.rstrip('/')}/", form=form, proxy=environment_proxy(sts)))
    try:
        return Lent.model_validate({name.removeprefix("Session"): value for name, value in STS_ANSWER.findall(text)})
    except ValidationError:
        raise FileStoreError(FileFault.REFUSED) from None


async def of_container(environ: Environment, http: Http) -> Lent:
    """ECS, and Amazon's Kubernetes with "Pod Identity"."""
    url = environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    token = environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if file := environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = await _content(file)
    headers = {"Authorization": token} if token else {}
    return _lent(
        await _asked(http, Ask("GET", url or ECS + environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"], headers))
    )


async def of_machine(environ: Environment, http: Http) -> Lent:
    """EC2, by the second version of its metadata service; the last to be asked, so that none is FileFault.REFUSED.

    There is none where nobody answers when asked for a token; from then on, what passes is FileFault.UNREACHABLE.
    """
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise FileStoreError(FileFault.REFUSED)
    url = (environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or EC2).rstrip("/")
    ask = Ask("PUT", f"{url}/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    try:
        answer = await _answered(http, ask)
    except FileStoreError:
        raise FileStoreError(FileFault.REFUSED) from None
    headers = {"X-aws-ec2-metadata-token": _good(answer)}
    role = await _asked(http, Ask("GET", url + EC2_ROLES, headers))
    return _lent(await _asked(http, Ask("GET", url + EC2_ROLES + role, headers)))


def amazon(region: str) -> str:
    """Return the end of the names of Amazon's hosts in a region."""
    return f"{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


class Ask(NamedTuple):
    """One request to such a service."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None
    proxy: str | None = None  # what has an address of this machine only is never behind one


class Answer(NamedTuple):
    """What such a service said."""

    status: int
    text: str


async def _asked(http: Http, ask: Ask) -> str:
    return _good(await _answered(http, ask))


async def _answered(http: Http, ask: Ask) -> Answer:
    try:
        async with http.request(
            ask.method,
            ask.url,
            headers=ask.headers,
            data=ask.form,
            proxy=ask.proxy,
            timeout=TIMES,
            allow_redirects=False,
        ) as response:
            return Answer(response.status, await response.text())
    except (aiohttp.ClientError, TimeoutError, ValueError):  # ValueError: an address that is none, a text that is none
        raise FileStoreError from None


def _good(answer: Answer) -> str:
    if answer.status == HTTPStatus.OK:
        return answer.text.strip()
    passing = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS
    raise FileStoreError(FileFault.UNREACHABLE if passing else FileFault.REFUSED)


def _lent(text: str) -> Lent:
    try:
        return Lent.model_validate_json(text)
    except ValidationError:
        raise FileStoreError(FileFault.REFUSED) from None


async def _content(file: str) -> str:
    """Read it each time: such a token is replaced where it lies."""
    try:
        return (await asyncio.to_thread(Path(file).read_text)).strip()
    except (OSError, ValueError):
        raise FileStoreError(FileFault.REFUSED) from None
