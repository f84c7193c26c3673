"""Exact search in vectors, against NumPy."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.encoders import FloatArray
from qabot.encoders.base import normalize
from qabot.index.vectors import SegmentVectors, write_vectors


def index(path: Path, vectors: FloatArray) -> SegmentVectors:
    write_vectors(path, vectors)
    return SegmentVectors(path)


# Few different numbers, so that there are ties and equal vectors.
VECTORS = st.integers(1, 9).flatmap(
    lambda dimension: st.tuples(
        st.lists(
            st.lists(st.integers(-2, 2), min_size=dimension, max_size=dimension), max_size=40
        ).map(lambda rows: normalize(np.array(rows, np.float32).reshape(-1, dimension))),
        st.lists(st.integers(-2, 2), min_size=dimension, max_size=dimension).map(
            lambda row: normalize(np.array([row], np.float32))[0]
        ),
    )
)


@given(VECTORS, st.integers(0, 50))
def test_search_is_exact(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[FloatArray, FloatArray], count: int
) -> None:
    vectors, query = case
    found = index(tmp_path_factory.mktemp("vectors") / "index", vectors)
    assert len(vectors) == len(found)
    assert vectors.shape[1] == found.dimension

    scores, rows = found.search(query, count)
    all_scores = vectors.astype(np.float64) @ query.astype(np.float64)
    expected = np.sort(all_scores)[::-1][:count]
    np.testing.assert_allclose(expected, scores, atol=1e-6)
    # Whichever of the rows with one score it takes: the scores are those rows', and no row is
    # there twice.
    np.testing.assert_allclose(all_scores[rows], scores, atol=1e-6)
    assert len(rows) == len(set(rows.tolist())) == min(count, len(vectors))
    assert np.float32 == scores.dtype
    assert np.int64 == rows.dtype


@given(VECTORS, st.integers(0, 50), st.data())
def test_search_among_some_rows_is_exact(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[FloatArray, FloatArray],
    count: int,
    data: st.DataObject,
) -> None:
    vectors, query = case
    flags = st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors))
    allowed = np.array(data.draw(flags), np.bool_)
    found = index(tmp_path_factory.mktemp("vectors") / "index", vectors)
    scores, rows = found.search(query, count, allowed)
    all_scores = vectors.astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(np.sort(all_scores[allowed])[::-1][:count], scores, atol=1e-6)
    np.testing.assert_allclose(all_scores[rows], scores, atol=1e-6)
    assert allowed[rows].all()
    assert len(rows) == len(set(rows.tolist())) == min(count, int(allowed.sum()))


@given(VECTORS, st.data())
def test_vectors_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[FloatArray, FloatArray],
    data: st.DataObject,
) -> None:
    vectors, _ = case
    found = index(tmp_path_factory.mktemp("vectors") / "index", vectors)
    numbers = st.integers(0, len(vectors) - 1) if len(vectors) else st.nothing()
    rows = np.array(data.draw(st.lists(numbers)), np.int64)
    np.testing.assert_array_equal(vectors[rows], found.vectors(rows))


def test_more_neighbours_than_vectors(tmp_path: Path) -> None:
    found = index(tmp_path / "index", np.eye(3, dtype=np.float32))
    scores, rows = found.search(np.array([0, 1, 0], np.float32), 1000)
    assert [1.0, 0.0, 0.0] == scores.tolist()
    assert 1 == rows[0]
    assert {0, 2} == set(rows[1:].tolist())


def test_no_vectors(tmp_path: Path) -> None:
    found = index(tmp_path / "index", np.empty((0, 5), np.float32))
    assert (0, 5) == (len(found), found.dimension)
    scores, rows = found.search(np.ones(5, np.float32), 10)
    assert ((0,), (0,)) == (scores.shape, rows.shape)
    assert (0, 5) == found.vectors(np.empty(0, np.int64)).shape


def test_one_vector(tmp_path: Path) -> None:
    found = index(tmp_path / "index", np.array([[0.6, 0.8]], np.float32))
    scores, rows = found.search(np.array([1, 0], np.float32), 10)
    assert [0] == rows.tolist()
    np.testing.assert_allclose([0.6], scores, rtol=1e-6)


def test_vectors_that_are_not_contiguous(tmp_path: Path) -> None:
    wide = np.arange(24, dtype=np.float32).reshape(4, 6)
    found = index(tmp_path / "index", wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], found.vectors(np.arange(4)))


def test_file_that_is_cut_short_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "index"
    write_vectors(path, np.eye(3, dtype=np.float32))
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="faiss cannot read it"):
            SegmentVectors(path)


@pytest.mark.parametrize("content", [b"no index", b"IxFI", bytes(1000)])
def test_file_that_is_no_index(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index").write_bytes(content)
    with pytest.raises(ValueError, match="faiss cannot read it"):
        SegmentVectors(tmp_path / "index")


def test_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file or directory"):
        SegmentVectors(tmp_path / "index")


def test_index_of_another_kind(tmp_path: Path) -> None:
    faiss.write_index(faiss.IndexFlatL2(4), str(tmp_path / "index"))
    with pytest.raises(ValueError, match="IndexFlatL2, not IndexFlatIP"):
        SegmentVectors(tmp_path / "index")


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        write_vectors(tmp_path / "missing" / "index", np.eye(3, dtype=np.float32))
