"""How large the Python images are above their base: docs/operations/images.md tells the same numbers to people."""

import json
import re
from pathlib import Path

import pytest

from images.names import PYTHON
from support.cluster.programs import run
from support.containers import image_of
from support.tree import ROOT

MEASURE = (Path(__file__).parent / "measure.py").read_text()
LIMIT = 60_000_000
# The package for whose sake an image is larger; with all that it needs itself it does not count.
ENGINES = {
    "llm-inference": ("xllamacpp",),
    "vector-search": ("chromadb",),
    "platformctl": ("kubernetes",),
}


PAGE = (ROOT / "docs/operations/images.md").read_text()
TOLD = re.compile(r"^\| `([a-z-]+)` \| ([\d.]+) \| ([\d.]+) \|", re.MULTILINE)


def measured(image: str, name: str) -> tuple[int, int, object]:
    """Bytes above the base, those of them that are not the engine's or weights, and the largest packages."""
    words = ["docker", "run", "--rm", "--entrypoint", "python", image, "-c", MEASURE, *ENGINES.get(name, ())]
    parts = json.loads(run(*words))
    facts = image_of(image)
    base = facts["Config"]["Labels"]["org.opencontainers.image.base.name"]
    above = facts["Size"] - image_of(base)["Size"]
    return above, above - parts["engine"] - parts["weights"] - parts["client"], parts["largest"]


@pytest.mark.parametrize("name", PYTHON)
def test_an_image_is_small_beside_its_engine(image: dict[str, str], name: str) -> None:
    above, rest, largest = measured(image[name], name)

    assert rest <= LIMIT, f"{above} bytes above the base, {rest} of them not the engine's: {largest}"


@pytest.mark.parametrize("name", PYTHON)
def test_the_page_tells_its_size(image: dict[str, str], name: str) -> None:
    """To a tenth: a changed version of a package is no news, a doubled image is."""
    above, rest, _ = measured(image[name], name)
    told = {found[1]: (float(found[2]), float(found[3])) for found in TOLD.finditer(PAGE)}[name]

    assert told[0] == pytest.approx(above / 1e6, rel=0.1)
    assert told[1] == pytest.approx(rest / 1e6, rel=0.1)
