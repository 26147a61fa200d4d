"""The proxy that the environment names."""

import pytest

from kit.proxy import environment_proxy


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://s3.example.org", None),
        ({"https_proxy": "http://proxy:3128"}, "https://s3.example.org/bucket", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "http://minio:9000", None),
        ({"http_proxy": "http://proxy:3128"}, "http://model:1/v1", "http://proxy:3128"),
        ({"https_proxy": "http://me:a%40b@proxy:3128"}, "https://model/v1", "http://me:a%40b@proxy:3128"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "minio"}, "http://minio:9000", None),
    ],
)
def test_the_environment_names_the_proxy(
    environment: dict[str, str], url: str, proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_proxy(url) == proxy
