"""Programs that act on the cluster, run with a limit; what they say is in the error when they fail."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from support.tree import ROOT

SHOWN = 4000  # characters of what a failed program said last
SECONDS = 180.0
Object = dict[str, Any]


class CommandError(AssertionError):
    """A program ended with another status than 0; `said` holds all its output."""

    def __init__(self, words: tuple[str, ...], status: int, said: str) -> None:
        super().__init__(f"{' '.join(words)} ended with {status}:\n{said[-SHOWN:]}")
        self.status = status
        self.said = said


@dataclass(frozen=True, slots=True)
class Done:
    """A program that has ended."""

    status: int
    out: str
    err: str


def attempt(
    *words: str, seconds: float = SECONDS, stdin: str | None = None, env: Mapping[str, str] | None = None,
    folder: Path = ROOT,
) -> Done:  # fmt: skip
    """Run a program in the checkout and return how it ended, whatever that was."""
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=seconds, cwd=folder, check=False,
        input=stdin, stdin=subprocess.DEVNULL if stdin is None else None, env={**os.environ, **(env or {})},
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def run(*words: str, **options: Any) -> str:
    """Run a program and return what it printed; raises CommandError."""
    done = attempt(*words, **options)
    if done.status:
        raise CommandError(words, done.status, f"{done.out}{done.err}")
    return done.out


@dataclass(frozen=True, slots=True)
class Kube:
    """kubectl in one namespace."""

    namespace: str

    def __call__(self, *words: str, **options: Any) -> str:
        """Run kubectl; raises CommandError."""
        return run("kubectl", "--namespace", self.namespace, *words, **options)

    def within(self, namespace: str) -> "Kube":
        """Return the same for another namespace."""
        return replace(self, namespace=namespace)

    def list(self, kinds: str, selector: str = "") -> list[Object]:
        """Return all objects of some kinds ("pods,jobs"), by label."""
        chosen = ("--selector", selector) if selector else ()
        found: list[Object] = json.loads(self("get", kinds, *chosen, "--output", "json"))["items"]
        return found

    def get(self, name: str) -> Object:
        """Return one object, named as in "deployment/coach-web"."""
        found: Object = json.loads(self("get", name, "--output", "json"))
        return found

    def apply(self, *objects: Object) -> None:
        """Create or change objects."""
        self("apply", "--filename", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def make_namespace(self, **labels: str) -> None:
        """Create the namespace with these labels, if it is not there."""
        metadata = {"name": self.namespace, "labels": labels}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def remove_namespace(self) -> None:
        """Delete the namespace and wait until it is gone."""
        self("delete", "namespace", self.namespace, "--ignore-not-found", "--wait", "--timeout=150s")

    def rolled_out(self, name: str, seconds: int = 180) -> None:
        """Wait for a Deployment or StatefulSet."""
        self("rollout", "status", name, f"--timeout={seconds}s", seconds=seconds + 15)

    def pod_text(self, pod: str, port: int, path: str) -> str:
        """GET from a pod through the API server: works wherever kubectl does."""
        return run("kubectl", "get", "--raw", f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{port}/proxy{path}")

    def pod_proxy(self, pod: str, port: int, path: str) -> Object:
        """Return the JSON that a pod answers."""
        found: Object = json.loads(self.pod_text(pod, port, path))
        return found

    def tell_pod(self, pod: str, port: int, path: str, body: Object | None = None) -> Object:
        """POST to a pod through the API server."""
        where = f"/api/v1/namespaces/{self.namespace}/pods/{pod}:{port}/proxy{path}"
        said = run("kubectl", "create", "--raw", where, "--filename", "-", stdin=json.dumps(body or {}))
        found: Object = json.loads(said)
        return found
