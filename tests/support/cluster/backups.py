"""What lies on a release's claim for backups, read by a short pod: the job that wrote there is over."""

import json
from dataclasses import dataclass

from support.cluster.outside import SECURITY
from support.cluster.programs import Object
from support.cluster.release import Release

NAME = "look-at-backups"
FOLDER = "/backups"
# For each file: its size and digest; of a manifest also what it says.
SCRIPT = """
import hashlib, json, pathlib

def told(path):
    data = path.read_bytes()
    said = json.loads(data) if path.suffix == ".json" else {}
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(), "said": said}

print(json.dumps({path.name: told(path) for path in pathlib.Path("/backups").iterdir() if path.is_file()}))
"""


@dataclass(frozen=True, slots=True)
class Dump:
    """A dump that its manifest describes to the byte; `tables`: the rows of each."""

    revision: str
    bytes: int
    tables: dict[str, int]


def verified(release: Release, image: str) -> list[Dump]:
    """Return every backup, oldest first; fails on any other file, and on a dump that is not as its manifest says."""
    files: dict[str, Object] = json.loads(_listed(release, image))
    manifests = sorted(name for name in files if name.endswith(".json"))
    assert set(files) == {*manifests, *(name.replace(".json", ".dump") for name in manifests)}
    found = []
    for name in manifests:
        said = files[name]["said"]
        dump = files[said["dump"]]
        assert (dump["bytes"], dump["sha256"]) == (said["bytes"], said["sha256"]), said["dump"]
        tables = {table: int(held["rows"]) for table, held in said["tables"].items()}
        found.append(Dump(str(said["revision"]), int(said["bytes"]), tables))
    return found


def _listed(release: Release, image: str) -> str:
    kube = release.kube
    kube("delete", "pod", NAME, "--ignore-not-found", "--wait", "--timeout=60s")
    kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": NAME}, "spec": _pod(release, image)})
    try:
        kube("wait", f"pod/{NAME}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=90s")
        return kube("logs", NAME)
    finally:
        kube("delete", "pod", NAME, "--ignore-not-found", "--wait", "--timeout=60s")


def _pod(release: Release, image: str) -> Object:
    container = {
        "name": "look",
        "image": image,
        "command": ["python", "-c", SCRIPT],
        "resources": {"requests": {"cpu": "1m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": SECURITY,
        "volumeMounts": [{"name": "backups", "mountPath": FOLDER, "readOnly": True}],
    }
    return {
        "restartPolicy": "Never",
        "containers": [container],
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001, "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumes": [{"name": "backups", "persistentVolumeClaim": {"claimName": release.object("backups")}}],
    }  # fmt: skip
