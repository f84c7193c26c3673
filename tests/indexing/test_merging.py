"""Segments: what is written anew, and that nothing else depends on how articles are spread."""

from __future__ import annotations

import contextlib
import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.answering.engine import Engine
from qabot.answering.retrieval import Retriever
from qabot.errors import DamagedIndexError
from qabot.index import Generation, IndexStore, writer
from qabot.indexing import merging
from qabot.indexing.merging import Size, dissolved
from qabot.settings import Settings
from qabot.types import Filters, Hit
from tests.support import HashingEncoder, build_index, write_article

ENCODER = HashingEncoder()
QUESTIONS = ("When did the rocket fly to Mars?", "Welche Farbe hat das Haus?", "apple", "gibt es?")
SENTENCES = {
    "en": [
        "The rocket flew to Mars.",
        "An apple is red.",
        "The house is 12 m high.",
        "So it is.",
    ],
    "de": ["Die Rakete flog zum Mars.", "Das Haus hat die Farbe Blau.", "Ein Apfel ist rot."],
}


@contextlib.contextmanager
def limits(small: int, largest: int, exact: int = 1000) -> Iterator[None]:
    """Other sizes at which segments are merged, written apart, and get an index of codes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "SMALL", small)
        patch.setattr(merging, "LARGEST", largest)
        patch.setattr(writer, "EXACT", exact)
        yield


def names(index: Path) -> list[str]:
    """The segments of the live generation."""
    return [segment.name for segment in IndexStore(index).manifest().segments]


def folders(index: Path) -> list[str]:
    return sorted(path.name for path in (index / "segments").iterdir())


# --- Answers --------------------------------------------------------------------------------------


def told(hit: Hit) -> tuple[object, ...]:
    return hit.passage, hit.article, hit.pages, hit.same_language, hit.sentence_lexical_scores


def hits(generation: Generation, filters: Filters) -> list[list[Hit]]:
    retriever = Retriever(generation, ENCODER)
    return [retriever.search(question, 50, filters=filters) for question in QUESTIONS]


def assert_same(spread: Path, whole: Path) -> None:
    """Two indexes of the same articles cannot be told apart by what they say."""
    with (
        contextlib.closing(IndexStore(spread).open()) as mine,
        contextlib.closing(IndexStore(whole).open()) as theirs,
    ):
        assert mine.database.contents() == theirs.database.contents()
        assert mine.database.passage_counts() == theirs.database.passage_counts()
        for info in theirs.database.infos():
            assert mine.database.article(info.id) == theirs.database.article(info.id)
            assert mine.database.pages(info.id) == theirs.database.pages(info.id)
            assert [passage for _, passage in mine.database.passages(info.id)] == [
                passage for _, passage in theirs.database.passages(info.id)
            ]
        assert len(mine.rows) == mine.manifest.passages == theirs.manifest.passages
        assert mine.manifest.languages == theirs.manifest.languages
        languages = [Filters(language=name) for name in theirs.manifest.languages]
        for filters in (Filters(), *languages):
            pairs = zip(hits(mine, filters), hits(theirs, filters), strict=True)
            for found, expected in pairs:
                assert list(map(told, found)) == list(map(told, expected))
                np.testing.assert_allclose(
                    [[hit.score, hit.similarity, hit.lexical_score] for hit in found],
                    [[hit.score, hit.similarity, hit.lexical_score] for hit in expected],
                    atol=1e-6,
                )


# Of each step: articles (by number) → the number of their text, or None if they leave.
STEPS = st.lists(
    st.dictionaries(st.integers(0, 7), st.none() | st.integers(0, 99), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


def write(folder: Path, number: int, text: int) -> None:
    chance = random.Random(text)
    language = "de" if number % 3 == 0 else "en"
    sentences = chance.choices(SENTENCES[language], k=chance.randint(1, 3))
    write_article(folder, f"a{number}", "\n\n".join(sentences), language=language, title="Title")


@settings(max_examples=12)
@given(STEPS, st.sampled_from([(0, 4), (0, 100), (3, 100)]), st.sampled_from([2, 1000]))
def test_answers_do_not_depend_on_how_articles_are_spread(tmp_path_factory, steps, sizes, exact):
    folder = tmp_path_factory.mktemp("spread")
    write(folder / "articles", 99, 1)
    small, largest = sizes
    with limits(small, largest, exact):
        build_index(folder / "index", folder / "articles")
        for step in steps:
            for number, text in step.items():
                (folder / f"articles/a{number}.md").unlink(missing_ok=True)
                if text is not None:
                    write(folder / "articles", number, text)
            build_index(folder / "index", folder / "articles")
    build_index(folder / "whole", folder / "articles")
    assert_same(folder / "index", folder / "whole")
    assert set(names(folder / "index")) <= set(folders(folder / "index"))
    shutil.rmtree(folder)


def test_passages_that_score_alike_stay_in_the_order_of_their_articles(tmp_path):
    for name in ("b", "d", "a", "c"):
        write_article(tmp_path / "articles", name, "The rocket flew to Mars.", title="Rocket")
        with limits(0, 100):
            build_index(tmp_path / "index", tmp_path / "articles")
    assert len(names(tmp_path / "index")) > 1
    with contextlib.closing(IndexStore(tmp_path / "index").open()) as generation:
        retriever = Retriever(generation, ENCODER)
        for count in (1, 2, 3, 9):
            found = retriever.search("Who flew to Mars?", count)
            assert [hit.article.id for hit in found] == ["a", "b", "c", "d"][:count]


# --- What is written ------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Eight articles in one segment, and one more in a second."""
    for number in range(8):
        write_article(tmp_path / "articles", f"a{number}", f"The state of a{number} is old.")
    build_index(tmp_path / "index", tmp_path / "articles")
    write_article(tmp_path / "articles", "b", "The state of b is old.")
    with limits(0, 100):
        build_index(tmp_path / "index", tmp_path / "articles")
    assert names(tmp_path / "index") == ["1-1", "2-1"]
    return tmp_path / "index"


