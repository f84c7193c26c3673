"""Word embeddings that are mapped from files which others may change."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qabot.encoders.e5.graph_files import SCALES, WORDS
from qabot.encoders.e5.mark import FolderMark
from qabot.encoders.e5.words import WordEmbeddings
from qabot.errors import EncoderError

IDS = np.array([[0, 2]], np.int64)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three words of 64 numbers: all 1, 2 and 3 times a half."""
    (tmp_path / "onnx").mkdir()
    np.repeat(np.array([0x11, 0x22, 0x33], np.uint8), 32).tofile(tmp_path / "onnx" / WORDS)
    np.full(6, 0.5, np.float32).tofile(tmp_path / "onnx" / SCALES)
    return tmp_path


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, (1, 1))


@pytest.mark.parametrize("name", [WORDS, SCALES])
@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 0), overwrite])
def test_a_table_that_changes_while_it_is_open_is_named(
    folder: Path, name: str, change: Callable[[Path], None]
) -> None:
    words = WordEmbeddings(folder, 64)
    change(folder / "onnx" / name)
    with pytest.raises(EncoderError) as caught:
        words.rows(IDS)
    assert str(caught.value) == (
        f"{folder / 'onnx' / name}: changed while it is in use; "
        "start qabot again, which compares it"
    )


@pytest.mark.parametrize("name", [WORDS, SCALES])
def test_a_table_is_read_again_when_it_is_healed(folder: Path, name: str) -> None:
    FolderMark.of(folder, "", []).write(folder)
    path = folder / "onnx" / name
    whole = path.read_bytes()
    words = WordEmbeddings(folder, 64)
    before = words.rows(IDS)
    os.utime(path, (2, 2))  # Only touched.
    np.testing.assert_array_equal(before, words.rows(IDS))
    for change in (overwrite, lambda path: os.truncate(path, 0)):
        change(path)
        for _ in range(2):
            with pytest.raises(EncoderError, match="changed while it is in use"):
                words.rows(IDS)
        path.write_bytes(whole)
        np.testing.assert_array_equal(before, words.rows(IDS))


def test_a_table_that_was_replaced_is_still_read(folder: Path) -> None:
    """As by another process, which unpacks the model again."""
    words = WordEmbeddings(folder, 64)
    before = words.rows(IDS)
    assert before[0, :, 0].tolist() == [0.5, 1.5]
    for name in (WORDS, SCALES):
        (folder / "onnx" / name).unlink()
    np.testing.assert_array_equal(before, words.rows(IDS))
