"""Filters: which passages may answer, found before they are ranked."""

from __future__ import annotations

import calendar
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.engine import Engine
from qabot.answering.retrieval import Retriever
from qabot.errors import FilterError
from qabot.index import Generation, IndexStore
from qabot.settings import Settings
from qabot.types import Filters
from tests.answering.test_retrieval import QUESTIONS, articles, brute_force
from tests.support import HashingEncoder, build_index, write_article

DATES = [None, "2021", "2022", "2023", "2022-01", "2022-12", "2023-02", "2022-12-31", "2023-02-28"]
ENCODER = HashingEncoder(dimension=128)


@pytest.fixture(scope="module")
def generation(tmp_path_factory) -> Iterator[Generation]:
    """Far more passages than are looked at closely, and small groups among them."""
    folder = tmp_path_factory.mktemp("filters")
    articles(folder / "many", 300)
    articles(folder / "few", 12)
    for number, published in enumerate(DATES):
        name = f"dated-{number}"
        write_article(
            folder / "few", name, "The telescope moved to the coast.", published=published
        )
    write_article(
        folder / "many",
        "linked",
        "The theatre in the valley burned in 1911.",
        url="https://example.org/arts/theatre",
    )
    build_index(
        folder / "index",
        folder / "many",
        collections={"few": [folder / "few"], "dated": [folder / "few" / "dated-*.md"]},
        encoder=ENCODER,
    )
    opened = IndexStore(folder / "index").open()
    yield opened
    opened.close()


def rows_of(generation: Generation, filters: Filters) -> list[int]:
    """The rows that pass, one article after the other."""
    rows = []
    for row in generation.rows.tolist():
        _, info = generation.database.passage(row)
        if (
            filters.collection in (None, *info.collections)
            and filters.language in (None, info.language)
            and (filters.source is None or filters.source in f"{info.source} {info.url}")
            and (filters.since is None or (info.published or "") >= filters.since)
        ):
            rows.append(row)
    return rows


def filters_of(generation: Generation) -> list[Filters]:
    few = str(Path(generation.manifest.collections["few"][0]))
    return [
        Filters(collection="few"),
        Filters(collection="dated", since="2023"),
        Filters(language="de"),
        Filters(source=few),
        Filters(source=f"{few}/a005.md"),
        Filters(source="https://example.org/arts"),
        Filters(language="de", source=few),
        Filters(collection="few", language="de"),
    ]


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_passes_is_ranked_as_by_brute_force(generation, question):
    expected = brute_force(generation, ENCODER, question)
    retriever = Retriever(generation, ENCODER)
    for filters in filters_of(generation):
        rows = rows_of(generation, filters)
        assert 0 < len(rows) < 200 < len(generation.rows)
        hits = retriever.search(question, 1000, filters=filters)
        found = [hit.score for hit in hits]
        best = np.sort(expected.scores(rows))[::-1][:10]
        np.testing.assert_allclose(best, found[:10], atol=1e-4)
        ids = {generation.database.passage(row)[1].id for row in rows}
        assert ids == {hit.article.id for hit in hits}


def days(written: str) -> tuple[date, date]:
    """The first and the last day that a date may mean."""
    parts = [int(part) for part in written.split("-")]
    year, month, day = parts + [0] * (3 - len(parts))
    if not month:
        return date(year, 1, 1), date(year, 12, 31)
    if not day:
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    return date(year, month, day), date(year, month, day)


written_dates = st.dates(date(2020, 11, 1), date(2024, 2, 1)).flatmap(
    lambda day: st.sampled_from([str(day), str(day)[:7], str(day)[:4]])
)


@given(st.none() | written_dates, st.none() | written_dates)
def test_dates_count_as_any_day_that_they_may_mean(generation, since, until):
    if since and until and days(until)[1] < days(since)[0]:
        with pytest.raises(FilterError, match=r"later than until .*; exchange the two"):
            generation.allowed(Filters(since=since, until=until))
        return
    allowed = generation.allowed(Filters("dated", since, until))
    found = {generation.database.passage(int(row))[1].published for row in np.flatnonzero(allowed)}
    expected = {
        published
        for published in filter(None, DATES)
        if (not since or days(published)[1] >= days(since)[0])
        and (not until or days(published)[0] <= days(until)[1])
    }
    assert (expected if since or until else set(DATES)) == found