def rebuild(index: Path, **texts: str | None) -> None:
    articles = index.parent / "articles"
    for name, text in texts.items():
        path = articles / f"{name}.md"
        path.unlink(missing_ok=True)
        if text is not None:
            write_article(articles, name, text)
    with limits(0, 100):
        build_index(index, articles, keep=2)


def stats(index: Path, segment: str) -> dict[str, tuple[int, int, int]]:
    paths = (index / "segments" / segment).iterdir()
    found = {path.name: path.stat() for path in paths}
    return {name: (stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found.items()}


def articles(index: Path) -> dict[str, str]:
    with contextlib.closing(IndexStore(index).open()) as generation:
        found = [generation.database.article(i.id) for i in generation.database.infos()]
    return {article.info.id: article.text for article in found if article}


def test_what_did_not_change_is_not_touched(index):
    before = stats(index, "1-1")
    rebuild(index, a3="The state of a3 is new.")
    # The small one went into the new one; of the large one, an article has left.
    assert names(index) == ["1-1", "3-1"]
    assert stats(index, "1-1") == before
    assert articles(index)["a3"] == "The state of a3 is new."
    assert articles(index)["b"] == "The state of b is old."
    assert len(articles(index)) == 9


def test_an_article_that_leaves_costs_no_new_segment(index):
    rebuild(index, a3=None)
    assert names(index) == ["1-1", "2-1"]
    assert "a3" not in articles(index)
    with Engine(IndexStore(index), ENCODER, Settings(threshold=0.0)) as engine:
        answer = engine.ask("What is the state of a3?")
        assert "a3" not in {quote.article.id for quote in answer.quotes}
    # And it may come back.
    rebuild(index, a3="The state of a3 is new.")
    assert articles(index)["a3"] == "The state of a3 is new."


def test_a_segment_that_most_articles_have_left_is_cleared(index):
    rebuild(index, a0=None, a1=None)
    assert names(index) == ["1-1", "2-1"]
    rebuild(index, a2=None)
    assert names(index) == ["4-1"]
    assert sorted(articles(index)) == ["a3", "a4", "a5", "a6", "a7", "b"]


def test_a_small_index_is_one_segment(tmp_path):
    for number in range(4):
        write_article(tmp_path / "articles", f"a{number}", "The state is old.")
        build_index(tmp_path / "index", tmp_path / "articles")
        (segment,) = IndexStore(tmp_path / "index").manifest().segments
        assert (segment.articles, segment.left) == (number + 1, "")
    (tmp_path / "articles/a0.md").unlink()
    build_index(tmp_path / "index", tmp_path / "articles")
    (segment,) = IndexStore(tmp_path / "index").manifest().segments
    assert (segment.articles, segment.left) == (3, "")


def test_a_large_index_is_written_in_parts(tmp_path):
    for number in range(10):
        write_article(tmp_path / "articles", f"a{number}", f"The state of a{number} is old.")
    with limits(0, 4):
        build_index(tmp_path / "index", tmp_path / "articles")
    made = IndexStore(tmp_path / "index").manifest()
    assert [(s.name, s.passages) for s in made.segments] == [("1-1", 4), ("1-2", 4), ("1-3", 2)]
    assert len(articles(tmp_path / "index")) == 10


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=8),
    st.integers(0, 300),
    st.integers(0, 50),
)
def test_what_stays_is_large_or_much_larger_than_what_is_written(pairs, added, small):
    sizes = [Size(max(pair), min(pair)) for pair in pairs]
    with limits(small, 400):
        chosen = dissolved(sizes, added)
    written = added + sum(sizes[place].stay for place in chosen)
    for place, size in enumerate(sizes):
        left = size.held - size.stay
        if place in chosen:
            continue
        assert left <= (0.25 * size.held if size.stay > small else 0)
        if written:
            assert size.stay > 2 * written or size.stay > 200


