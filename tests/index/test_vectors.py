"""Nearest neighbours, exact and with codes, against NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.encoders import FloatArray
from qabot.encoders.base import normalize
from qabot.index.joined import Vectors
from qabot.index.open_file import FileStamp, OpenFile
from qabot.index.rows import Rows
from qabot.index.sentences import pack, unpack
from qabot.index.vector_file import VectorFile, widened
from qabot.index.vectors import SegmentVectors, highest, write_codes

_OPENED: list[OpenFile] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close the files of a test's many examples: a process may hold a thousand."""
    yield
    while _OPENED:
        _OPENED.pop().close()


def stored(path: Path) -> VectorFile:
    _OPENED.append(OpenFile(path, FileStamp.of(path)))
    return VectorFile(_OPENED[-1], np.float16)


def index(folder: Path, vectors: FloatArray, *, exact: bool = True) -> SegmentVectors:
    path, codes = folder / "passages.npy", folder / "passages.faiss"
    np.save(path, vectors.astype(np.float16))
    if not exact:
        write_codes(codes, vectors.astype(np.float16))
    return SegmentVectors(stored(path), None if exact else codes)


def halves(vectors: FloatArray) -> FloatArray:
    return vectors.astype(np.float16).astype(np.float32)


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
    vectors = halves(vectors)
    found = index(tmp_path_factory.mktemp("vectors"), vectors)
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
    vectors = halves(vectors)
    found = index(tmp_path_factory.mktemp("vectors"), vectors)
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
    vectors = halves(case[0])
    found = index(tmp_path_factory.mktemp("vectors"), vectors)
    numbers = st.integers(0, len(vectors) - 1) if len(vectors) else st.nothing()
    rows = np.array(data.draw(st.lists(numbers)), np.int64)
    np.testing.assert_array_equal(vectors[rows], found.vectors(rows))


# --- Codes ----------------------------------------------------------------------------------------


@given(VECTORS, st.integers(0, 50), st.data())
def test_what_codes_find_is_scored_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    case: tuple[FloatArray, FloatArray],
    count: int,
    data: st.DataObject,
) -> None:
    """Several segments, of which some have codes, with and without a filter."""
    vectors, query = halves(case[0]), case[1]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(vectors)), max_size=3)))
    parts = np.split(vectors, cuts)
    exact = data.draw(st.lists(st.booleans(), min_size=len(parts), max_size=len(parts)))
    opened = [
        # faiss makes no index of nothing, nor does qabot.
        index(tmp_path_factory.mktemp("part"), part, exact=is_exact or len(part) == 0)
        for part, is_exact in zip(parts, exact, strict=True)
    ]
    found = Vectors([(part, None) for part in opened], Rows([len(part) for part in parts]))
    flags = st.lists(st.booleans(), min_size=len(vectors), max_size=len(vectors))
    allowed = data.draw(st.none() | flags.map(lambda marks: np.array(marks, np.bool_)))
    scores, rows = found.search(query, count, allowed)
    all_scores = vectors.astype(np.float64) @ query.astype(np.float64)
    np.testing.assert_allclose(all_scores[rows], scores, atol=1e-6)
    among = np.arange(len(vectors)) if allowed is None else np.flatnonzero(allowed)
    assert set(rows.tolist()) <= set(among.tolist())
    assert len(rows) == len(set(rows.tolist())) == min(count, len(among))
    if 4 * count >= len(among):  # Then all are scored exactly.
        expected = np.sort(all_scores[among])[::-1][:count]
        np.testing.assert_allclose(expected, scores, atol=1e-6)
    np.testing.assert_array_equal(vectors[rows], found.vectors(rows))


