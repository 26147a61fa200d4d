"""scripts/cluster.sh finds the cluster in the order that it names, and says what is missing."""

import os
import subprocess
from pathlib import Path

import pytest

from support.tree import ROOT

FOUND = "#!/bin/sh\necho export KUBECONFIG=/from/shared\necho export SKAFFOLD_DEFAULT_REPO=localhost:15000\n"
# A tool that only notes what it is asked for; its cluster and its engine are files.
TOOL = """#!/bin/sh
cd "$(dirname "$0")/.."
case $1 in
  env) echo export SKAFFOLD_DEFAULT_REPO=localhost:15000; exit ;;
  status) [ -e runs ] && echo "kube-apiserver            running"; exit ;;
  engine) [ -e engine ] || echo DROP >policy; touch engine ;;
  up) touch runs ;;
  down) rm -f runs engine ;;
esac
echo "$1" >>asked
"""
PROGRAMS = {
    "docker": '[ -e "$WORLD/engine" ] || exit 1; [ "$1" = ps ] && cat "$WORLD/containers" 2>/dev/null; exit 0',
    "iptables": '[ "$1" = -S ] && echo "-P FORWARD $(cat "$WORLD/policy")" || echo "$3" >"$WORLD/policy"',
    "id": "echo 0",
    "kubectl": "true",
    "crane": "true",
}


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


class World:
    """A machine with the tool, an engine and a chain of packets, all of them files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.note = folder / "note"
        programs = {folder / "cluster/cluster": TOOL}
        programs |= {folder / "bin" / name: f"#!/bin/sh\n{text}\n" for name, text in PROGRAMS.items()}
        for path, text in programs.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        self.policy = "ACCEPT"

    def call(self, verb: str) -> list[str]:
        """Return what the tool was asked to do."""
        (self.folder / "asked").write_text("")
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        done = call(verb, str(self.note), SHARED=str(self.folder), WORLD=str(self.folder), PATH=path)
        assert done.returncode == 0, done.stderr
        return (self.folder / "asked").read_text().split()

    @property
    def policy(self) -> str:
        return (self.folder / "policy").read_text().strip()

    @policy.setter
    def policy(self, value: str) -> None:
        (self.folder / "policy").write_text(value)

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_from_nothing_and_back_to_nothing(world: World) -> None:
    assert world.call("engine") == ["engine"]
    assert world.call("start") == ["engine", "images", "up"]
    assert world.policy == "ACCEPT"  # the engine had set DROP, and no pod would reach another
    assert world.call("start") == ["engine", "images", "up"]  # costs seconds, and is noted once
    assert world.call("stop") == ["down"]
    assert not world.has("runs")
    assert world.policy == "ACCEPT"
    assert world.call("stop") == []


def test_what_ran_before_runs_on(world: World) -> None:
    for name in ("engine", "runs"):
        (world.folder / name).touch()
    world.call("engine")
    world.call("start")
    assert world.call("stop") == []
    assert world.has("runs")


def test_an_engine_that_was_there_is_there_afterwards_with_its_policy(world: World) -> None:
    (world.folder / "engine").touch()
    world.policy = "DROP"
    world.call("start")
    assert world.policy == "ACCEPT"
    assert world.call("stop") == ["down", "engine"]
    assert world.policy == "DROP"


def test_containers_of_others_are_not_stopped(world: World) -> None:
    (world.folder / "engine").touch()
    world.call("start")
    (world.folder / "containers").write_text("c0ffee\n")
    assert world.call("stop") == []
    assert world.has("runs")
