"""Taking the language out of vectors."""

from __future__ import annotations

import os
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.encoders import FloatArray, language_subspace, open_encoder
from qabot.encoders.language_subspace import COMMON, LanguageSubspace, cached, estimate
from tests.encoders.texts import PARALLEL
from tests.support import HashingEncoder, RecordingEncoder

PARTS = ("query_mean", "document_mean", "basis", "languages", "centres")


def samples() -> list[tuple[str, str, int, str]]:
    text = resources.files("qabot.encoders").joinpath("language_samples.tsv").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if not line.startswith("#")]
    assert ["language", "kind", "n", "text"] == lines[0]
    return [(language, kind, int(n), sentence) for language, kind, n, sentence in lines[1:]]


@pytest.fixture(scope="module")
def subspace() -> LanguageSubspace:
    return estimate(HashingEncoder(dimension=64))


def subspace_of(
    query_mean: Any, document_mean: Any, basis: Any, centres: dict[str, list[float]] | None = None
) -> LanguageSubspace:
    """A subspace of which ``centres`` are the languages."""
    known = centres or {}
    rank = len(basis)
    return LanguageSubspace(
        np.array(query_mean, np.float32),
        np.array(document_mean, np.float32),
        np.array(basis, np.float32),
        np.array(list(known), "U2"),
        np.array(list(known.values()), np.float32).reshape(-1, rank),
    )


def near(expected: Any, actual: FloatArray, tolerance: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(expected, np.float64), actual, atol=tolerance)


def random_vectors(rows: int, dimension: int = 64, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).normal(size=(rows, dimension)).astype(np.float32)


# The sample sentences.


def test_every_language_has_the_same_rows() -> None:
    rows = Counter((language, kind, n) for language, kind, n, _ in samples())
    languages = sorted({language for language, _, _ in rows})
    expected = {
        (language, kind, n): 1
        for language in languages
        for kind in ("question", "statement")
        for n in range(1, 25)
    }
    assert expected == rows
    assert 31 == len(languages)
    assert len(rows) == language_subspace.sample_count()


def test_no_sample_is_empty_or_there_twice() -> None:
    sentences = [sentence for *_, sentence in samples()]
    assert all(sentence == sentence.strip() != "" for sentence in sentences)
    assert [] == [text for text, count in Counter(sentences).items() if count > 1]


def test_the_tests_sentences_are_no_samples() -> None:
    own = {sentence for sentences in PARALLEL.values() for sentence in sentences}
    assert set() == own & {sentence for *_, sentence in samples()}


# The estimate.


def test_means_are_over_languages(subspace: LanguageSubspace) -> None:
    encoder = HashingEncoder(dimension=64)
    for kind, mean in (
        ("question", subspace.query_mean),
        ("statement", subspace.document_mean),
    ):
        # Every language has as many samples, so the mean of their means is the mean of all.
        vectors = encoder.encode_query([text for _, k, _, text in samples() if k == kind])
        np.testing.assert_allclose(vectors.mean(axis=0), mean, atol=1e-6)


def test_basis_is_orthonormal(subspace: LanguageSubspace) -> None:
    assert (8, 64) == subspace.basis.shape
    np.testing.assert_allclose(np.eye(8), subspace.basis @ subspace.basis.T, atol=1e-5)


def test_basis_is_where_languages_differ_most(subspace: LanguageSubspace) -> None:
    """The same space by another way: eigenvectors of the covariance of the languages' means."""
    encoder = HashingEncoder(dimension=64)
    covariance = np.zeros((64, 64))
    for kind in ("question", "statement"):
        means = np.stack(
            [
                encoder.encode_query(
                    [text for other, k, _, text in samples() if (other, k) == (language, kind)]
                ).mean(axis=0)
                for language in sorted({language for language, *_ in samples()})
            ]
        ).astype(np.float64)
        covariance += (means - means.mean(axis=0)).T @ (means - means.mean(axis=0))
    directions = np.linalg.eigh(covariance)[1][:, -8:]
    projection = subspace.basis.T @ subspace.basis
    np.testing.assert_allclose(directions @ directions.T, projection, atol=1e-3)


@pytest.mark.parametrize(("dimension", "rank"), [(1, 0), (7, 0), (8, 1), (16, 2), (384, 24)])
def test_small_models_lose_few_directions(dimension: int, rank: int) -> None:
    small = estimate(HashingEncoder(dimension=dimension))
    assert (rank, dimension) == small.basis.shape
    removed = small.documents(random_vectors(5, dimension))
    near(np.ones(5), np.linalg.norm(removed, axis=1), 1e-5)


def test_progress_is_told() -> None:
    counts: list[int] = []
    estimate(HashingEncoder(dimension=8), counts.append)
    assert len(samples()) == sum(counts)
    assert len(counts) > 10


# The removal.