def test_the_number_of_segments_grows_with_the_logarithm():
    sizes: list[Size] = []
    for _ in range(5000):
        with limits(20, 10**6):
            chosen = dissolved(sizes, 7)
        written = 7 + sum(sizes[place].stay for place in chosen)
        sizes = [size for place, size in enumerate(sizes) if place not in chosen]
        sizes.append(Size(written, written))
        total = sum(size.stay for size in sizes)
        assert len(sizes) <= math.log2(total / 7) + 1
    assert sum(size.stay for size in sizes) == 5000 * 7


# --- Generations share segments -------------------------------------------------------------------


def test_rollback_finds_the_segments_of_an_earlier_generation(index):
    rebuild(index, a3="The state of a3 is new.", b=None)
    assert IndexStore(index).rollback().generation == 2
    assert articles(index)["a3"] == "The state of a3 is old."
    assert articles(index)["b"] == "The state of b is old."
    rebuild(index, a3="The state of a3 is newest.", b=None)
    assert articles(index)["a3"] == "The state of a3 is newest."


def test_segments_go_with_the_last_generation_that_names_them(index):
    assert folders(index) == ["1-1", "2-1"]
    rebuild(index, b="The state of b is new.")  # Generations 2 and 3 stay.
    assert folders(index) == ["1-1", "2-1", "3-1"]
    rebuild(index, b="The state of b is newer.")
    assert folders(index) == ["1-1", "3-1", "4-1"]
    with contextlib.closing(IndexStore(index).open()) as held:
        for number in range(3):
            rebuild(index, b=f"The state of b is number {number}.")
        assert folders(index) == ["1-1", "4-1", "6-1", "7-1"]
        article = held.database.article("b")
        assert article
        assert article.text == "The state of b is newer."
    rebuild(index, b="The state of b is final.")
    assert folders(index) == ["1-1", "7-1", "8-1"]


def test_no_segment_is_removed_while_a_manifest_cannot_be_read(index):
    path = index / "generations/1/manifest.json"
    whole = path.read_bytes()
    rebuild(index, b="The state of b is new.")
    path.parent.mkdir()
    path.write_bytes(b"unreadable for now")
    (index / "segments/1-2").mkdir()
    assert IndexStore(index).leftovers() == []
    path.write_bytes(whole)
    assert IndexStore(index).leftovers() == [index / "segments/1-2"]


@pytest.mark.parametrize("segment", ["1-1", "2-1"])
def test_a_segment_that_is_gone_or_another_is_named(index, segment):
    path = index / "segments" / segment
    path.rename(path.with_name("9-9"))
    with pytest.raises(DamagedIndexError, match=f"segments/{segment}/articles.sqlite: cannot be"):
        IndexStore(index).open()
    other = "2-1" if segment == "1-1" else "1-1"
    shutil.copytree(path.with_name(other), path)
    with pytest.raises(DamagedIndexError, match=f"segments/{segment}/articles.sqlite: "):
        IndexStore(index).open()
    rebuild(index, b="The state of b is new.")
    assert articles(index)["b"] == "The state of b is new."
