"""A service that is scaled is found by its callers: gRPC keeps its connections, and would never see the new pods."""

import re
import time
from collections.abc import Callable

import pytest

from support.cluster.outside import Outside
from support.cluster.release import Release

# Long enough that what delays a change is within it: gRPC varies the age by a tenth, a name server keeps answers for
# some seconds. The connection begins with the upgrade to this age, and ends when the new pods have long been there.
AGE_SECONDS = 60
CALLS = re.compile(r"^grpc_request_duration_seconds_count\{.*VectorSearch/.*\} ([0-9.]+)$", re.MULTILINE)
HTTP = 8000


def served(release: Release) -> dict[str, float]:
    """Return how many calls each pod of vector-search has answered."""
    found = {}
    for pod in release.pods("vector-search"):
        name = pod["metadata"]["name"]
        text = release.kube.pod_text(name, HTTP, "/metrics")
        found[name] = sum(map(float, CALLS.findall(text)))
    return found


@pytest.mark.guarantee("K8S-grpc-spread")
@pytest.mark.timeout(600)
def test_three_pods_serve_within_the_connection_age(
    scripted: Release, outside: Outside, tell: Callable[[str], None]
) -> None:
    aged = scripted.with_settings(f"vectorSearch.settings.GRPC_MAX_CONNECTION_AGE_SECONDS={AGE_SECONDS}")
    aged.with_settings("vectorSearch.replicas=1").upgrade()
    outside.begin(f"http://{scripted.object('web')}.{scripted.kube.namespace}:8080")
    try:
        aged.with_settings("vectorSearch.replicas=3").upgrade()
        ready_at = time.monotonic()
        before = served(aged)
        assert len(before) == 3
        now = before
        while not all(now[name] > count for name, count in before.items()):
            assert time.monotonic() - ready_at < AGE_SECONDS, f"{before} -> {now}"
            time.sleep(1)
            now = served(aged)
        seconds = time.monotonic() - ready_at
    finally:
        ledger = outside.end()
        scripted.upgrade()
    tell(f"1 -> 3 pods: all serve {seconds:.1f} s after they are ready, connections live {AGE_SECONDS} s; {ledger}")
    assert not ledger.faults()