def clusters(count: int) -> FloatArray:
    chance = np.random.default_rng(1)
    centres = chance.standard_normal((count // 100, 32), np.float32)
    chosen = chance.integers(0, len(centres), count)
    noise = chance.standard_normal((count, 32), np.float32) * np.float32(0.5)
    return halves(normalize(centres[chosen] + noise))


@pytest.mark.parametrize("share", [1.0, 0.3, 0.03, 0.001])
def test_codes_find_the_nearest_of_many_under_every_filter(tmp_path: Path, share: float) -> None:
    vectors = clusters(6000)
    found = Vectors([(index(tmp_path, vectors, exact=False), None)], Rows([len(vectors)]))
    allowed = np.random.default_rng(2).random(len(vectors)) < share
    among, held = np.flatnonzero(allowed), []
    for query in normalize(vectors[::300] + np.float32(0.1)):
        scores, rows = found.search(query, 50, None if share == 1 else allowed)
        expected = np.sort(vectors[among] @ query)[::-1][:50]
        assert len(scores) == len(expected)
        assert allowed[rows].all()
        held.append(np.isin(np.round(expected, 5), np.round(scores, 5)).mean())
    assert np.mean(held) > 0.98


def test_segments_with_codes_find_together_what_they_find_alone(tmp_path: Path) -> None:
    """Later segments leave out what could not be among the best of those before."""
    vectors = clusters(8000)
    parts = np.split(vectors, [300, 3000, 3200, 7000])
    opened = []
    for number, part in enumerate(parts):
        (tmp_path / str(number)).mkdir()
        opened.append(index(tmp_path / str(number), part, exact=len(part) == 200))
    rows = Rows([len(part) for part in parts])
    together = Vectors([(part, None) for part in opened], rows)
    for query in normalize(vectors[::400] + np.float32(0.1)):
        alone = [part.search(query, 200) for part in opened]
        rough = np.concatenate([scores for scores, _ in alone])
        places = np.concatenate(
            [there + begin for (_, there), begin in zip(alone, rows.begins, strict=True)]
        )
        read = places[np.argsort(-rough)[:200]]
        expected = read[np.argsort(-(vectors[read] @ query))[:50]]
        np.testing.assert_array_equal(expected, together.search(query, 50)[1])


@given(st.lists(st.integers(-3, 3), max_size=200), st.integers(0, 5))
def test_the_highest_are_those_that_sorting_puts_first(scores: list[int], count: int) -> None:
    found = highest(np.array(scores, np.float32), count)
    assert sorted(range(len(scores)), key=lambda place: -scores[place])[:count] == found.tolist()


def test_numbers_of_16_bits_become_the_same_numbers() -> None:
    halves = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    np.testing.assert_array_equal(halves.astype(np.float32), widened(halves))


def test_as_many_neighbours_as_vectors(tmp_path: Path) -> None:
    vectors = clusters(3000)
    found = index(tmp_path, vectors, exact=False)
    scores, rows = found.search(vectors[0], 10_000)
    assert sorted(rows.tolist()) == list(range(3000))
    assert (np.diff(scores) <= 0).all()


# --- 8 bits ---------------------------------------------------------------------------------------


@given(VECTORS)
def test_vectors_in_8_bits_keep_their_direction(case: tuple[FloatArray, FloatArray]) -> None:
    vectors = case[0]
    back = unpack(pack(vectors))
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(back, axis=1), atol=1e-6)
    assert np.abs(vectors - back).max(initial=0) <= 0.5 / 127 * 3**0.5
    np.testing.assert_array_equal(pack(back), pack(vectors))


# --- Limits ---------------------------------------------------------------------------------------


def test_more_neighbours_than_vectors(tmp_path: Path) -> None:
    found = index(tmp_path, np.eye(3, dtype=np.float32))
    scores, rows = found.search(np.array([0, 1, 0], np.float32), 1000)
    assert [1.0, 0.0, 0.0] == scores.tolist()
    assert 1 == rows[0]
    assert {0, 2} == set(rows[1:].tolist())


def test_no_vectors(tmp_path: Path) -> None:
    found = index(tmp_path, np.empty((0, 5), np.float32))
    assert 5 == found.dimension
    scores, rows = found.search(np.ones(5, np.float32), 10)
    assert ((0,), (0,)) == (scores.shape, rows.shape)
    assert (0, 5) == found.vectors(np.empty(0, np.int64)).shape


def test_one_vector(tmp_path: Path) -> None:
    found = index(tmp_path, np.array([[0.6, 0.8]], np.float32))
    scores, rows = found.search(np.array([1, 0], np.float32), 10)
    assert [0] == rows.tolist()
    np.testing.assert_allclose([0.6], scores, atol=1e-3)


def test_vectors_that_are_not_contiguous(tmp_path: Path) -> None:
    wide = np.arange(24, dtype=np.float32).reshape(4, 6)
    found = index(tmp_path, wide[:, ::2])
    np.testing.assert_array_equal(wide[:, ::2], found.vectors(np.arange(4)))


def opened(folder: Path) -> SegmentVectors:
    return SegmentVectors(stored(folder / "passages.npy"), folder / "passages.faiss")


def test_codes_that_are_cut_short_anywhere(tmp_path: Path) -> None:
    index(tmp_path, np.eye(3, dtype=np.float32), exact=False)
    path = tmp_path / "passages.faiss"
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="faiss cannot read it"):
            opened(tmp_path)


@pytest.mark.parametrize("content", [b"no index", b"IxFI", bytes(1000)])
def test_codes_that_are_no_index(tmp_path: Path, content: bytes) -> None:
    index(tmp_path, np.eye(3, dtype=np.float32))
    (tmp_path / "passages.faiss").write_bytes(content)
    with pytest.raises(ValueError, match="faiss cannot read it"):
        opened(tmp_path)


def test_codes_that_are_missing(tmp_path: Path) -> None:
    index(tmp_path, np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError, match="No such file or directory"):
        opened(tmp_path)


def test_index_of_another_kind(tmp_path: Path) -> None:
    index(tmp_path, np.eye(3, dtype=np.float32))
    faiss.write_index(faiss.IndexFlatL2(4), str(tmp_path / "passages.faiss"))
    with pytest.raises(ValueError, match="IndexFlatL2, not IndexIVFPQFastScan"):
        opened(tmp_path)


def test_codes_of_other_vectors(tmp_path: Path) -> None:
    index(tmp_path, np.eye(4, dtype=np.float32), exact=False)
    index(tmp_path, np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError, match=r"passages\.faiss: does not fit the vectors"):
        opened(tmp_path)


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file or directory"):
        write_codes(tmp_path / "missing" / "index", np.eye(3, dtype=np.float16))
