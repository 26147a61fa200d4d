"""The image that carries the embedded model's weights into a pod, where no network is reached."""

import hashlib
from pathlib import Path

from platformctl.models.catalog import SMALL
from support.containers import STRICT, Yard


def test_it_copies_the_catalogues_files_into_the_folder_that_is_named(
    yard: Yard, image: dict[str, str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)

    for _ in range(2):  # an init container may run again on the same volume
        yard.once(image["models"], "/target", options=(*STRICT, "--volume", f"{tmp_path}:/target"))

    for file in SMALL.files:
        assert hashlib.sha256((tmp_path / file.name).read_bytes()).hexdigest() == file.sha256
    assert {path.name for path in tmp_path.iterdir()} == {*(file.name for file in SMALL.files), "LICENSE"}
