"""JSON schemas for kubeconform, made from what the API server itself publishes; unknown fields are refused."""

import json
import subprocess
from pathlib import Path
from typing import Any

from manifests.rendering import CLUSTER_HOME, Object, program

# Where a cluster of this machine keeps its address, when KUBECONFIG names none.
OWN_KUBECONFIG = CLUSTER_HOME / "kubeconfig"
SECONDS = 60


def kubectl(environ: dict[str, str], *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run kubectl and return how it ended."""
    command = [str(program("kubectl")), *words]
    return subprocess.run(
        command, env=environ, input=given, capture_output=True, text=True, check=False, timeout=SECONDS
    )


def write(environ: dict[str, str], groups: set[str], folder: Path) -> None:
    """Write a file for every kind of these groups (v1, apps/v1), named as kubeconform looks for them."""
    for group in sorted(groups):
        path = f"/openapi/v3/{'apis' if '/' in group else 'api'}/{group}"
        document = json.loads(kubectl(environ, "get", "--raw", path).stdout)
        schemas = {name: closed(schema) for name, schema in document["components"]["schemas"].items()}
        for name, schema in schemas.items():
            for kind in schema.get("x-kubernetes-group-version-kind", []):
                file = folder / f"{kind['kind'].lower()}{suffix(kind['group'], kind['version'])}.json"
                body = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
                file.write_text(json.dumps(body))


def suffix(group: str, version: str) -> str:
    """kubeconform's KindSuffix: the first word of the group, and the version."""
    return "-".join(["", *group.split(".")[:1], version] if group else ["", version])


def closed(schema: Any) -> Any:
    """The schema with every object that names its fields closed to others."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner: Object = {key: closed(value) for key, value in schema.items()}
    if "properties" in inner and isinstance(inner.get("type"), str):
        inner.setdefault("additionalProperties", False)
    return inner
