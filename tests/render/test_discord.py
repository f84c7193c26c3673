"""Answers in Discord: whole messages, which fit and stay harmless."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.render.discord import (
    LONGEST_FOOTER,
    LONGEST_LEAD,
    LONGEST_TEXT,
    LONGEST_TITLE,
    View,
    answer_view,
    context_view,
)
from qabot.render.discord_articles import article_view, articles_view
from qabot.render.translations import LANGUAGES
from qabot.text import printable
from qabot.types import Answer, Article, ArticleInfo, Heading, Passage, Quote, Status
from tests.render.discord_markdown import Shown, shown, shown_quote
from tests.render.test_markup import texts, visible

# A link of ours: to an article, under its title, or under our word for a source.
LINK = re.compile(r"(?<!\\)\[(?P<label>(?:[^\[\]\\\n]|\\.)*)\]\(<https?://[!-;=?-~]*>\)")

TEXT = (
    "Foundation\nThe board has members of five companies. *Meta* founded it in 2022.\n\n"
    "It meets @everyone four times."
)
INFO = ArticleInfo("board.en", "A new foundation", "a.md", "https://example.org/b", "2022-09", "en")


def quote(text: str, marked: str, *, info: ArticleInfo = INFO, **values) -> Quote:
    start, at = TEXT.index(text), TEXT.index(marked)
    values = {"score": 0.9, "heading": None, "same_language": True, **values}
    return Quote(text, start, start + len(text), ((at, at + len(marked)),), article=info, **values)


def answer(*quotes: Quote, question: str = "Who founded it?", confidence: float = 0.912) -> Answer:
    status: Status = "answered" if quotes else "not_found"
    return Answer(question, status, confidence, quotes, 3, "e5", 4.0)


FOUNDED = quote("*Meta* founded it in 2022.", "*Meta* founded it in 2022.")
MEETS = quote("It meets @everyone four times.", "four times")


def cards(view: View) -> list[str]:
    """Each quote of a page with its source; that of the first one stands in the lead."""
    _answer, *source = view.lead.split("\n")
    return ["\n".join([*source, view.parts[0]]), *view.parts[1:]]


def test_the_answer_stands_first_then_its_source_then_the_quote():
    view = answer_view(answer(FOUNDED), 0, "en-US")
    assert view == View(
        title="Who founded it?",
        parts=("> **\\*Meta\\* founded it in 2022.**",),
        places=(0,),
        lead=(
            "**\\*Meta\\* founded it in 2022.**\n"
            "[A new foundation](<https://example.org/b"
            "#:~:text=%2AMeta%2A%20founded%20it%20in%202022.>)\n"
            "-# as of September 2022 · very likely"
        ),
    )


def test_only_the_marked_words_lead():
    assert answer_view(answer(MEETS), 0, "en-US").lead.startswith("**four times**\n")


def test_confidence_is_said_of_each_quote_in_words():
    found = answer(FOUNDED, FOUNDED, replace(MEETS, score=0.6))
    first, second = cards(answer_view(found, 1, "en-US"))
    assert first.split("\n")[1].endswith(" · very likely")
    assert second.split("\n")[1].endswith(" · possibly")


def test_punctuation_stays_at_the_end_of_a_line_from_right_to_left():
    text = "تأسست الشركة سنة 2022."
    found = Quote(text, 0, len(text), ((0, 5),), 0.9, None, INFO)
    view = answer_view(answer(found), 0, "en-US")
    assert view.parts[0] == f"> \u200f**تأسست** {text[6:]}\u200f"
    assert view.lead.startswith("**\u200fتأسست\u200f**\n")


def test_articles_that_say_the_same_are_named_after_the_source():
    others = (
        ArticleInfo("copy", "The [other] site", "c.md", "https://example.com/c", "2021-11", "en"),
        ArticleInfo("third", "A third", "t.md", None, None, "en"),
        ArticleInfo("fourth", "A fourth", "f.md", None, None, "en"),
    )
    said = quote("It meets @everyone four times.", "four times", also=others)
    (part,) = cards(answer_view(answer(said), 0, "en-US"))
    _title, details, _quote = part.splitlines()
    assert details.endswith(
        " · + The \\[other\\] site (as of November 2021) [Source](<https://example.com/c"
        "#:~:text=four%20times>) · + A third"
    )
    assert (
        " · + The [other] site (as of November 2021) "
        in shown(LINK.sub("", details.removeprefix("-# "))).text
    )


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-US", "as of {}"),
        ("de", "Stand: {}"),
        ("fr", "en date de {}"),
        ("es-ES", "a fecha de {}"),
        ("ja", "{}年時点"),
    ],
)
def test_every_article_with_a_date_says_as_of_when_it_is(locale, said):
    other = replace(INFO, id="copy", title="Copy", published="2021")
    undated = replace(INFO, id="undated", title="Undated", published=None)
    shown_quotes = answer(
        FOUNDED,
        replace(FOUNDED, article=replace(INFO, published="2023"), also=(other, undated)),
        replace(MEETS, article=replace(INFO, published="2022")),
    )
    first, second = cards(answer_view(shown_quotes, 1, locale))
    assert first.split("\n")[1].startswith("-# " + said.format("2023"))
    assert f" · + Copy ({said.format('2021')}) [" in first
    assert " · + Undated [" in first
    assert second.split("\n")[1].startswith(said.format("2022"))


def test_the_best_quote_stands_alone_and_the_others_on_further_pages():
    found = answer(FOUNDED, MEETS, FOUNDED, MEETS)
    views = [answer_view(found, page, "en-US", per_page=2) for page in range(4)]
    assert [view.places for view in views] == [(0,), (1, 2), (3,), (3,)]
    assert [view.footer for view in views] == [f"Page {n} of 3" for n in (1, 2, 3, 3)]
    titles = [LINK.sub(r"\g<label>", card.split("\n")[0]) for card in cards(views[1])]
    assert titles == ["2 · A new foundation", "3 · **A new foundation**"]


def test_another_language_and_the_section_are_named():
    info = ArticleInfo("board.en", "[Board] _new_", "/home/me/a.md", None, None, "en")
    found = quote("It meets", "meets", info=info, heading="# Meetings", same_language=False)
    card = cards(answer_view(answer(found), 0, "de"))[0]
    assert card.split("\n") == [
        "\\[Board\\] \\_new\\_",
        # Ids look like addresses, and paths are nobody's business.
        "-# auf Englisch · \\# Meetings · sehr wahrscheinlich",
        "> It **meets**",
    ]


@pytest.mark.parametrize(
    ("locale", "page"),
    [
        ("en-GB", "page 4"),
        ("de", "Seite 4"),
        ("fr", "page 4"),
        ("es-ES", "página 4"),
        ("ja", "4ページ"),
    ],
)
def test_a_quote_from_a_paged_article_names_its_page_and_links_to_it(locale, page):
    found = quote("It meets", "meets", heading="Dates", page=4)
    title, details, _ = cards(answer_view(answer(found), 0, locale))[0].split("\n")
    assert f" · Dates · {page} · " in details
    assert title.endswith("](<https://example.org/b#page=4>)")


def test_a_heading_that_is_quoted_or_is_the_title_is_not_repeated():
    for text, heading in (("Foundation\nThe board", "Foundation"), ("It meets", INFO.title)):
        view = answer_view(answer(quote(text, "board", heading=heading)), 0, "en-US")
        assert cards(view)[0].split("\n")[1] == "-# as of September 2022 · very likely"


def test_not_found_shows_no_source():
    view = answer_view(answer(confidence=0.1), 0, "fr")
    assert view == View(
        "Who founded it?", (), lead="Les articles ne répondent pas à cette question."
    )


def test_not_found_names_articles_only_where_they_are_near():
    near = [ArticleInfo(f"a{n}", f"Title *{n}*", "s", "https://x.org", "2022", "en") for n in "12"]
    view = answer_view(answer(), 0, "en-US", near=near)
    assert view.lead == "The articles don't answer that."
    assert view.parts == (
        "Articles on similar subjects:\n- **[Title \\*1\\*](<https://x.org>)**\n"
        "- **[Title \\*2\\*](<https://x.org>)**",
    )


@pytest.mark.parametrize(
    ("locale", "details", "likely"),
    [
        ("en-GB", "as of September 2022 · in English", "very likely"),
        ("de", "Stand: September 2022 · auf Englisch", "sehr wahrscheinlich"),
        ("fr", "en date de septembre 2022 · en anglais", "très probable"),
        ("es-419", "a fecha de septiembre de 2022 · en inglés", "muy probable"),
        ("ja", "2022年9月時点 · 言語：英語", "とても高い"),
        ("ko", "as of September 2022 · in English", "very likely"),
    ],
)
def test_it_speaks_the_readers_language_and_never_translates_the_quote(locale, details, likely):
    found = quote("It meets", "meets", same_language=False)
    view = answer_view(answer(found), 0, locale)
    _, line, block = cards(view)[0].split("\n")
    assert block == "> It **meets**"
    assert line.startswith(f"-# {details}")
    assert line.endswith(likely)


def test_context_shows_the_quote_in_bold_between_its_neighbours():
    passages = [
        Passage("board.en", start, end, TEXT[start:end], (), ())
        for start, end in ((0, 10), (11, 78), (80, len(TEXT)))
    ]
    view = context_view(FOUNDED, passages[0], passages[1], passages[2], "en-US")
    assert view.title == "A new foundation"
    assert view.parts[1:] == (
        "> Foundation",
        "> The board has members of five companies. **\\*Meta\\* founded it in 2022.**",
        "> It meets @\u200beveryone four times.",
    )
    assert view.parts[0] == "as of September 2022 · very likely"
    assert len(context_view(FOUNDED, None, passages[1], None, "en-US").parts) == 2


def test_a_long_context_keeps_what_is_next_to_the_quote():
    before = Passage("a", 0, 9000, "far " * 2000 + "next to it", (), ())
    middle = Passage("a", 9000, 9026, FOUNDED.text, (), ())
    after = Passage("a", 9026, 18000, "and then " + "far " * 2000, (), ())
    found = Quote(FOUNDED.text, 9000, 9026, (), 0.9, None, INFO)
    view = context_view(found, before, middle, after, "en-US")
    assert view.parts[1].startswith("…\n> ")
    assert view.parts[1].endswith("next to it")
    assert view.parts[3].startswith("> and then far")
    assert view.parts[3].endswith("\n…")
    assert len(view.text) <= LONGEST_TEXT


def test_a_quote_that_no_message_holds_is_cut_where_its_highlight_begins():
    text = "x" * 5000 + " It flew. " + "y" * 5000
    found = Quote(text, 0, len(text), ((5001, 5009),), 0.9, None, INFO)
    [card] = cards(answer_view(answer(found), 0, "en-US"))
    _, _, before, block, after = card.split("\n")
    assert (before, after) == ("…", "…")
    assert block.startswith("> **It flew.** y")


def test_an_article_is_shown_page_by_page_to_the_character():
    text = "Title\n" + "A *line* of text.\n" * 400 + "The end."
    article = Article(INFO, text, (Heading(0, 5, 1),))
    pages = article_view(article, 0, "en-US").pages
    views = [article_view(article, page, "en-US") for page in range(pages)]
    assert pages > 1
    assert views[0].parts[1].startswith("> **Title**\n> A \\*line\\* of text.\n")
    assert views[0].footer == f"Page 1 of {pages}"
    blocks = [shown_quote(view.parts[1]).text for view in views]
    assert "\n".join(blocks) == text
    assert article_view(article, 99, "en-US") == views[-1]
    assert (
        views[0].parts[0] == "as of September 2022 · in English · [Source](<https://example.org/b>)"
    )


def test_articles_are_listed_with_what_helps_to_find_them():
    infos = [ArticleInfo(f"a{n}", f"_{n}_", "s", None, "2022", "de") for n in range(14)]
    view = articles_view(infos, {"a0": 1, "a13": 4}, 0, "en-US", "Articles")
    assert (view.title, view.pages, view.footer) == ("Articles", 2, "Page 1 of 2")
    lines = view.text.split("\n")
    assert len(lines) == 24
    assert lines[:2] == ["**\\_0\\_**", "a0 · 2022 · German · 1 passage"]
    last = articles_view(infos, {"a13": 4}, 1, "es-ES", "Artículos")
    assert last.text.split("\n")[-1] == "a13 · 2022 · alemán · 4 pasajes"
    assert articles_view([], {}, 0, "en-US", "x").text == "There is no such article."


infos = st.builds(
    ArticleInfo,
    texts,
    texts | st.just("Long title " * 30),
    texts,
    st.none() | texts | texts.map("https://example.org/{}".format),
    st.sampled_from([None, "2022", "2022-09", "2022-09-12", "99999", "soon"]),
    st.sampled_from(["en", "de", "ja", "xx"]),
)


@st.composite
def quotes(draw):
    text = draw(texts.map(lambda text: f"{text}.")) * draw(st.sampled_from([1, 1, 10, 40]))
    start = draw(st.integers(0, 5000))
    places = st.integers(start, start + len(text))
    marks = draw(st.lists(st.tuples(places, places).map(sorted).map(tuple), max_size=2))
    heading = draw(st.none() | texts | st.just("Long section " * 20))
    return Quote(
        text,
        start,
        start + len(text),
        tuple(marks),
        0.5,
        heading,
        draw(infos),
        draw(st.booleans()),
        tuple(draw(st.lists(infos, max_size=3))),
    )


def check_limits(view: View) -> None:
    """Check what holds for embeds and Components V2 alike."""
    assert len(view.title) <= LONGEST_TITLE <= 256
    assert len(view.footer) <= LONGEST_FOOTER
    assert len(view.text) <= LONGEST_TEXT
    assert len(view.title) + len(view.text) + len(view.footer) + 100 <= 4000
    assert len(view.lead) <= LONGEST_LEAD <= 2000
    assert len(view.parts) <= 25
    assert all(view.parts)
    assert "\n" not in view.title + view.footer
    assert 0 <= view.page < view.pages


def quoted(part: str) -> Shown:
    lines = [line for line in part.split("\n") if line.startswith("> ")]
    return shown_quote("\n".join(lines)) if lines else Shown("", frozenset())


def check_harmless(view: View) -> None:
    """Nothing but our own links does anything; the oracle raises if it does."""
    shown(view.title)
    for part in (view.lead, *view.parts):
        quoted(part)
        rest = "\n".join(line for line in part.split("\n") if not line.startswith("> "))
        # Our own lists and small lines.
        shown(re.sub("\n-#? ", "\n", "\n" + LINK.sub(r"\g<label>", rest)))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(quotes(), max_size=5), texts, st.sampled_from(LANGUAGES), st.lists(infos, max_size=4)
)
def test_every_page_fits_and_is_harmless_and_every_quote_is_on_one(found, question, locale, near):
    whole = answer(*found, question=question)
    pages = answer_view(whole, 0, locale).pages
    views = [answer_view(whole, page, locale, near=near) for page in range(pages)]
    assert [place for view in views for place in view.places] == list(range(len(found)))
    for view in views:
        check_limits(view)
        check_harmless(view)
        for place, part in zip(view.places, view.parts, strict=False):
            seen, text = visible(quoted(part).text), visible(found[place].text)
            assert seen == text or ("\n…\n" in f"\n{part}\n" and seen in text)


@settings(deadline=None, max_examples=40)
@given(quotes(), texts, texts, st.sampled_from(LANGUAGES))
def test_every_context_fits_and_is_harmless(found, before, after, locale):
    middle = Passage("a", found.start, found.end, found.text, (), ())
    parts = [Passage("a", 0, 1, text * 100, (), ()) if text else None for text in (before, after)]
    view = context_view(found, parts[0], middle, parts[1], locale)
    check_limits(view)
    check_harmless(view)


@settings(deadline=None, max_examples=40)
@given(texts, infos, st.integers(1, 200), st.sampled_from(LANGUAGES))
def test_every_page_of_an_article_fits_and_is_harmless(text, info, times, locale):
    text = text * times
    lines = [match.span() for match in re.finditer(r"[^\n]+", text)]
    article = Article(info, text, tuple(Heading(start, end, 1) for start, end in lines[::2]))
    pages = article_view(article, 0, locale).pages
    blocks = []
    for page in range(pages):
        view = article_view(article, page, locale)
        check_limits(view)
        check_harmless(view)
        blocks.append(shown_quote(view.parts[1]).text)
    assert visible("".join(blocks)).replace("\n", "") == visible(text).replace("\n", "")


@settings(deadline=None, max_examples=40)
@given(st.lists(infos, max_size=15), st.sampled_from(LANGUAGES))
def test_every_list_of_articles_fits_and_is_harmless(found, locale):
    view = articles_view(found, {}, 0, locale, "Articles")
    check_limits(view)
    check_harmless(view)
    assert printable(view.text) == view.text
