"""The shell scripts say what is missing and what to do, before they change anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support.tree import ROOT


def checkout(tmp_path: Path) -> Path:
    """Return a folder that looks like a fresh clone to the scripts."""
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for manifest in ("libs/kit/pyproject.toml", "services/gateway/pyproject.toml", "requirements.lock"):
        (tmp_path / manifest).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / manifest).write_text("")
    return tmp_path


def call(folder: Path, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(folder / "scripts" / script), *arguments],
        env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip


def test_a_missing_python_is_named_with_what_to_install(tmp_path: Path) -> None:
    done = call(checkout(tmp_path), "install.sh", "python3.11-that-is-not-there")
    assert done.returncode == 1
    assert "Python 3.11 is needed" in done.stderr
    assert "apt-get install python3.11" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_older_python_is_refused(tmp_path: Path) -> None:
    older = tmp_path / "python3"
    older.write_text("#!/bin/sh\nexit 1\n")
    older.chmod(0o755)
    assert "or is older" in call(checkout(tmp_path), "install.sh", str(older)).stderr


def test_a_missing_libgomp_is_found_before_anything_is_downloaded(tmp_path: Path) -> None:
    # Python as it is on a machine without the library: it starts, but cannot load it.
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$2" in *libgomp*) exit 1 ;; esac\nexit 0\n')
    python.chmod(0o755)
    done = call(checkout(tmp_path), "install.sh", "--run", str(python), LLM_PROVIDER="embedded")
    assert done.returncode == 1
    assert "apt-get install libgomp1" in done.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(("confirm", "is_left"), [("", True), ("no", True), ("yes", False)])
def test_data_is_removed_only_when_someone_says_yes(tmp_path: Path, confirm: str, is_left: bool) -> None:
    folder = checkout(tmp_path)
    (folder / "build").mkdir()
    data = folder / "my data"
    data.mkdir()
    (data / "format").write_text("1\n")
    done = call(folder, "clean.sh", DATA=str(data), CONFIRM=confirm)
    assert not (folder / "build").exists()
    assert data.exists() is is_left
    assert (done.returncode == 1) is is_left


def test_a_failing_check_does_not_hide_the_others() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        [str(ROOT / "scripts/checks.sh"), "no-such-target", "help"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "1 of 2 checks failed: no-such-target" in done.stderr
    assert "ok" in done.stdout


def test_a_folder_that_is_not_the_platforms_is_never_removed(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    photos = tmp_path / "photos"
    photos.mkdir()
    for data in (folder, photos):
        assert call(folder, "clean.sh", DATA=str(data), CONFIRM="yes").returncode == 1
    assert photos.is_dir()
    assert (folder / "scripts").is_dir()


def why_no_cluster(shared: Path, **environment: str) -> str:
    """Return what .ci/run says of a machine; empty: it uses the cluster."""
    script = (ROOT / ".ci/run").read_text()
    function = script[script.index("no_cluster() {") :].partition("\n}\n")[0]
    done = subprocess.run(
        ["bash", "-uc", f"{function}\n}}\nno_cluster"],
        env={"PATH": os.environ["PATH"], "SHARED": str(shared), **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_run_uses_a_cluster_where_there_is_one_and_says_why_not(tmp_path: Path) -> None:
    assert "is not there" in why_no_cluster(tmp_path, CLUSTER_TESTS="yes")
    assert why_no_cluster(tmp_path, KUBECONFIG="/my/config", CLUSTER_TESTS="yes") == ""
    assert why_no_cluster(tmp_path, KUBECONFIG="/my/config") == "CLUSTER_TESTS is not yes"
    tool = tmp_path / "cluster/cluster"
    tool.parent.mkdir()
    tool.touch(mode=0o755)
    someone = tmp_path / "id"
    someone.write_text("#!/bin/sh\necho 1000\n")
    someone.chmod(0o755)
    assert why_no_cluster(tmp_path, CLUSTER_TESTS="yes", PATH=f"{tmp_path}:{os.environ['PATH']}").endswith("needs root")
    someone.write_text("#!/bin/sh\necho 0\n")
    assert why_no_cluster(tmp_path, CLUSTER_TESTS="yes", PATH=f"{tmp_path}:{os.environ['PATH']}") == ""
