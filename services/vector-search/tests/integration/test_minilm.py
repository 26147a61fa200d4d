"""Every embedder behaves the same; the real one also knows what words mean."""

import os
from pathlib import Path

import numpy as np
import pytest

from kit.process import StartError
from vector_search.app.embedding import Embedding
from vector_search.app.ports import Embedder
from vector_search.embedders.minilm_onnx import MAX_TOKENS, MiniLmEmbedder
from vector_search.embedders.registry import EMBEDDERS
from vector_search.settings import VectorSearchSettings

Files = tuple[Path, Path]
TEXTS = [
    "I want to walk more in the morning.",
    "My tax return is late again.",
    "x",
    "Grüße! Wie geht's? 🙂",
    "walk " * 400,
]


def settings_for(files: Files, max_workers: int = 4) -> VectorSearchSettings:
    return VectorSearchSettings(embedder_model_path=files[0], embedder_tokenizer_path=files[1], max_workers=max_workers)


@pytest.fixture(scope="module")
def minilm(model_files: Files) -> Embedder:
    return EMBEDDERS["minilm_onnx"](settings_for(model_files))


@pytest.fixture(params=sorted(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "minilm_onnx":
        made: Embedder = request.getfixturevalue("minilm")
        return made
    return EMBEDDERS[request.param](VectorSearchSettings())


def test_each_text_gives_a_row_of_length_one(embedder: Embedder) -> None:
    rows = embedder.embed(TEXTS)
    assert rows.shape == (len(TEXTS), embedder.dimensions)
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-5)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_a_text_has_the_same_vector_alone_and_in_company(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    # int8 arithmetic scales by the largest value of a batch, so the real model's rows differ a little by company.
    assert (together * alone).sum(axis=1).min() > 0.99


def test_the_same_text_has_the_same_vector(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))


def test_shared_words_bring_texts_nearer(embedder: Embedder) -> None:
    walk, again, tax = embedder.embed(["a walk in the morning", "the morning walk", "tax return is late"])
    assert walk @ again > walk @ tax


def test_the_real_model_knows_what_is_meant(minilm: Embedder) -> None:
    hiking, outdoors, tax = minilm.embed(
        ["Hiking in the forest makes me happy", "I love being outdoors in nature", "my tax return is late"]
    )
    assert hiking @ outdoors > 0.4 > hiking @ tax


def test_its_vectors_are_those_that_the_model_is_known_for(minilm: Embedder) -> None:
    # From the model's card on its hub: "This is an example sentence" / "Each sentence is converted".
    one, other = minilm.embed(["This is an example sentence", "Each sentence is converted"])
    assert one[:4] == pytest.approx([0.0677, 0.0635, 0.0487, 0.0793], abs=0.02)
    assert other[:4] == pytest.approx([0.0864, 0.1027, 0.0054, 0.0020], abs=0.02)


def test_a_text_is_looked_at_up_to_256_tokens(minilm: Embedder) -> None:
    most = "walk " * (MAX_TOKENS - 2)  # begin and end are tokens too
    within, beyond = minilm.embed([most, most + "tax return " * 100])
    assert np.array_equal(within, beyond)


def test_the_id_names_the_very_files(minilm: Embedder, model_files: Files, tmp_path: Path) -> None:
    assert minilm.model.startswith("all-MiniLM-L6-v2@8199be6f699a.")
    other = tmp_path / "tokenizer.json"
    other.write_text(model_files[1].read_text() + "\n")
    assert MiniLmEmbedder(model_files[0], other, 1).model != minilm.model


@pytest.mark.parametrize("max_workers", [1, 64])
def test_max_workers_bounds_the_threads_of_an_embedding(model_files: Files, max_workers: int) -> None:
    embedder = EMBEDDERS["minilm_onnx"](settings_for(model_files, max_workers))
    assert isinstance(embedder, MiniLmEmbedder)
    embedder.embed(["warm up"])
    threads = embedder._session.get_session_options().intra_op_num_threads
    assert threads == embedder.threads == min(max_workers, os.cpu_count() or 1)


async def test_slices_give_what_one_call_gives(minilm: Embedder) -> None:
    embedding = Embedding(minilm)
    texts = [f"{text} {number}" for number in range(8) for text in TEXTS[:-1]]
    sliced, at_once = await embedding.texts(texts), minilm.embed(texts)
    assert (sliced * at_once).sum(axis=1).min() > 0.99
    await embedding.close()


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="EMBEDDER_MODEL_PATH"):
        EMBEDDERS["minilm_onnx"](settings_for((tmp_path / "no.onnx", tmp_path / "no.json")))


@pytest.mark.parametrize("broken", [0, 1])
def test_files_that_are_something_else_are_refused(model_files: Files, tmp_path: Path, broken: int) -> None:
    junk = tmp_path / "junk"
    junk.write_text("not a model")
    files = (junk, model_files[1]) if broken == 0 else (model_files[0], junk)
    with pytest.raises(StartError, match="cannot be loaded"):
        EMBEDDERS["minilm_onnx"](settings_for(files))
