"""How large the Python images are above their base: docs/operations/images.md tells the same numbers to people."""

import json
from pathlib import Path

import pytest

from images.names import PYTHON
from support.cluster.programs import run
from support.containers import image_of

MEASURE = (Path(__file__).parent / "measure.py").read_text()
LIMIT = 60_000_000
# The package for whose sake an image is larger; with all that it needs itself it does not count. obstore is one wheel.
ENGINES = {
    "llm-inference": ("xllamacpp",),
    "vector-search": ("chromadb",),
    "platformctl": ("kubernetes",),
    "channel-adapter": ("obstore",),
}


@pytest.mark.parametrize("name", PYTHON)
def test_an_image_is_small_beside_its_engine(image: dict[str, str], name: str) -> None:
    words = ["docker", "run", "--rm", "--entrypoint", "python", image[name], "-c", MEASURE, *ENGINES.get(name, ())]
    parts = json.loads(run(*words))
    facts = image_of(image[name])
    above_base = facts["Size"] - image_of(facts["Config"]["Labels"]["org.opencontainers.image.base.name"])["Size"]

    rest = above_base - parts["engine"] - parts["weights"] - parts["client"]

    assert rest <= LIMIT, f"{above_base} bytes above the base, {rest} of them not the engine's: {parts['largest']}"
