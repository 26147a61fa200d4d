"""The outside world as a pod in a namespace of its own: Telegram, a model server, and people who write.

It runs `fakes.outside` in the image of platformctl, whose Python has what it needs, with the sources of tests/fakes
mounted: no image is built for it.
"""

import time
from dataclasses import dataclass
from typing import Any

from fakes.outside import CONTROL_PORT, MODEL_PORT, TELEGRAM_PORT
from support.cluster.programs import Kube, Object
from support.ledger import Ledger, judged
from support.scripted import BOT_TOKEN, WEBHOOK_SECRET
from support.tree import ROOT

NAME = "outside"
TELEGRAM_SECRET = "telegram"
MODULES = (
    "outside", "people", "patience", "openai_server", "telegram", "telegram_bot", "telegram_person",
)  # fmt: skip
READ_SECONDS = 150.0  # until everything that was accepted is answered
PER_SECOND = 5.0
LATE_SECONDS = 10.0  # a second answer would have come by then
SECURITY: Object = {
    "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outside:
    """Start it before the release: the channel adapter calls Telegram when it starts."""

    kube: Kube

    @property
    def host(self) -> str:
        """Its name inside the cluster."""
        return f"{NAME}.{self.kube.namespace}"

    @property
    def telegram_url(self) -> str:
        return f"http://{self.host}:{TELEGRAM_PORT}"

    @property
    def model_url(self) -> str:
        return f"http://{self.host}:{MODEL_PORT}/v1"

    def start(self, image: str) -> None:
        """Create the namespace, the pod and its Service, and wait until it answers."""
        self.kube.make_namespace(**{"kubernetes.io/metadata.name": self.kube.namespace})
        files = {f"{name}.py": (ROOT / f"tests/fakes/{name}.py").read_text() for name in MODULES}
        metadata = {"name": NAME, "labels": {"app.kubernetes.io/name": NAME}}
        ports = [("telegram", TELEGRAM_PORT), ("model", MODEL_PORT), ("control", CONTROL_PORT)]
        self.kube.apply(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": files},
            {
                "apiVersion": "v1", "kind": "Service", "metadata": metadata,
                "spec": {
                    "selector": metadata["labels"], "ports": [{"name": name, "port": port} for name, port in ports],
                },
            },
        )  # fmt: skip
        self.kube("delete", "pod", NAME, "--ignore-not-found", "--grace-period=1", "--wait")
        self.kube.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": _pod(image, first_node())})
        self.kube("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=120s")

    @staticmethod
    def make_secret(kube: Kube) -> None:
        """Create the Secret with the bot's token in the release's namespace."""
        told = {"TELEGRAM_BOT_TOKEN": BOT_TOKEN, "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET}
        metadata = {"name": TELEGRAM_SECRET}
        kube.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": told})

    def state(self) -> dict[str, Any]:
        """Return how far the people are, and what Telegram and the model were asked."""
        return self.kube.pod_proxy(NAME, CONTROL_PORT, "/people/state")

    def begin(self, door: str, per_second: float = PER_SECOND) -> None:
        """Let people write to the platform at `door` from now on."""
        self._tell("begin", {"door": door, "per_second": per_second})

    def end(self) -> Ledger:
        """Stop writing, wait for every answer, look again a little later, and account for it all."""
        state = self._tell("end")
        end = time.monotonic() + READ_SECONDS
        while (state["under_way"] or state["unanswered"]) and time.monotonic() < end:
            time.sleep(1)
            state = self._tell("read")
        time.sleep(LATE_SECONDS)
        self._tell("read?all=1")
        return judged(self.kube.pod_proxy(NAME, CONTROL_PORT, "/people/report"))

    def _tell(self, what: str, body: Object | None = None) -> dict[str, Any]:
        return self.kube.tell_pod(NAME, CONTROL_PORT, f"/people/{what}", body)

    def remove(self) -> None:
        """Remove the namespace."""
        self.kube.remove_namespace()


def first_node() -> str:
    """Return the node that no test loses."""
    return min(str(found["metadata"]["name"]) for found in Kube("default").list("nodes"))


def _pod(image: str, node: str) -> Object:
    container = {
        "name": NAME,
        "image": image,
        "command": ["python", "-m", "fakes.outside", "--token", BOT_TOKEN, "--webhook-secret", WEBHOOK_SECRET],
        "workingDir": "/world",
        "env": [{"name": "PYTHONPATH", "value": "/world"}, {"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "readinessProbe": {"httpGet": {"path": "/health", "port": CONTROL_PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": SECURITY,
        "volumeMounts": [{"name": "fakes", "mountPath": "/world/fakes"}],
    }
    return {
        "containers": [container],
        "nodeName": node,
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "fakes", "configMap": {"name": NAME}}],
    }
