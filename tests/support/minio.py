"""A real S3 server: `minio`, where it is on PATH or among the programs of the cluster tool."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.ports import free_port

KEY, SECRET = "a-key-of-tests", "a-secret-of-tests"
START_SECONDS = 60


def program() -> str:
    """Return where the program is; skips the test where there is none."""
    home = os.environ.get("CLUSTER_HOME", str(Path("~/.cache/coaching-cluster").expanduser()))
    found = shutil.which("minio") or shutil.which("minio", path=f"{home}/bin")
    return found or pytest.skip("there is no `minio` on PATH: install it, or run `cluster up` of the shared tools")


@contextmanager
def running_minio(folder: Path, *buckets: str) -> Iterator[str]:
    """Run a server that has these buckets, and give its URL; its credentials are KEY and SECRET."""
    minio = program()
    for bucket in buckets:
        (folder / "data" / bucket).mkdir(parents=True)
    address, console = (f"127.0.0.1:{free_port()}" for _ in range(2))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MINIO_ROOT_USER": KEY,
        "MINIO_ROOT_PASSWORD": SECRET,
    }
    with (folder / "minio.log").open("wb") as output:
        server = subprocess.Popen(
            [minio, "server", "--quiet", "--address", address, "--console-address", console, str(folder / "data")],
            env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        _await_ready(f"http://{address}", server)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(30)


def _await_ready(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            if httpx.get(f"{url}/minio/health/ready", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("minio did not start")
