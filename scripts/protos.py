"""Generate libs/contracts from protos/, byte for byte the same for the same sources: `make protos`.

With --check it generates into a temporary folder and fails when the committed code differs.
"""

import argparse
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GENERATED = ROOT / "libs/contracts/src/contracts"
HEADER = '"""Generated from protos/ by `make protos`; never edited."""\n'
OWN_FILES = {"py.typed"}


def generate(target: Path) -> None:
    """Write the generated package into `target`/contracts."""
    sources = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.rglob("*.proto"))
    well_known = resources.files("grpc_tools") / "_proto"
    command = [
        sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTOS}", f"-I{well_known}",
        f"--python_out={target}", f"--grpc_python_out={target}", f"--mypy_out=quiet:{target}",
        f"--mypy_grpc_out=quiet:{target}", *sources,
    ]  # fmt: skip
    # The mypy plugins are found beside this interpreter, whether or not its environment is activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(command, check=True, env={**os.environ, "PATH": path})
    package = target / "contracts"
    for source in sources:
        stem = package.parent / source.removesuffix(".proto")
        if "service " not in (PROTOS / source).read_text():
            for suffix in ("_pb2_grpc.py", "_pb2_grpc.pyi"):
                Path(f"{stem}{suffix}").unlink(missing_ok=True)
    for folder in [package, *(path for path in package.rglob("*") if path.is_dir() and path.name != "__pycache__")]:
        (folder / "__init__.py").write_text(HEADER)
    (package / "topology.py").write_text(topology(target))


def topology(target: Path) -> str:
    """Return the text of contracts/topology.py, read from the options of topology.proto."""
    script = ROOT / "scripts/topology.py"
    done = subprocess.run([sys.executable, str(script), str(target)], check=True, capture_output=True, text=True)
    return done.stdout


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name not in OWN_FILES
    }


def differences(fresh: Path) -> list[str]:
    """Name every generated file that is missing, extra or different in the committed package."""
    names = files(fresh) | files(GENERATED)
    return sorted(
        name
        for name in names
        if not (fresh / name).is_file()
        or not (GENERATED / name).is_file()
        or not filecmp.cmp(fresh / name, GENERATED / name, shallow=False)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when the committed code differs")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / "contracts"
        stale = differences(fresh)
        if check:
            for name in stale:
                sys.stderr.write(f"libs/contracts: {name} is not what protos/ gives; run `make protos`\n")
            return 1 if stale else 0
        for name in files(GENERATED):
            (GENERATED / name).unlink()
        shutil.copytree(fresh, GENERATED, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
