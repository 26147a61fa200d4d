"""scripts/cluster.sh finds the cluster in the order that it names, and says what is missing."""

import os
import subprocess
from pathlib import Path

import pytest

from support.tree import ROOT

FOUND = "#!/bin/sh\necho export KUBECONFIG=/from/shared\necho export SKAFFOLD_DEFAULT_REPO=localhost:15000\n"


def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plain = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "SHARED")}
    return subprocess.run(
        [str(ROOT / "scripts/cluster.sh"), *words],
        env={**plain, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    program = tmp_path / "cluster/cluster"
    program.parent.mkdir()
    program.write_text(FOUND)
    program.chmod(0o755)
    return tmp_path


def test_without_any_the_three_ways_are_named(tmp_path: Path) -> None:
    done = call("env", SHARED=str(tmp_path), PATH="/usr/bin:/bin")
    assert done.returncode == 1
    assert all(way in done.stderr for way in ("KUBECONFIG=FILE", "SHARED=FOLDER", "kind"))


def test_one_s_own_comes_first(shared: Path) -> None:
    done = call("env", KUBECONFIG="/my/config", CLUSTER_REGISTRY="registry.example.org", SHARED=str(shared))
    assert "KUBECONFIG=/my/config" in done.stdout
    assert "CLUSTER_REGISTRY=registry.example.org" in done.stdout
    assert "CLUSTER_KIND=given" in done.stdout


def test_then_the_shared_one(shared: Path) -> None:
    done = call("env", SHARED=str(shared))
    assert "KUBECONFIG=/from/shared" in done.stdout
    assert "CLUSTER_KIND=shared" in done.stdout
    assert f"CLUSTER_TOOL={shared}/cluster/cluster" in done.stdout


def test_a_verb_that_is_not_there_is_answered_with_those_that_are() -> None:
    done = call("fly")
    assert done.returncode == 1
    assert "up | env | run" in done.stderr
