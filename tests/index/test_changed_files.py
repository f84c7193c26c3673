"""Files that change under an open engine: one clear line, or the answer of a whole generation."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.engine import Engine
from qabot.errors import DamagedIndexError
from qabot.index import IndexStore
from qabot.index import segment as segment_module
from qabot.index.open_file import FileStamp, OpenFile
from qabot.index.vector_file import VectorFile
from qabot.settings import Settings
from qabot.types import Answer
from tests.support import HashingEncoder, build_index, index_files, small_index, write_article

LAUNCH = "When was the telescope launched?"
REMEDY = "run `qabot rebuild --full`"


def engine_on(index: Path) -> Engine:
    return Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0))


def texts(answer: Answer) -> list[str]:
    return [quote.text for quote in answer.quotes]


def rewrite(path: Path, content: bytes) -> None:
    """Put other bytes into a file that stays the same."""
    with path.open("r+b") as file:
        file.truncate(len(content))
        file.write(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def randomize(path: Path) -> None:
    size = path.stat().st_size
    rewrite(path, path.read_bytes()[:128] + np.random.default_rng(7).bytes(size - 128))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    rewrite(path, bytes(content))


@pytest.mark.parametrize("name", index_files())
@pytest.mark.parametrize("damage", [cut, empty, randomize, flip])
def test_a_file_that_changes_under_an_open_engine_is_named(
    index, name, damage: Callable[[Path], None]
):
    path = index / name
    whole = path.read_bytes()
    with engine_on(index) as engine:
        before = engine.ask(LAUNCH)
        damage(path)
        for ask in (
            lambda: engine.ask(LAUNCH),
            engine.articles,
            lambda: engine.article("telescope"),
        ):
            with pytest.raises(DamagedIndexError) as caught:
                ask()
            assert str(caught.value).startswith(f"{path}: ")
            assert str(caught.value).endswith(f"; {REMEDY}")
        # Healed: the file is as it was, or a new generation is there.
        rewrite(path, whole)
        assert engine.ask(LAUNCH).quotes == before.quotes
        damage(path)
        build_index(index, index.parent / "articles", full=True)
        after = engine.ask(LAUNCH)
        assert (after.generation, texts(after)) == (2, texts(before))


def test_a_file_that_is_only_touched_is_used(index):
    with engine_on(index) as engine:
        before = engine.ask(LAUNCH)
        for name in index_files():
            os.utime(index / name, (1, 1))
            (index / name).chmod(0o600)
        assert engine.ask(LAUNCH).quotes == before.quotes


def test_removed_files_are_still_read(index):
    with engine_on(index) as engine:
        before = engine.ask(LAUNCH)
        for name in index_files():
            (index / name).unlink()
        assert engine.ask(LAUNCH).quotes == before.quotes


class Cutting(HashingEncoder):
    """Damages a file when it encodes the question "now"."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def encode_query(self, texts):
        if "now" in texts:
            randomize(self._path)
        return super().encode_query(texts)


@pytest.mark.parametrize("name", index_files())
def test_a_file_that_changes_while_a_question_is_answered_is_named(index, name):
    path = index / name
    with Engine(IndexStore(index), Cutting(path), Settings(threshold=0.0)) as engine:
        engine.ask(LAUNCH)
        with pytest.raises(DamagedIndexError) as caught:
            engine.ask("now")
        assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.skipif(not hasattr(os, "pread"), reason="needs pread")
@pytest.mark.parametrize("name", ["words.bin", "sentences.npy"])
def test_a_disk_that_cannot_be_read_is_named(tmp_path, monkeypatch, name):
    monkeypatch.setattr(segment_module, "KEPT_SIZE", 0)
    index = small_index(tmp_path)
    # Of words in most of the articles nothing is read.
    for number in range(5):
        write_article(tmp_path / "articles", f"river{number}", f"A river of {number} miles.")
    build_index(index, tmp_path / "articles")
    path, pread = index / "segments/2-1" / name, os.pread
    with engine_on(index) as engine:

        def broken(descriptor: int, size: int, offset: int) -> bytes:
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return pread(descriptor, size, offset)

        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", broken)
            with pytest.raises(DamagedIndexError) as caught:
                engine.ask(LAUNCH)
        assert str(caught.value) == f"{path}: cannot be read (Input/output error); {REMEDY}"
        assert engine.ask(LAUNCH).quotes


def test_a_database_that_cannot_be_read_is_named(index, monkeypatch):
    """SQLite's own errors, without a change of the file that could be seen."""
    generation = IndexStore(index).open()
    part = generation.segments[0].database

    class Broken:
        def execute(self, *arguments: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("disk I/O error")

        create_function = execute

    whole = part._connection
    monkeypatch.setattr(part, "_connection", Broken())
    with pytest.raises(DamagedIndexError) as caught:
        generation.database.infos()
    assert str(caught.value) == (
        f"{index}/segments/1-1/articles.sqlite: cannot be read (disk I/O error); {REMEDY}"
    )
    monkeypatch.setattr(part, "_connection", whole)
    generation.close()


# --- Sentence vectors -----------------------------------------------------------------------------


@given(
    count=st.integers(0, 40),
    rows=st.lists(st.integers(0, 39), max_size=60),
    small=st.booleans(),
)
def test_vectors_of_a_file_are_those_of_numpy(tmp_path_factory, count, rows, small):
    path = tmp_path_factory.getbasetemp() / "sentences.npy"
    vectors = np.arange(count * 3, dtype=np.float16).reshape(count, 3)
    np.save(path, vectors)
    file = OpenFile(path, FileStamp.of(path))
    found = VectorFile(file, np.float16, keep=1 << 20 if small else 0)
    chosen = np.array([row for row in rows if row < count], np.int64)
    assert len(found) == count
    np.testing.assert_array_equal(vectors[chosen], found[chosen])
    for first, stop in [(0, count), (1, 3), (5, 2), (0, 0), (count, count + 5)]:
        np.testing.assert_array_equal(vectors[first:stop], found[first:stop])
    np.testing.assert_array_equal(vectors, found[:])
    file.close()


@pytest.mark.parametrize("small", [True, False])
def test_answers_do_not_depend_on_where_sentence_vectors_are(index, monkeypatch, small):
    monkeypatch.setattr(segment_module, "KEPT_SIZE", 1 << 20 if small else 0)
    with engine_on(index) as engine:
        quote = engine.ask(LAUNCH).quotes[0]
    assert quote.text == "The telescope was launched in December 2021 from French Guiana."


@pytest.mark.parametrize(
    "content",
    [
        np.zeros((3, 4), np.float32),
        np.zeros(3, np.float16),
        np.zeros((3, 4), np.float16, order="F"),
    ],
)
def test_a_file_of_other_arrays_is_refused(tmp_path, content):
    np.save(tmp_path / "a.npy", content)
    path = tmp_path / "a.npy"
    file = OpenFile(path, FileStamp.of(path))
    with pytest.raises(ValueError, match=r"a\.npy: no rows of float16"):
        VectorFile(file, np.float16)
    file.close()


# --- Paths ----------------------------------------------------------------------------------------


def test_an_index_whose_path_is_no_utf8_can_be_asked(tmp_path):
    folder = tmp_path / os.fsdecode(b"\xff\xfe")
    index = small_index(folder)
    write_article(folder / "articles", "mars", "The probe reached Mars.")
    build_index(index, folder / "articles")
    with engine_on(index) as engine:
        assert engine.ask(LAUNCH).quotes[0].article.id == "telescope"
