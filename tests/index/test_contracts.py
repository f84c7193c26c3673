"""What questions need of an index holds wherever it is kept: one suite for all implementations."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qabot.answering.engine import Engine
from qabot.answering.retrieval import Retriever, scores_of
from qabot.errors import FilterError
from qabot.index import Candidates, OpenGeneration, Store, open_store
from qabot.indexing.encoding_plan import passage_input
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Summary
from qabot.settings import Settings
from qabot.types import Article, Filters, Passage
from tests.answering.test_retrieval import QUESTIONS, articles
from tests.index.bm25 import coverages
from tests.index.milvus_server import SERVERS
from tests.support import HashingEncoder, shared_cache, write_article

ENCODER = HashingEncoder(dimension=128)
NO_FILTERS = Filters()


@dataclass(frozen=True)
class Place:
    """Where an index is kept, and the articles that it is built from.

    Attributes:
        store: The index.
        folder: The articles.
    """

    store: Store
    folder: Path

    def rebuild(self, *, full: bool = False) -> Summary:
        plan = IndexPlan(
            (str(self.folder / "articles"),),
            shared_cache(),
            {"old": (str(self.folder / "old"),)},
            full=full,
        )
        return rebuild(self.store, ENCODER, plan)


@pytest.fixture(scope="module", params=["folder", *SERVERS])
def kept(request: pytest.FixtureRequest, tmp_path_factory) -> Iterator[Callable[[Path], Store]]:
    """Makes an index that is kept in a folder or on a Milvus server."""
    if request.param == "folder":
        yield lambda folder: open_store(Settings(index=str(folder / "index")))
        return
    folder = tmp_path_factory.mktemp("milvus")
    with SERVERS[request.param](folder / "data") as server, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        names = (f"index_{number}" for number in itertools.count())
        yield lambda _: open_store(Settings(index=f"{server.address}/{next(names)}"))


@pytest.fixture(scope="module")
def many(kept, tmp_path_factory) -> Place:
    """Far more passages than are looked at closely; not to be changed."""
    folder = tmp_path_factory.mktemp("many")
    articles(folder / "articles", 300)
    for number, published in enumerate(["2021", "2022-03", "2022-11-05", None]):
        name, text = f"dated-{number}", "The telescope moved to the coast. It is there still."
        write_article(folder / "old", name, text, published=published, url=f"https://a.org/{name}")
    place = Place(kept(folder), folder)
    place.rebuild()
    return place


@pytest.fixture(scope="module")
def generation(many) -> Iterator[OpenGeneration]:
    with closing(many.store.open()) as opened:
        yield opened


@pytest.fixture
def few(kept, tmp_path) -> Place:
    """A few articles, which a test may change."""
    write_article(tmp_path / "articles", "bridge", "The bridge was opened in 1903.")
    write_article(tmp_path / "articles", "harbour", "The harbour froze. Ships waited in the north.")
    write_article(tmp_path / "old", "theatre", "The theatre burned in 1911.")
    place = Place(kept(tmp_path), tmp_path)
    place.rebuild()
    return place


def every_article(generation: OpenGeneration) -> list[Article]:
    found = [generation.database.article(info.id) for info in generation.database.infos()]
    return [article for article in found if article]


def of_rows(
    generation: OpenGeneration, found: Candidates, values: Sequence[float]
) -> Iterator[tuple[Passage, float]]:
    for row, value in zip(found.rows.tolist(), values, strict=True):
        yield generation.database.read([row])[0][0], value


def test_articles_and_their_passages(many, generation):
    ids = [info.id for info in generation.database.infos()]
    assert ids == sorted(ids)
    assert len(ids) == 304 == generation.manifest.articles
    counts = generation.database.passage_counts()
    assert sum(counts.values()) == generation.manifest.passages
    for article in every_article(generation):
        passages = generation.database.passages(article.info.id)
        assert len(passages) == counts[article.info.id]
        assert generation.database.pages(article.info.id) == article.pages
        for row, passage in passages:
            assert passage.text == article.text[passage.start : passage.end]
            assert generation.database.read([row]) == [(passage, article.info)]
    assert generation.database.article("nowhere") is None
    assert generation.database.article("\udc80") is None
    assert generation.database.passages("nowhere") == []


def test_candidates_have_the_cosines_and_words_of_their_texts(generation):
    texts = {
        row: (article.info, passage)
        for article in every_article(generation)
        for row, passage in generation.database.passages(article.info.id)
    }
    analysed = [(r, i.language, passage_input(i.title, p)) for r, (i, p) in texts.items()]
    for question in QUESTIONS:
        query = generation.subspace.queries(ENCODER.encode_query([question]))[0]
        found = generation.candidates(
            question, query, NO_FILTERS, nearest=200, wordiest=50, most=250
        )
        assert len(set(found.rows.tolist())) == len(found.rows) >= 200
        words = {row: s for of in coverages(analysed, question).values() for row, s in of.items()}
        for place, row in enumerate(found.rows.tolist()):
            info, passage = texts[row]
            own = [passage.text[start:end] for start, end in passage.sentences]
            made = ENCODER.encode_document([passage_input(info.title, passage), *own])
            whole, *sentences = generation.subspace.documents(made)
            assert found.similarities[place] == pytest.approx(query @ whole, abs=0.01)
            held = found.sentences[found.starts[place] : found.starts[place + 1]]
            assert held == pytest.approx(np.array(sentences) @ query, abs=0.01)
            # By its words it may have come too late to be scored, never with another score.
            assert found.lexical[place] in (0, pytest.approx(words.get(row, 0), abs=1e-4))


@pytest.mark.parametrize("question", QUESTIONS)
def test_of_many_candidates_the_most_promising_are_taken(generation, question):
    query = generation.subspace.queries(ENCODER.encode_query([question]))[0]
    every, some = (
        generation.candidates(question, query, NO_FILTERS, nearest=200, wordiest=50, most=most)
        for most in (10**4, 40)
    )
    promise = every.similarities + every.lexical
    assert len(some.rows) == 40
    assert np.sort(some.similarities + some.lexical) == pytest.approx(np.sort(promise)[-40:])
    where = every.rows.searchsorted(some.rows)
    assert (every.rows[where] == some.rows).all()
    assert (every.usual[where] == some.usual).all()
    for place, there in enumerate(where.tolist()):
        held, known = (
            found.sentences[found.starts[at] : found.starts[at + 1]]
            for found, at in ((some, place), (every, there))
        )
        assert held == pytest.approx(known, abs=1e-6)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_best_of_all_passages_come_first(generation, question):
    query = generation.subspace.queries(ENCODER.encode_query([question]))[0]
    every = generation.candidates(
        question, query, NO_FILTERS, nearest=10**4, wordiest=10**4, most=10**4
    )
    assert len(every.rows) == generation.manifest.passages
    looked_at = generation.candidates(
        question, query, NO_FILTERS, nearest=200, wordiest=50, most=250
    )
    expected, scores = (
        {(p.article_id, p.start): score for p, score in of_rows(generation, some, values.tolist())}
        for some, values in ((looked_at, scores_of(looked_at)), (every, scores_of(every)))
    )
    hits = Retriever(generation, ENCODER).search(question, 10)
    found = {(hit.passage.article_id, hit.passage.start): hit.score for hit in hits}
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-4)
    # A few that are far by their vector may be missed; none comes in another's place.
    least = min(scores[name] for name in found)
    missed = [name for name, score in scores.items() if score > least and name not in found]
    assert len(missed) <= 2


@pytest.mark.parametrize(
    ("filters", "passing"),
    [
        (Filters(language="de"), lambda info: info.language == "de"),
        (Filters(collection="old"), lambda info: info.collections == ("old",)),
        (Filters(since="2022"), lambda info: (info.published or "") >= "2022"),
        (Filters(until="2022-06"), lambda info: "" < (info.published or "") <= "2022-06"),
        (Filters(since="2022-11"), lambda info: info.published == "2022-11-05"),
        (Filters(source="https://a.org"), lambda info: info.url is not None),
        (Filters(source="https://a.org/dated-1"), lambda info: info.id == "dated-1"),
        (Filters(source="https://a.org/dated"), None),
        (Filters(collection="none"), None),
        (Filters(since="soon"), None),
        (Filters(language="de", collection="old"), lambda info: False),
    ],
)
def test_only_what_passes_the_filters_may_answer(generation, filters, passing):
    retriever = Retriever(generation, ENCODER)
    if passing is None:
        with pytest.raises(FilterError):
            retriever.search("telescope", 1000, filters=filters)
        return
    hits = retriever.search("telescope coast", 1000, filters=filters)
    counts = generation.database.passage_counts()
    infos = generation.database.infos()
    assert len(hits) == sum(counts[info.id] for info in infos if passing(info))
    assert all(passing(hit.article) for hit in hits)


def test_a_folder_is_a_source_to_filter_by(many, generation):
    hits = Retriever(generation, ENCODER).search(
        "telescope", 1000, filters=Filters(source=str(many.folder / "old"))
    )
    assert {hit.article.id for hit in hits} == {f"dated-{number}" for number in range(4)}


def test_a_rebuild_encodes_what_changed_and_an_engine_follows(few):
    engine = Engine(few.store, ENCODER, Settings(threshold=0.0))
    with engine:
        before = engine.manifest()
        assert engine.ask("harbour froze").quotes[0].article.id == "harbour"
        assert not few.rebuild().changed
        write_article(few.folder / "articles", "museum", "A museum grew by the harbour in 1907.")
        (few.folder / "articles" / "bridge.md").unlink()
        summary = few.rebuild()
        assert (summary.encoded, summary.reused, summary.removed) == (1, 2, 1)
        assert engine.ask("museum 1907").quotes[0].article.id == "museum"
        assert [info.id for info in engine.articles()] == ["harbour", "museum", "theatre"]
        assert engine.manifest().generation == before.generation + 1
        few.store.rollback()
        assert [info.id for info in engine.articles()] == ["bridge", "harbour", "theatre"]
        assert engine.ask("bridge 1903").quotes[0].article.id == "bridge"
        assert few.rebuild().changed
        assert [info.id for info in engine.articles()] == ["harbour", "museum", "theatre"]
        assert engine.manifest().generation == before.generation + 2


def test_an_open_generation_stays_as_it_is_while_others_are_published(few):
    with closing(few.store.open()) as opened:
        held = every_article(opened)
        best = Retriever(opened, ENCODER).search("bridge harbour", 10)
        for number in range(5):
            write_article(few.folder / "articles", "bridge", f"The bridge fell in {number}.")
            few.rebuild(full=number % 2 == 0)
        with opened.reading():
            assert held == every_article(opened)
            assert best == Retriever(opened, ENCODER).search("bridge harbour", 10)


def test_a_rebuild_that_fails_changes_nothing(few, monkeypatch):
    write_article(few.folder / "articles", "museum", "The museum grew in 1907.")

    class Broken(HashingEncoder):
        def encode_document(self, texts):
            raise RuntimeError("out of memory")

    plan = IndexPlan((str(few.folder / "articles"),), shared_cache())
    with pytest.raises(RuntimeError):
        rebuild(few.store, Broken(dimension=128), plan)
    with closing(few.store.open()) as opened:
        assert [info.id for info in opened.database.infos()] == ["bridge", "harbour", "theatre"]
    assert few.rebuild().changed
    assert few.store.leftovers() == []
