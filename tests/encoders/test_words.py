"""Word embeddings in files which others may change, and which a disk may not give back."""

from __future__ import annotations

import errno
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


@pytest.mark.parametrize("name", [WORDS, SCALES])
def test_a_table_that_the_disk_does_not_give_is_named(folder: Path, name: str, monkeypatch) -> None:
    words = WordEmbeddings(folder, 64)
    before = words.rows(IDS)
    inode = (folder / "onnx" / name).stat().st_ino

    def broken(descriptor: int, size: int, offset: int) -> bytes:
        if os.fstat(descriptor).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pread(descriptor, size, offset)

    pread = os.pread
    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", broken)
        with pytest.raises(EncoderError) as caught:
            words.rows(IDS)
    assert str(caught.value) == (
        f"{folder / 'onnx' / name}: word embeddings cannot be read (Input/output error); "
        f"remove the folder {folder}, which the next question unpacks again"
    )
    np.testing.assert_array_equal(before, words.rows(IDS))


@pytest.mark.parametrize("shape", [(0,), (1, 0), (2, 3), (2, 2, 2)])
def test_rows_have_the_shape_of_their_ids(folder: Path, shape: tuple[int, ...]) -> None:
    ids = np.resize(np.array([2, 0, 2]), shape).astype(np.int64)
    rows = WordEmbeddings(folder, 64).rows(ids)
    assert rows.shape == (*shape, 64)
    np.testing.assert_array_equal(np.broadcast_to((ids + 1)[..., None] / 2, rows.shape), rows)


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_table_of_another_size_is_refused(folder: Path, size: int) -> None:
    os.truncate(folder / "onnx" / WORDS, size)
    with pytest.raises(EncoderError, match=r"cannot be read \(its size does not fit\)"):
        WordEmbeddings(folder, 64)
