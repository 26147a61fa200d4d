"""Pods that look like a component to NetworkPolicies, and try to reach everybody, name servers over UDP too."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from support.cluster.outside import SECURITY
from support.cluster.programs import Kube, Object

LABEL = "tests/probe"
# Prints which of the addresses took a connection, or answered as a name server, which is asked twice: UDP may lose one.
# What a policy refuses mostly gets no answer at all.
SCRIPT = """
import asyncio, json, socket, sys

NAME = b"".join(bytes([len(word)]) + word.encode() for word in "kubernetes.default.svc.cluster.local".split("."))
QUESTION = bytes.fromhex("c0ac01000001000000000000") + NAME + bytes.fromhex("0000010001")

def answers(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(2)
        asking.connect((host, port))
        for _ in range(2):
            try:
                asking.send(QUESTION)
                return asking.recv(512)[:2] == QUESTION[:2]
            except OSError:
                pass
    return False

async def reaches(host, port, kind):
    if kind == "udp":
        return await asyncio.to_thread(answers, host, port)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 4)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True

async def main(targets):
    found = await asyncio.gather(*(reaches(*address) for address in targets.values()))
    print(json.dumps(dict(zip(targets, found))))

asyncio.run(main(json.loads(sys.argv[1])))
"""
Address = tuple[str, int, Literal["tcp", "udp"]]


@dataclass(frozen=True, slots=True)
class Probe:
    """A running pod. It never becomes ready: Services leave it out; behind a headless one it refuses, as any start."""

    kube: Kube
    name: str

    def reached(self, targets: Mapping[str, Address]) -> set[str]:
        """Return the names of the addresses that took a connection or, over UDP, answered."""
        said = self.kube("exec", self.name, "--", "python", "-c", SCRIPT, json.dumps(targets))
        found: dict[str, bool] = json.loads(said)
        return {name for name, reached in found.items() if reached}


def _pod(name: str, image: str, labels: Mapping[str, str], account: str) -> Object:
    container = {
        "name": "probe",
        "image": image,
        "command": ["python", "-c", "import signal; signal.sigwait([signal.SIGTERM])"],
        "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": SECURITY,
    }
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {**labels, LABEL: "yes"}},
        "spec": {
            "containers": [container],
            "serviceAccountName": account,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "readinessGates": [{"conditionType": "tests/never"}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    }  # fmt: skip


@contextmanager
def probes(kube: Kube, image: str, wanted: Mapping[str, tuple[Mapping[str, str], str]]) -> Iterator[dict[str, Probe]]:
    """Run one pod for each name, with its labels and service account; remove them at the end."""
    selector = f"{LABEL}=yes"
    kube.apply(*(_pod(f"probe-{name}", image, labels, account) for name, (labels, account) in wanted.items()))
    try:
        kube("wait", "pods", f"--selector={selector}", "--for=jsonpath={.status.phase}=Running", "--timeout=120s")
        yield {name: Probe(kube, f"probe-{name}") for name in wanted}
    finally:
        kube("delete", "pods", f"--selector={selector}", "--wait", "--timeout=60s")