def test_removal_by_hand() -> None:
    """Of (3, 4, 5): less 0.65 (1, 0, 2), then less what lies along (1, 0, 0)."""
    zeros, mean, basis = [0, 0, 0], [1, 0, 2], [[1, 0, 0]]
    vectors = np.array([[3, 4, 5], [7, 0, 0]], np.float32)
    rest = np.array([0, 4, 5 - 2 * COMMON])
    expected = [rest / np.linalg.norm(rest), [0, 0, -1]]
    near(expected, subspace_of(mean, zeros, basis).queries(vectors))
    near(expected, subspace_of(zeros, mean, basis).documents(vectors))
    without = [np.array([0, 4, 5]) / np.sqrt(41), [0, 0, 0]]
    near(without, subspace_of(mean, zeros, basis).documents(vectors))


@given(st.integers(0, 10), st.integers(0, 2**32))
def test_nothing_is_left_along_the_basis(subspace: LanguageSubspace, count: int, seed: int) -> None:
    vectors = random_vectors(count, seed=seed)
    for removed in (subspace.queries(vectors), subspace.documents(vectors)):
        assert np.float32 == removed.dtype
        near(np.ones(count), np.linalg.norm(removed, axis=1), 1e-5)
        near(np.zeros((count, 8)), removed @ subspace.basis.T, 1e-5)


@given(st.integers(0, 2**32))
def test_removing_directions_a_second_time_changes_nothing(
    subspace: LanguageSubspace, seed: int
) -> None:
    directions = subspace_of(np.zeros(64), np.zeros(64), subspace.basis)
    once = directions.documents(random_vectors(5, seed=seed))
    near(once, directions.documents(once), 1e-5)


# The language of a question.


def test_language_by_hand() -> None:
    """Along (1, 0, 0) and (0, 1, 0), from (1, 1, 1) on."""
    centres = {"en": [0.0, 0.0], "de": [2.0, 0.0], "fr": [0.0, -3.0]}
    found = subspace_of([1, 1, 1], [9, 9, 9], [[1, 0, 0], [0, 1, 0]], centres)
    places = {(1.9, 1, 1): "en", (2.1, 1, 50): "de", (1.9, -1, 1): "fr", (2.1, -1, 0): "fr"}
    for place, language in places.items():
        assert language == found.language(np.array(place, np.float32)), place


def test_no_language_where_nothing_tells_them_apart() -> None:
    assert subspace_of([0], [0], [[1]]).language(np.ones(1, np.float32)) is None
    assert estimate(HashingEncoder(dimension=4)).language(np.ones(4, np.float32)) is None


def test_centres_are_where_the_questions_of_a_language_lie(subspace: LanguageSubspace) -> None:
    encoder = HashingEncoder(dimension=64)
    languages = list(dict.fromkeys(language for language, *_ in samples()))
    assert languages == subspace.languages.tolist()
    for language, centre in zip(languages, subspace.centres, strict=True):
        questions = [
            t for other, kind, _, t in samples() if (other, kind) == (language, "question")
        ]
        mean = encoder.encode_query(questions).mean(axis=0)
        near((mean - subspace.query_mean) @ subspace.basis.T, centre)


def test_languages_are_told_apart(model_cache: Path) -> None:
    encoder = open_encoder("multilingual-e5-small", cache=model_cache)
    subspace = cached(encoder, model_cache)
    outcomes = [
        language == subspace.language(vector)
        for language, texts in PARALLEL.items()
        for vector in encoder.encode_query(texts)
    ]
    assert np.mean(outcomes) > 0.9


# On disk.


def test_round_trip(subspace: LanguageSubspace, tmp_path: Path) -> None:
    subspace.save(tmp_path / "subspace.npz")
    loaded = LanguageSubspace.load(tmp_path / "subspace.npz")
    for part in PARTS:
        np.testing.assert_array_equal(getattr(subspace, part), getattr(loaded, part))
        assert getattr(subspace, part).dtype == getattr(loaded, part).dtype


def test_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LanguageSubspace.load(tmp_path / "subspace.npz")


def test_file_that_is_cut_short_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "subspace.npz"
    estimate(HashingEncoder(dimension=8)).save(path)
    content = path.read_bytes()
    for size in range(0, len(content), 3):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError, match="no language subspace"):
            LanguageSubspace.load(path)


