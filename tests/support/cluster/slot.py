"""The one release that a small cluster has room for, kept between tests that need the same."""

from dataclasses import dataclass

from support.cluster.outside import TELEGRAM_SECRET, Outside
from support.cluster.programs import Object
from support.cluster.release import Release

METRICS_READER = {"tests/reads": "metrics"}  # labels of a pod in the outside world's namespace


@dataclass(slots=True)
class Slot:
    """What is installed now; `preset` stands for what an earlier run has left."""

    preset: Release
    held: Release | None = None

    def hold(self, wanted: Release) -> Release:
        """Return the release, installed and ready; what was held with other values is upgraded to these."""
        if self.held != wanted:
            if wanted.revision():
                wanted.upgrade()
            else:
                wanted.install()
            self.held = wanted
        return wanted

    def clear(self) -> None:
        """Remove what is installed, with its data."""
        (self.held or self.preset).uninstall()
        self.held = None
        kinds = "persistentvolumeclaims,secrets,configmaps,jobs,pods"
        self.preset.kube("delete", kinds, "--all", "--wait", "--timeout=120s")


def scripted_values(name: str, outside: Outside) -> Object:
    """Return the values that make a release talk to the outside world of the tests."""
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": outside.kube.namespace}}}]
    readers = [{**peers[0], "podSelector": {"matchLabels": METRICS_READER}}]
    settings = {"ADDRESS_REQUESTS_PER_MINUTE": 100_000, "ADDRESS_REQUESTS_BURST": 100_000}
    return {
        "networkPolicies": {"edge": peers, "monitoring": readers},
        "telegram": {
            "enabled": True, "existingSecret": TELEGRAM_SECRET, "apiUrl": outside.telegram_url, "networkPeers": peers,
        },
        "llmInference": {
            "provider": "openai_compatible", "server": {"url": outside.model_url, "networkPeers": peers},
        },
        "gateway": {"settings": settings},
        "publicUrl": f"http://{name}-web:8080",
    }  # fmt: skip