def test_without_filters_everything_may_answer(generation):
    retriever = Retriever(generation, ENCODER)
    assert generation.allowed(Filters()) is None
    assert retriever.search("telescope", 5) == retriever.search("telescope", 5, filters=Filters())


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(collection="fwe"), "collection 'fwe': not in the index; it holds dated, few"),
        (Filters(language="xx"), "language 'xx': not in the index; it holds de, en"),
        (
            Filters(since="22-09"),
            "since '22-09': not a date; write YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        (
            Filters(until="2022-02-30"),
            "until '2022-02-30': not a date; write YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        (Filters(since=""), "since '': not a date; write YYYY, YYYY-MM or YYYY-MM-DD"),
        (
            Filters(since="2023", until="2022-12-31"),
            "since 2023: later than until 2022-12-31; exchange the two",
        ),
    ],
)
def test_a_value_that_nothing_could_pass_is_named(generation, filters, message):
    with pytest.raises(FilterError) as caught:
        generation.allowed(filters)
    assert message == str(caught.value)
    assert caught.value.exit_code == 2


def test_a_source_that_is_no_text_is_told(generation):
    with pytest.raises(FilterError, match="source: is no text; name a file, folder or address"):
        generation.allowed(Filters(source=os.fsdecode(b"notes/\xff")))


def test_a_source_that_is_not_there_is_told_with_those_that_are(generation):
    with pytest.raises(FilterError) as caught:
        generation.allowed(Filters(source="fe"))
    few, many = generation.manifest.collections["few"][0], generation.manifest.sources[0]
    assert str(caught.value) == (
        f"source 'fe': no article is from there; "
        f"the index was built from {many}, {few}, {few}/dated-*.md"
    )


@pytest.mark.parametrize("source", ["articles", "./articles", "./articles/", "./articles/moon.md"])
def test_a_source_may_be_named_as_shells_complete_it(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    write_article(Path("articles"), "moon", "The probe landed on the moon.")
    write_article(Path("others"), "mars", "The probe landed on Mars.")
    build_index(Path("index"), "articles", "others")
    with Engine(IndexStore(Path("index")), HashingEncoder(), Settings(threshold=0)) as engine:
        answer = engine.ask("Where did the probe land?", filters=Filters(source=source))
    assert ["moon"] == [quote.article.id for quote in answer.quotes]


def test_filters_that_are_right_one_by_one_may_leave_nothing(generation):
    assert (
        Retriever(generation, ENCODER).search("telescope", 5, filters=Filters("dated", "2030"))
        == []
    )


@pytest.mark.parametrize("spelled", ["de", "DE", "de-AT", " de "])
def test_a_language_may_be_spelled_as_people_do(generation, spelled):
    np.testing.assert_array_equal(
        generation.allowed(Filters(language="de")), generation.allowed(Filters(language=spelled))
    )


def test_the_engine_answers_from_the_collection_that_it_is_asked_for(tmp_path):
    write_article(tmp_path / "news", "exact", "The rocket flew to Mars in 2021.")
    write_article(tmp_path / "handbook", "other", "A rocket needs fuel.")
    build_index(
        tmp_path / "index",
        collections={"news": [tmp_path / "news"], "handbook": [tmp_path / "handbook"]},
    )
    store = IndexStore(tmp_path / "index")
    with Engine(store, HashingEncoder(), Settings(threshold=0.0)) as engine:
        assert ("handbook", "news") == engine.collections()
        question = "When flew the rocket to Mars?"
        assert [q.article.id for q in engine.ask(question).quotes] == ["exact"]
        limited = engine.ask(question, filters=Filters(collection="handbook"))
        assert [q.article.id for q in limited.quotes] == ["other"]
        assert limited.quotes[0].article.collections == ("handbook",)


def test_the_same_agency_text_on_two_sites_is_shown_once_with_both(tmp_path):
    text = "The ferry sank off the coast.\n\nAll forty passengers were saved by fishermen."
    write_article(tmp_path / "one", "ferry", text, title="Ferry sinks", published="2024-03-01")
    write_article(tmp_path / "two", "sinking", text, title="All saved", published="2024-03-02")
    build_index(tmp_path / "index", tmp_path / "one", tmp_path / "two")
    with Engine(IndexStore(tmp_path / "index"), HashingEncoder(), Settings(threshold=0)) as engine:
        (quote,) = engine.ask("How many passengers were saved?").quotes
        text = engine.article("sinking").text
    assert (quote.article.id, [info.id for info in quote.also]) == ("sinking", ["ferry"])
    assert text[quote.start : quote.end] == quote.text