@settings(max_examples=300)
@given(st.data())
def test_damage_is_found_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "subspace.npz"
    whole = subspace_of(np.ones(4), np.zeros(4), np.eye(2, 4), {"en": [1, 2], "de": [3, 4]})
    whole.save(path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        loaded = LanguageSubspace.load(path)
    except (OSError, ValueError):
        return
    for part in PARTS:
        np.testing.assert_array_equal(getattr(whole, part), getattr(loaded, part))


FITTING = {
    "query_mean": (4,),
    "document_mean": (4,),
    "basis": (2, 4),
    "languages": (3,),
    "centres": (3, 2),
}


@pytest.mark.parametrize("missing", PARTS)
def test_array_that_is_missing(tmp_path: Path, missing: str) -> None:
    save_arrays(tmp_path / "whole.npz", FITTING)
    LanguageSubspace.load(tmp_path / "whole.npz")
    save_arrays(tmp_path / "part.npz", {k: v for k, v in FITTING.items() if k != missing})
    with pytest.raises(ValueError, match="no language subspace"):
        LanguageSubspace.load(tmp_path / "part.npz")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("query_mean", (5,)),
        ("document_mean", (5,)),
        ("document_mean", (4, 1)),
        ("basis", (2, 5)),
        ("basis", (3, 4)),
        ("basis", ()),
        ("languages", (2,)),
        ("centres", (3, 3)),
        ("centres", (6,)),
    ],
)
def test_array_that_does_not_fit(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    save_arrays(tmp_path / "subspace.npz", FITTING | {name: shape})
    with pytest.raises(ValueError, match="no language subspace: its arrays do not fit together"):
        LanguageSubspace.load(tmp_path / "subspace.npz")


def save_arrays(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    values: dict[str, Any] = {
        name: np.full(shape, "en") if name == "languages" else np.ones(shape, np.float32)
        for name, shape in shapes.items()
    }
    np.savez(path, **values)


def test_another_numpy_file(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.eye(3))
    with pytest.raises(ValueError, match="no language subspace"):
        LanguageSubspace.load(tmp_path / "array.npy")


# The cache.


def test_cache_is_written_once(tmp_path: Path) -> None:
    encoder = RecordingEncoder(HashingEncoder())
    first = cached(encoder, tmp_path / "cache")
    assert len(samples()) == len(encoder.queries) + len(encoder.documents)
    (path,) = (tmp_path / "cache").iterdir()
    written = path.stat().st_mtime_ns

    again = RecordingEncoder(HashingEncoder())
    second = cached(again, tmp_path / "cache")
    assert [] == again.queries + again.documents
    assert [path] == list((tmp_path / "cache").iterdir())
    assert written == path.stat().st_mtime_ns
    np.testing.assert_array_equal(first.basis, second.basis)


def test_questions_and_statements_are_encoded_as_what_they_are(tmp_path: Path) -> None:
    encoder = RecordingEncoder(HashingEncoder())
    cached(encoder, tmp_path)
    assert [t for _, kind, _, t in samples() if kind == "question"] == encoder.queries
    assert [t for _, kind, _, t in samples() if kind == "statement"] == encoder.documents


def test_every_model_has_its_own(tmp_path: Path) -> None:
    for fingerprint, dimension in (("a" * 64, 16), ("b" * 64, 32), ("a" * 64, 16)):
        encoder = HashingEncoder(fingerprint=fingerprint, dimension=dimension)
        assert (dimension,) == cached(encoder, tmp_path).query_mean.shape
    assert 2 == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_damaged_cache_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    expected = cached(HashingEncoder(), tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage)
    found = cached(HashingEncoder(), tmp_path)
    np.testing.assert_array_equal(expected.basis, found.basis)
    np.testing.assert_array_equal(expected.basis, LanguageSubspace.load(path).basis)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_the_place_of_the_cache_is_not_waited_for(tmp_path: Path) -> None:
    expected = cached(HashingEncoder(), tmp_path)
    (path,) = tmp_path.iterdir()
    path.unlink()
    os.mkfifo(path)
    np.testing.assert_array_equal(expected.basis, cached(HashingEncoder(), tmp_path).basis)
    np.testing.assert_array_equal(expected.basis, LanguageSubspace.load(path).basis)


def test_cache_that_cannot_be_written(tmp_path: Path, subspace: LanguageSubspace) -> None:
    (tmp_path / "file").touch()
    found = cached(HashingEncoder(), tmp_path / "file" / "cache")
    np.testing.assert_array_equal(subspace.basis, found.basis)


# What it is for.


def test_translations_come_before_unrelated_sentences_of_the_own_language(
    model_cache: Path,
) -> None:
    encoder = open_encoder("multilingual-e5-small", cache=model_cache)
    subspace = cached(encoder, model_cache)
    queries = {k: encoder.encode_query(texts) for k, texts in PARALLEL.items()}
    documents = {k: encoder.encode_document(texts) for k, texts in PARALLEL.items()}
    before = translations_first(queries, documents)
    after = translations_first(
        {k: subspace.queries(vectors) for k, vectors in queries.items()},
        {k: subspace.documents(vectors) for k, vectors in documents.items()},
    )
    assert before < after
    assert after > 0.99


def translations_first(queries: dict[str, FloatArray], documents: dict[str, FloatArray]) -> float:
    """How often a sentence is nearer to its translation than to all others in its language."""
    outcomes = []
    for own, vectors in queries.items():
        for other in set(documents) - {own}:
            for n, query in enumerate(vectors):
                unrelated = np.delete(documents[own], n, axis=0)
                outcomes.append(query @ documents[other][n] > (unrelated @ query).max())
    return float(np.mean(outcomes))
