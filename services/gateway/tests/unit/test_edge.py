from pathlib import Path

import pytest

from fakes.gateway_door import Door


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<title>Coach</title>")
    (tmp_path / "app.js").write_text("export {};")
    return tmp_path


async def test_the_page_is_served_with_headers_that_keep_it_safe(door: Door, web: Path) -> None:
    async with door.client(web_dir=web) as client:
        page = await client.get("/")
        script = await client.get("/app.js")
        again = await client.get("/app.js", headers={"If-None-Match": script.headers["etag"]})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-cache"
    assert script.headers["content-type"].startswith("text/javascript")
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/../settings.py", "/%2e%2e/settings.py", "/..%2fsettings.py", "/nothing.js"])
async def test_only_the_pages_own_files_are_served(door: Door, web: Path, path: str) -> None:
    async with door.client(web_dir=web) as client:
        assert (await client.get(path)).status_code == 404


async def test_health_readiness_and_metrics(door: Door) -> None:
    async def away() -> None:
        raise ConnectionError

    async with door.client() as client:
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/ready")).status_code == 200
        door.life.readiness.add("channel-adapter", away)
        not_ready = await client.get("/ready")
    assert not_ready.status_code == 503
    assert not_ready.json()["checks"] == {"channel-adapter": "ConnectionError"}


@pytest.mark.parametrize(
    ("method", "path", "line"),
    [
        ("POST", "/v1/session", 'endpoint="/v1/session",method="POST",status="200"'),
        ("GET", "/v1/messages?limit=3", 'endpoint="/v1/messages",method="GET",status="401"'),
        ("GET", "/health", 'endpoint="/health",method="GET",status="200"'),
        ("GET", "/app.js", 'endpoint="/{file}",method="GET",status="200"'),
        ("GET", "/some/body/invented", 'endpoint="unmatched",method="GET",status="404"'),
        ("PROPFIND", "/another", 'endpoint="unmatched",method="OTHER",status="405"'),
    ],
)
async def test_requests_are_counted_by_template(door: Door, web: Path, method: str, path: str, line: str) -> None:
    async with door.client(web_dir=web) as client:
        await client.request(method, path)
        text = (await client.get("/metrics")).text
    assert f"http_requests_total{{{line}}}" in text
    assert "invented" not in text
    assert "PROPFIND" not in text
