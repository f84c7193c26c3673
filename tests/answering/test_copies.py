"""Copies of one text: shown once if what answers is the same, and from the newest article."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qabot.answering.confidence import packaged
from qabot.answering.engine import Engine
from qabot.answering.quotes import compose
from qabot.index import IndexStore
from qabot.render.discord import answer_view
from qabot.render.json import answer_json
from qabot.render.terminal import open_console, render_answer
from qabot.settings import Settings
from qabot.types import Answer, ArticleInfo, Hit, Passage
from tests.support import HashingEncoder, build_index, write_article

OLD = ArticleInfo("old", "Old", "old.md", None, "2021-03", "en")
NEW = ArticleInfo("new", "New", "new.md", None, "2023-07", "en")
BEFORE = "The agency gave a press conference in the afternoon, at which its head took no questions."
AFTER = "Work on the site had begun four years earlier and was held up by floods more than once."


def hit(
    article: ArticleInfo,
    key: str,
    *,
    before: str = BEFORE,
    after: str = AFTER,
    similarity: float = 0.9,
    lexical_score: float = 0.0,
) -> Hit:
    """A passage of up to three sentences of which ``key`` is the one that answers."""
    sentences = [sentence for sentence in (before, key, after) if sentence]
    text = " ".join(sentences)
    spans, at = [], 0
    for sentence in sentences:
        spans.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Hit(
        passage=Passage(article.id, 70, 70 + len(text), text, (), tuple(spans)),
        article=article,
        score=similarity,
        similarity=similarity,
        sentence_similarities=tuple(0.9 if s == key else 0.5 for s in sentences),
        sentence_lexical_scores=tuple(lexical_score if s == key else 0.0 for s in sentences),
        lexical_score=0.0,
        same_language=True,
    )


def answer_to(*hits: Hit, limit: int = 3) -> Answer:
    return compose(
        "why?", hits, limit=limit, threshold=0.0, generation=1, encoder="none", elapsed_ms=1.0
    )


def shown(answer: Answer) -> list[tuple[str, ...]]:
    """Of each quote the ids of its articles, the quoted one first."""
    return [(quote.article.id, *(info.id for info in quote.also)) for quote in answer.quotes]


# --- The sentence that answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("On Monday, the bridge was opened.", "On Monday the bridge was opened"),
        ("The bridge was opened.", "THE BRIDGE WAS OPENED!"),
        ("The “new” bridge was opened.", 'The "new" bridge  was\nopened.'),
        ("The bridge (built in 2019) was opened.", "The bridge – built in 2019 – was opened."),
        ("It’s open.", "It's open."),
        ("They won 5 – 3.", "They won 5-3."),
        ("Die Brücke wurde „neu“ eröffnet.", "Die Brücke wurde »neu« eröffnet."),
        ("橋は、月曜日に開通した。", "橋は，月曜日に開通した"),
        ("افتتح الجسر، يوم الاثنين.", "افتتح الجسر يوم الاثنين"),
    ],
)
def test_case_punctuation_and_white_space_make_no_other_sentence(one, other):
    answer = answer_to(hit(OLD, one), hit(NEW, other))
    assert shown(answer) == [("new", "old")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Numbers
        ("It cost 49 euros.", "It cost 58 euros."),
        ("It is 1.5 metres wide.", "It is 15 metres wide."),
        ("It is 1,500 metres wide.", "It is 1.500 metres wide."),
        ("They won 5–3.", "They won 53."),
        ("They won 5 – 3.", "They won 5 3."),
        ("In 5, 3 failed.", "In 5 3 failed."),
        ("It was -5 degrees.", "It was 5 degrees."),
        ("It was −5 degrees.", "It was +5 degrees."),
        ("It has 10⁶ cells.", "It has 106 cells."),
        ("It takes 5½ hours.", "It takes 51/2 hours."),
        ("It grew by 5 %.", "It grew by 5."),
        ("It cost $5.", "It cost €5."),
        ("约有3万人。", "约有5万人。"),
        # Names
        ("Meyer opened it.", "Meier opened it."),
        ("Weiß opened it.", "Weiss opened it."),
        ("It is written in C++.", "It is written in C."),
        ("It is written in C#.", "It is written in C."),
        # Negations, and what is asked rather than said
        ("It was opened.", "It was not opened."),
        ("No, tax was raised.", "No tax was raised."),
        ("No – tax was raised.", "No tax was raised."),
        ("No, quiero.", "No quiero."),
        ("Nein, Steuern wurden erhöht.", "Nein Steuern wurden erhöht."),
        ("我不、要。", "我不要。"),
        ("He resigned.", "He resigned?"),
    ],
)
def test_another_number_name_or_negation_does(one, other):
    answer = answer_to(hit(OLD, one), hit(NEW, other))
    assert sorted(shown(answer)) == [("new",), ("old",)]


# --- What stands round it -------------------------------------------------------------------------

KEY = "It was opened in 2019."


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, AFTER.replace("four years", "five years")),
        (BEFORE.replace("press conference", "short briefing"), AFTER),
        (BEFORE, ""),
        ("Read more on our pages: " + BEFORE, AFTER.upper()),
    ],
)
def test_an_edited_copy_is_shown_once_as_the_newer_article_has_it(before, after):
    old, new = hit(OLD, KEY), hit(NEW, KEY.upper(), before=before, after=after)
    for hits in ((old, new), (new, old)):
        answer = answer_to(*hits)
        assert shown(answer) == [("new", "old")]
        quote = answer.quotes[0]
        assert KEY.upper() in quote.text
        assert new.passage.text[quote.start - 70 : quote.end - 70] == quote.text


def test_the_same_sentence_about_something_else_is_another_quote():
    other = hit(
        NEW,
        KEY,
        before="The museum of modern art had been shut since the fire, and many gave up hope.",
        after="Nine halls show paintings that were kept in cellars all over the country.",
    )
    assert sorted(shown(answer_to(hit(OLD, KEY), other))) == [("new",), ("old",)]


def test_a_sentence_alone_may_be_about_anything():
    alone = hit(NEW, KEY, before="", after="")
    assert sorted(shown(answer_to(hit(OLD, KEY), alone))) == [("new",), ("old",)]
    assert shown(answer_to(hit(OLD, KEY, before="", after=""), alone)) == [("new", "old")]


def test_in_a_chain_of_edits_only_what_is_alike_stands_together():
    start = BEFORE.split(" ")
    first, between, last = (
        hit(replace(OLD, id=name), KEY, before=" ".join(words), after="")
        for name, words in (
            ("first", start),
            ("between", [*start[:9], *["x"] * 7]),
            ("last", [*["y"] * 3, *start[3:9], *["x"] * 7]),
        )
    )
    assert shown(answer_to(first, between)) == [("first", "between")]
    assert shown(answer_to(between, last)) == [("between", "last")]
    assert shown(answer_to(first, last)) == [("first",), ("last",)]
    assert shown(answer_to(first, between, last)) == [("first", "between"), ("last",)]


# --- Not a copy, but the newer word on the same matter --------------------------------------------

PRICE = "The monthly ticket costs {} euros in all regions."


def test_of_two_figures_that_answer_alike_the_newer_comes_first():
    old, new = hit(OLD, PRICE.format(49)), hit(NEW, PRICE.format(58), similarity=0.89)
    answer = answer_to(old, new)
    assert shown(answer) == [("new",), ("old",)]
    assert "58" in answer.quotes[0].text
    # The articles answer no less for it.
    assert answer.confidence == max(packaged().probabilities([old, new]))


def test_a_figure_that_answers_much_better_stays_first():
    old = hit(OLD, PRICE.format(49), similarity=0.55)
    new = hit(NEW, PRICE.format(58), similarity=0.3)
    assert shown(answer_to(old, new))[0] == ("old",)


def test_a_figure_that_the_question_names_stays_first():
    old = hit(OLD, "The team won 5 medals in 2016.", lexical_score=0.9)
    new = hit(NEW, "The team won 7 medals in 2020.", lexical_score=0.6, similarity=0.89)
    assert shown(answer_to(old, new)) == [("old",), ("new",)]


def test_sentences_about_different_matters_keep_their_order():
    old = hit(OLD, "The monthly ticket costs 49 euros in all regions.")
    new = hit(NEW, "A bridge across the bay will be built by 2030.", similarity=0.89)
    assert shown(answer_to(old, new)) == [("old",), ("new",)]


# --- Anything -------------------------------------------------------------------------------------

# Marks at words' edges, none of which belongs to a number or stands beside a negation.
marks = st.sampled_from(["", "", "", ",", ";", "!", "…", '"'])
key_words = st.sampled_from(
    ["bridge", "Meyer", "opened", "costs", "5", "1.5", "58", "city", "宇宙船"]
)
filler = [f"word{number}" for number in range(60)]


@st.composite
def copies(draw: st.DrawFn, words: list[str], info: ArticleInfo) -> tuple[Hit, str]:
    """A hit that says ``words`` with other marks, now and then one word changed, edited around."""
    words = list(words)
    if draw(st.integers(0, 2)) == 0:
        place = draw(st.integers(0, len(words) - 1))
        words[place] = draw(st.sampled_from(["not", "7", "Meier", "15"]))
    spelled = [
        draw(st.sampled_from([word, word.upper()])) + ("" if word[0].isdigit() else draw(marks))
        for word in words
    ]
    key = draw(st.sampled_from([" ", "  "])).join(spelled) + draw(st.sampled_from(["", ".", "!"]))
    chance = random.Random(draw(st.integers(0, 99)))
    around = [chance.choice(filler) if chance.random() < 0.05 else word for word in filler]
    found = hit(info, key, before=" ".join(around[:30]), after=" ".join(around[30:]))
    return found, " ".join(words).casefold()


@given(st.data(), st.lists(key_words, min_size=2, max_size=6))
def test_copies_are_merged_only_where_the_sentence_that_answers_is_the_same(data, words):
    dates = data.draw(
        st.lists(st.sampled_from(["2020", "2021-05", "2022", None]), min_size=2, max_size=4)
    )
    infos = [replace(OLD, id=f"{place}", published=date) for place, date in enumerate(dates)]
    drawn = [data.draw(copies(words, info)) for info in infos]
    said = {found.article.id: words for found, words in drawn}
    assume(not any(" not " in f" {words} " and "," in found.passage.text for found, words in drawn))
    answer = answer_to(*(found for found, _ in drawn), limit=len(drawn))
    passages = {found.article.id: found.passage for found, _ in drawn}
    for quote in answer.quotes:
        # Verbatim, and of the newest.
        passage = passages[quote.article.id]
        assert passage.text[quote.start - passage.start : quote.end - passage.start] == quote.text
        assert {said[quote.article.id]} == {said[info.id] for info in (quote.article, *quote.also)}
        ages = [info.published or "" for info in (quote.article, *quote.also)]
        assert ages == sorted(ages, reverse=True)
    # Each article is named once; those that say the same in nearly the same text stand together.
    named = [name for group in shown(answer) for name in group]
    assert sorted(named) == sorted(said)
    assert len(answer.quotes) == len(set(said.values()))


# --- On every surface -----------------------------------------------------------------------------


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """Of an index with a report of 2021, its copy of 2023, and what a third one says of 2022."""
    report = "The bridge over the bay was opened in 2019. Two lanes lead in each direction. "
    copied = "Six ferries were sold in the same year. Ships pass below it at any tide."
    articles = {
        "first": (report + copied, "2021-03"),
        "copy": (
            f"{report.replace('bay was', 'bay, was')}{copied}\n\n> Photo: Meyer",
            "2023-07-02",
        ),
        "third": ("The bridge over the bay was opened in 2018. A fair was held on it.", "2022"),
    }
    for name, (text, published) in articles.items():
        write_article(tmp_path / "articles", name, text, title=name, published=published)
    build_index(tmp_path / "index", tmp_path / "articles")
    settings = Settings(threshold=0.0, quotes=3)
    with Engine(IndexStore(tmp_path / "index"), HashingEncoder(), settings) as engine:
        return engine.ask("When was the bridge over the bay opened?")


def test_copies_are_found_in_an_index(answer):
    assert shown(answer) == [("copy", "first"), ("third",)]


def test_a_terminal_names_both_sources_with_their_dates(answer, capsys):
    open_console().print(render_answer(answer))
    lines = capsys.readouterr().out.splitlines()
    assert "1  copy (as of 2023-07-02, en)" in lines
    assert "   also in first (as of 2021-03, en)" in lines
    assert "2  third (as of 2022, en)" in lines


def test_json_names_both_sources_with_their_dates(answer):
    named = [
        [(info["id"], info["published"]) for info in (quote["article"], *quote.get("also", []))]
        for quote in json.loads(answer_json(answer))["quotes"]
    ]
    assert named == [[("copy", "2023-07-02"), ("first", "2021-03")], [("third", "2022")]]


def test_discord_names_both_sources_with_their_dates(answer):
    view = answer_view(answer, 0, "en-US")
    title, details = view.lead.splitlines()[1:]
    assert title == "1 · copy"  # What is bold in the lead is the answer.
    assert details.startswith("-# as of Jul 2, 2023 · ")
    assert details.endswith(" · + first (as of March 2021)")
    more = answer_view(answer, 1, "en-US")
    title, details = more.lead.splitlines()[1:]
    assert title == "2 · third"
    assert details.startswith("-# as of 2022 · ")
