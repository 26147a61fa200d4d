"""Stores beside a release, as production has them: those of the chart itself, alone in a namespace of their own."""

import json
from dataclasses import dataclass
from pathlib import Path

from support.cluster.broken import SERVICES
from support.cluster.programs import Kube, Object
from support.cluster.release import LAPTOP, RESTRICTED, Release

NAME = "stores"
SECRET = "given"  # the platform's passwords in the namespace of the release that uses them
CLAIM_SIZE = "1Gi"


@dataclass(frozen=True, slots=True)
class Stores:
    """A release of nothing but PostgreSQL, NATS, Redis and Chroma; anybody may ask them."""

    release: Release

    @classmethod
    def beside(cls, preset: Release) -> "Stores":
        """Return them, not yet installed, in a namespace named after the preset's."""
        # No claim that nobody mounts: it would not be bound, and Helm would wait for it.
        values = [
            "networkPolicies.enabled=false", "migrations.enabled=false", "uploads.type=s3", "uploads.s3.bucket=none",
            *(f"{key}.replicas=0" for key in SERVICES.values()),
        ]  # fmt: skip
        kube = Kube(f"{preset.kube.namespace}-{NAME}")
        return cls(Release(kube, (LAPTOP,), (*preset.settings, *values), name=NAME))

    def start(self) -> None:
        """Install them and wait until they answer."""
        self.release.kube.make_namespace(**RESTRICTED)
        self.release.install()

    def remove(self) -> None:
        """Remove them with their data."""
        self.release.kube.remove_namespace()

    def query(self, statement: str) -> str:
        """Return what the database answers its owner."""
        pod = f"{self.release.object('postgresql')}-0"
        return self.release.kube("exec", pod, "--", "psql", "-h", "127.0.0.1", "-qtAc", statement).strip()

    def used_by(self, release: Release, folder: Path) -> Release:
        """Return a release that keeps nothing itself; make what must be there before it: the Secret, and a claim."""
        claim = release.object("backups")
        data = self.release.kube.get(f"secret/{self.release.object('secrets')}")["data"]
        request = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": CLAIM_SIZE}}}
        release.kube.apply(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET}, "data": data},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": claim}, "spec": request},
        )
        values = folder / "external.json"
        values.write_text(json.dumps({
            "secrets": {"existingSecret": SECRET},
            "migrations": {"backup": {"existingClaim": claim}},
            **{store: {"external": self._external(store)} for store in ("postgresql", "nats", "redis", "chroma")},
        }))  # fmt: skip
        return release.with_files(values)

    def _external(self, store: str) -> Object:
        namespace = self.release.kube.namespace
        peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
        return {"enabled": True, "host": f"{self.release.object(store)}.{namespace}", "networkPeers": peers}
