"""The bundled Ollama serves the model of the image `models`, with no network, and another file under the same name."""

from pathlib import Path

import pytest
import yaml

from support.cluster.place import Place
from support.cluster.programs import run
from support.cluster.release import CHART, Release
from support.cluster.slot import Slot

VALUES = """
llmInference: {provider: ollama}
ollama:
  enabled: true
  resources: {requests: {cpu: 50m, memory: 512Mi}}
  storage: {size: 2Gi}
"""
MADE_OF = "/data/made-of"


@pytest.mark.guarantee("K8S-install")
@pytest.mark.full_size
@pytest.mark.timeout(1500)
def test_the_bundled_ollama_answers(room: Slot, preset: Release, place: Place, tmp_path: Path) -> None:
    if place.tool is not None:  # its nodes reach no registry of the world, and nobody else needs this image
        image = yaml.safe_load((CHART / "values.yaml").read_text())["ollama"]["image"]
        run(str(place.tool), "load", f"{image['repository']}:{image['tag']}", seconds=300)
    values = tmp_path / "ollama.yaml"
    values.write_text(VALUES)
    release = preset.with_files(values)
    room.held = release
    release.install()
    release.test()  # ends with an error unless the model answered

    pod = f"{release.object('ollama')}-0"
    there = release.kube("exec", pod, "--", "cat", MADE_OF)
    release.kube("exec", pod, "--", "sh", "-c", f"echo another file >{MADE_OF}")
    release.kube("delete", "pod", pod, "--wait")
    release.wait_ready()
    assert release.kube("exec", pod, "--", "cat", MADE_OF) == there
