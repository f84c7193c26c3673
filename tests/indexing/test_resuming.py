"""A rebuild that is killed while it encodes: the next one goes on from there."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from qabot.encoders import FloatArray
from qabot.index import IndexStore, encoded
from qabot.indexing import encode
from tests.support import HashingEncoder, RecordingEncoder, build_index, write_article


class Interrupted(BaseException):
    """In place of a kill."""


class Stopping(RecordingEncoder):
    """Stops for good at the first of its calls after so many texts."""

    def __init__(self, most: int, fingerprint: str | None = None) -> None:
        super().__init__(HashingEncoder(fingerprint=fingerprint))
        self._most = most

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        if len(self.documents) >= self._most:
            raise Interrupted
        return super().encode_document(texts)


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "GROUP", 4)
    monkeypatch.setattr(encoded, "SECONDS", 0.0)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    for number in range(12):
        text = f"The state of a{number} is new. Its number is {number}. It is as it was."
        write_article(folder, f"a{number}", text)
    return folder


def interrupted(index: Path, articles: Path, most: int, fingerprint: str | None = None) -> int:
    """A rebuild that encodes some texts; how many."""
    # The cache of all tests holds the encoder's language subspace from here on.
    plain = HashingEncoder(fingerprint=fingerprint)
    build_index(articles.parent / "before", articles, encoder=plain)
    encoder = Stopping(most, fingerprint)
    with pytest.raises(Interrupted):
        build_index(index, articles, encoder=encoder)
    return len(encoder.documents)


def vectors(index: Path) -> list[bytes]:
    with contextlib.closing(IndexStore(index).open()) as generation:
        (segment,) = generation.segments
        names = ("passages.npy", "sentences.npy", "sentence_rows.npy")
        return [(segment.folder / name).read_bytes() for name in names]


def test_what_was_encoded_is_not_encoded_again(tmp_path, articles):
    index = tmp_path / "index"
    done = interrupted(index, articles, 8)
    done += interrupted(index, articles, 8)
    assert done == 16
    whole = RecordingEncoder(HashingEncoder())
    build_index(tmp_path / "whole", articles, encoder=whole)
    encoder = RecordingEncoder(HashingEncoder())
    summary = build_index(index, articles, encoder=encoder)
    assert len(encoder.documents) == len(whole.documents) - done
    assert set(encoder.documents) < set(whole.documents)
    # The longest come first, which are passages.
    assert (summary.encoded, summary.resumed) == (12, 12)
    assert vectors(index) == vectors(tmp_path / "whole")
    assert not list(index.glob("encoded*"))


def test_texts_of_about_as_many_tokens_are_encoded_together(tmp_path):
    write_article(tmp_path / "articles", "few", "Unquestionably uncharacteristically straight.")
    write_article(tmp_path / "articles", "many", "It is so as it is. We go on so it is. I am.")
    build_index(tmp_path / "before", tmp_path / "articles")  # Encodes samples of languages.
    encoder = RecordingEncoder(HashingEncoder())
    build_index(tmp_path / "index", tmp_path / "articles", encoder=encoder)
    tokens = encoder.count_tokens(encoder.documents)
    assert tokens == sorted(tokens, reverse=True)
    characters = [len(text) for text in encoder.documents]
    assert characters != sorted(characters, reverse=True)


def test_a_text_is_encoded_once(tmp_path):
    for name in ("a", "b", "c"):
        write_article(tmp_path / "articles", name, "It is so. It is so. It is else.", title="One")
    build_index(tmp_path / "before", tmp_path / "articles")  # Encodes samples of languages.
    encoder = RecordingEncoder(HashingEncoder())
    summary = build_index(tmp_path / "index", tmp_path / "articles", encoder=encoder)
    assert len(encoder.documents) == len(set(encoder.documents))
    assert summary.encoded == 3
    with contextlib.closing(IndexStore(tmp_path / "index").open()) as generation:
        found = generation.vectors.vectors(np.arange(3))
        assert (found == found[0]).all()
        sentences, starts = generation.sentences.of(np.arange(3))
        parts = np.split(sentences, starts[1:-1])
        assert all((part == parts[0]).all() for part in parts)


def test_another_model_begins_anew(tmp_path, articles):
    index = tmp_path / "index"
    interrupted(index, articles, 8, "ab" * 32)
    encoder = RecordingEncoder(HashingEncoder())
    summary = build_index(index, articles, encoder=encoder)
    assert summary.resumed == 0
    assert not list(index.glob("encoded*"))


def test_short_rebuilds_write_nothing(tmp_path, articles, monkeypatch):
    monkeypatch.setattr(encoded, "SECONDS", 1e9)
    interrupted(tmp_path / "index", articles, 8)
    assert not list((tmp_path / "index").glob("encoded*"))


def damaged_vector(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE vector SET numbers = zeroblob(length(numbers))")


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def no_database(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [damaged_vector, cut_short, no_database, empty])
def test_what_is_damaged_is_encoded_again(tmp_path, articles, damage):
    build_index(tmp_path / "whole", articles)
    index = tmp_path / "index"
    interrupted(index, articles, 8)
    damage(index / "encoded.sqlite")
    summary = build_index(index, articles)
    assert summary.resumed == 0
    assert vectors(index) == vectors(tmp_path / "whole")
    assert not list(index.glob("encoded*"))


def test_a_rebuild_without_changes_tidies_up(tmp_path, articles):
    index = tmp_path / "index"
    build_index(index, articles)
    write_article(articles, "b", "This one is new. It goes again.")
    interrupted(index, articles, 0)
    (index / "encoded.sqlite").write_bytes(b"anything")
    (articles / "b.md").unlink()
    assert not build_index(index, articles).changed
    assert not list(index.glob("encoded*"))
