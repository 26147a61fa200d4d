"""What is done to a running release while people write: each thing with the time at which it began."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.cluster.outside import PER_SECOND, Outside
from support.cluster.place import Place
from support.cluster.programs import Kube, run
from support.cluster.release import Release
from support.ledger import Ledger

READY_SECONDS = 240
NOT_READY_SECONDS = 60.0
# What this release writes and the one before does not know.
WRITTEN = "SELECT count(*) FROM coaching.turns WHERE message_count IS NOT NULL"
WRITTEN_SECONDS = 30.0


@dataclass(slots=True)
class Log:
    """What was done, and how many seconds after the first message it began."""

    begun: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)

    def step(self, what: str, work: Callable[[], object]) -> None:
        """Do something and note when it began and how long it took."""
        at = time.monotonic()
        work()
        self.lines.append(f"{at - self.begun:.0f} s: {what} ({time.monotonic() - at:.0f} s)")

    def seconds(self) -> float:
        """Return for how long it has gone on."""
        return time.monotonic() - self.begun

    def __str__(self) -> str:
        return "; ".join(self.lines)


def kept(ledger: Ledger, seconds: float) -> bool:
    """Return whether nothing was lost; fails with what was, or when hardly anybody wrote in that time."""
    assert ledger.written >= 0.9 * PER_SECOND * seconds, f"only {ledger.written} messages in {seconds:.0f} s"
    assert not ledger.faults()
    return True


@contextmanager
def people_writing(outside: Outside, release: Release, tell: Callable[[str], None]) -> Iterator[Log]:
    """Let people write to a release during the block; tell what became of it, and fail if anything was lost."""
    outside.begin(f"http://{release.object('web')}.{release.kube.namespace}:8080")
    log = Log()
    try:
        yield log
    finally:
        seconds = log.seconds()
        ledger = outside.end()
        tell(f"{ledger}\n  {log}")
    assert kept(ledger, seconds)


def written_by_this_release(release: Release) -> int:
    """Return how many rows hold what this release writes and the one before does not know; waits for a first one."""
    pod, end = f"{release.object('postgresql')}-0", time.monotonic() + WRITTEN_SECONDS
    while True:
        rows = int(release.kube("exec", pod, "--", "psql", "-h", "127.0.0.1", "-qtAc", WRITTEN))
        if rows or time.monotonic() > end:
            return rows
        time.sleep(1)


def delete_each_pod(release: Release, log: Log) -> None:
    """Delete one pod after the other, each when all is well again."""
    for name in sorted(release.pod_uids()):
        if name in release.pod_uids():  # not replaced meanwhile

            def replaced(pod: str = name) -> None:
                # Waits until it is gone: while it still stops, a StatefulSet counts it as ready.
                release.kube("delete", "pod", pod, "--wait", f"--timeout={READY_SECONDS}s", seconds=READY_SECONDS + 30)
                time.sleep(2)  # until its workload knows
                release.wait_ready(READY_SECONDS)

            log.step(f"deleted {name.removeprefix(f'{release.name}-')}", replaced)


def restart(release: Release, workload: str) -> None:
    """Restart all pods of a workload in turn."""
    release.kube("rollout", "restart", workload)
    release.kube.rolled_out(workload, READY_SECONDS)


def nodes_of(release: Release, component: str) -> list[str]:
    """Return the node of each pod of a component."""
    return [pod["spec"]["nodeName"] for pod in release.pods(component)]


def drain(node: str) -> None:
    """Move everything off a node, as for maintenance."""
    words = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={READY_SECONDS}s")
    run("kubectl", "drain", node, *words, seconds=READY_SECONDS + 30)


def ready(node: str) -> bool:
    """Return whether a node says that it is ready."""
    conditions = Kube("default").get(f"node/{node}")["status"]["conditions"]
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def lose(place: Place, node: str, seconds: float) -> None:
    """Stop a node as a lost machine, for so long after Kubernetes has noticed; then bring it back."""
    _node(place, "stop", node)
    end = time.monotonic() + NOT_READY_SECONDS
    while ready(node):
        assert time.monotonic() < end, f"{node} is still ready"
        time.sleep(1)
    time.sleep(seconds)
    _node(place, "start", node)
    end = time.monotonic() + NOT_READY_SECONDS
    while not ready(node):
        assert time.monotonic() < end, f"{node} does not come back"
        time.sleep(1)


def _node(place: Place, action: str, node: str) -> None:
    assert place.tool is not None
    run(str(place.tool), "node", action, node)
