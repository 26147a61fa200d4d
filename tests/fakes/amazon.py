"""The three services of Amazon's that lend keys to a role, each as strict as its documentation says."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler

SERVICE_ACCOUNT_TOKEN, POD_TOKEN, ROLE = "a-token-of-the-cluster", "a-token-of-the-agent", "arn:aws:iam::1:role/uploads"
MACHINE_ROLE = "uploads-of-machines"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


class FakeAmazon:
    """One server for all; `lent` counts, the keys end at `until`, nobody is lent any while it is `away` or `closed`.

    A path in `failing` is answered with that status, never where it is 0.
    """

    def __init__(self, key_id: str = "ASIA-1", secret: str = "lent-secret", token: str = "lent-token") -> None:
        self.keys = (key_id, secret, token)
        self.until = datetime.now(UTC) + timedelta(hours=1)
        self.lent = 0
        self.closed = self.away = False
        self.failing: dict[str, int] = {}
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._failing])
        app.add_routes(
            [
                web.post("/", self._sts),
                web.get("/v1/credentials", self._container),
                web.put("/latest/api/token", self._machine_token),
                web.get("/latest/meta-data/iam/security-credentials/", self._machine_role),
                web.get(f"/latest/meta-data/iam/security-credentials/{MACHINE_ROLE}", self._machine),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _failing(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        status = self.failing.get(request.path, 200)
        if status == 0:
            await asyncio.Event().wait()
        return await handler(request) if status == 200 else web.Response(status=status)

    async def _sts(self, request: web.Request) -> web.Response:
        form = await request.post()
        self._require(
            (form["Action"], form["Version"]) == ("AssumeRoleWithWebIdentity", "2011-06-15")
            and (form["WebIdentityToken"], form["RoleArn"]) == (SERVICE_ACCOUNT_TOKEN, ROLE)
            and bool(form["RoleSessionName"])
        )
        key_id, secret, token = self._lend()
        return web.Response(
            content_type="text/xml",
            text=f"""<AssumeRoleWithWebIdentityResponse xmlns="{NAMESPACE}"><AssumeRoleWithWebIdentityResult>
  <AssumedRoleUser><Arn>{ROLE}/x</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
  <Credentials><SessionToken>{token}</SessionToken><SecretAccessKey>{secret}</SecretAccessKey>
    <Expiration>{self.until:%Y-%m-%dT%H:%M:%SZ}</Expiration><AccessKeyId>{key_id}</AccessKeyId></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>""",
        )

    async def _container(self, request: web.Request) -> web.Response:
        self._require(request.headers.get("Authorization") == POD_TOKEN)
        return self._json()

    async def _machine_token(self, request: web.Request) -> web.Response:
        self._require(1 <= int(request.headers["X-aws-ec2-metadata-token-ttl-seconds"]) <= 21600)
        return web.Response(text="a-token-of-the-machine")

    async def _machine_role(self, request: web.Request) -> web.Response:
        self._require(request.headers.get("X-aws-ec2-metadata-token") == "a-token-of-the-machine")
        return web.Response(text=MACHINE_ROLE)

    async def _machine(self, request: web.Request) -> web.Response:
        self._require(request.headers.get("X-aws-ec2-metadata-token") == "a-token-of-the-machine")
        return self._json()

    def _json(self) -> web.Response:
        key_id, secret, token = self._lend()
        until = f"{self.until:%Y-%m-%dT%H:%M:%SZ}"
        lent = {"AccessKeyId": key_id, "SecretAccessKey": secret, "Token": token, "Expiration": until}
        return web.json_response({"Code": "Success", "Type": "AWS-HMAC", **lent})

    def _lend(self) -> tuple[str, str, str]:
        self.lent += 1
        return self.keys

    def _require(self, right: bool) -> None:
        if self.away:
            raise web.HTTPServiceUnavailable
        if self.closed or not right:
            raise web.HTTPForbidden
