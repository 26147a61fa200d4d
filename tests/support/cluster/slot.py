"""The one release that a small cluster has room for, kept between tests that need the same."""

from dataclasses import dataclass

from support.cluster.outside import TELEGRAM_SECRET, Outside
from support.cluster.programs import Kube, Object
from support.cluster.release import Release


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


def api_server() -> list[Object]:
    """Return where the API server is, as peers of a policy: its Service, and what is behind it."""
    kube = Kube("default")
    slices = kube.list("endpointslices", "kubernetes.io/service-name=kubernetes")
    behind = {address for found in slices for endpoint in found["endpoints"] for address in endpoint["addresses"]}
    addresses = {kube.get("service/kubernetes")["spec"]["clusterIP"], *behind}
    return [{"ipBlock": {"cidr": f"{address}/32"}} for address in sorted(addresses)]


def scripted_values(name: str, outside: Outside) -> Object:
    """Return the values that make a release talk to the outside world of the tests."""
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": outside.kube.namespace}}}]
    settings = {"ADDRESS_REQUESTS_PER_MINUTE": 100_000, "ADDRESS_REQUESTS_BURST": 100_000}
    return {
        "networkPolicies": {"edge": peers, "apiServer": {"peers": api_server()}},
        "telegram": {
            "enabled": True, "existingSecret": TELEGRAM_SECRET, "apiUrl": outside.telegram_url, "networkPeers": peers,
        },
        "llmInference": {
            "provider": "openai_compatible", "server": {"url": outside.model_url, "networkPeers": peers},
        },
        "gateway": {"settings": settings},
        "publicUrl": f"http://{name}-web:8080",
    }  # fmt: skip
