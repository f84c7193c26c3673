"""Output for people: plain text in pipes, and nothing that could steer a terminal."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from qabot.render.json import answer_json, article_json
from qabot.render.terminal import (
    confidence_words,
    open_console,
    render_answer,
    render_article,
    render_articles,
    render_context,
    render_quote,
)
from qabot.text import printable
from qabot.types import Answer, Article, ArticleInfo, Heading, Passage, Quote, Status

INFO = ArticleInfo("space", "Space", "articles/space.md", "https://example.org", "2021-12", "en")
# What rich itself sends for colours.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2J \b\b\r\x00\x7f "
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\ "
    f"{OVERRIDES} [bold red]markup[/bold red] [/] [link=http://evil]click[/link] :smile: [[x]]"
)
# What must be seen of it.
SHOWN = "[bold red]markup[/bold red] [/] [link=http://evil]click[/link] :smile: [[x]]"


def quote_of(text: str, *, info: ArticleInfo = INFO, start: int = 0, **changes: Any) -> Quote:
    end = start + len(text)
    quote = Quote(text, start, end, ((start, end),), 0.8, None, info)
    return replace(quote, **changes)


def answer_of(*quotes: Quote) -> Answer:
    status: Status = "answered" if quotes else "not_found"
    return Answer("why?", status, 0.8 if quotes else 0.2, quotes, 1, "hashing", 12.34)


def terminal(what: RenderableType, width: int = 60) -> str:
    """The output on a colour terminal."""
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="truecolor", width=width).print(what)
    return out.getvalue()


@pytest.fixture
def piped(capsys):
    """The output in a pipe."""

    def run(what: RenderableType) -> str:
        capsys.readouterr()
        open_console().print(what)
        out: str = capsys.readouterr().out
        return out

    return run


# --- Nothing in an article steers the terminal ----------------------------------------------------

hostile_info = ArticleInfo(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "2021", "en")
hostile_quote = quote_of(HOSTILE, info=hostile_info, heading=HOSTILE, also=(hostile_info,))
hostile_article = Article(hostile_info, HOSTILE, (Heading(3, 20, 1),))
hostile_passage = Passage("x", 0, len(HOSTILE), HOSTILE, (HOSTILE,), ((0, len(HOSTILE)),))
HOSTILE_PAGES = {
    "answer": render_answer(answer_of(hostile_quote)),
    "quote": render_quote(hostile_quote, 1),
    "articles": render_articles([hostile_info], {}),
    "article": render_article(hostile_article),
    "context": render_context(hostile_quote, hostile_passage, hostile_passage, hostile_passage),
}


@pytest.mark.parametrize("page", HOSTILE_PAGES)
def test_articles_cannot_steer_a_terminal(page):
    seen = COLOURS.sub("", terminal(HOSTILE_PAGES[page], width=2000))
    controls = {c for c in seen if unicodedata.category(c) == "Cc"} - {"\n"}
    assert set() == controls
    assert not set(OVERRIDES) & set(seen)
    assert SHOWN in seen


@pytest.mark.parametrize("page", HOSTILE_PAGES)
def test_articles_cannot_send_controls_into_a_pipe(page, piped):
    seen = piped(HOSTILE_PAGES[page])
    assert set() == {c for c in seen if unicodedata.category(c) == "Cc"} - {"\n"}
    assert not set(OVERRIDES) & set(seen)
    assert SHOWN in seen


@given(st.text())
def test_printable_keeps_all_but_controls(text):
    shown = printable(text)
    dropped = [c for c in text if c not in shown]
    assert all(c in OVERRIDES or unicodedata.category(c) in {"Cc", "Cs"} for c in dropped)
    assert not any(c in OVERRIDES for c in shown)
    assert {"\n", "\t"} >= {c for c in shown if unicodedata.category(c) in {"Cc", "Cs"}}
    assert shown == printable(shown)


# --- Verbatim in plain output ---------------------------------------------------------------------

LONG_LINE = "word " * 300 + "end."
texts = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=OVERRIDES)
    | st.sampled_from("\n\t [](){}\\:"),
    min_size=1,
    max_size=80,
)


def lines_of(text: str) -> list[str]:
    return [f"   {line}" if line else "" for line in text.split("\n")]


@pytest.mark.parametrize(
    "text",
    [
        "One line.",
        LONG_LINE,
        f"Two lines.\n{LONG_LINE}",
        "A list:\n- one\n- two\n\nEnd.",
        "Über 日本語 🚀 e\u0301 عربي",
        "[bold]no markup[/bold] and \\[escaped]",
        "tabs\tbetween\tcolumns",
    ],
)
def test_a_piped_quote_is_verbatim_line_by_line(piped, text):
    seen = piped(render_quote(quote_of(text), 1)).split("\n")
    count = text.count("\n") + 1
    assert lines_of(text) == seen[1 : 1 + count]


@pytest.mark.parametrize("text", ["One line.", LONG_LINE, "a\tb\n\n  indented", "[red]x[/red]"])
def test_a_piped_article_is_verbatim(piped, text):
    seen = piped(render_article(Article(INFO, text, (Heading(0, 3, 1),))))
    assert f"Space (as of 2021-12, en)\nhttps://example.org\n\n{text}\n" == seen


@given(text=texts, cut=st.tuples(st.integers(0, 80), st.integers(0, 80)))
def test_highlights_change_no_character(text, cut):
    start, end = sorted(min(place, len(text)) for place in cut)
    quote = quote_of(text, start=100, highlights=((100 + start, 100 + end),))
    out = io.StringIO()
    Console(file=out, soft_wrap=True, width=10_000).print(render_quote(quote, 1))
    assert lines_of(text) == out.getvalue().split("\n")[1 : 2 + text.count("\n")]


def test_a_terminal_wraps_and_loses_no_word():
    words = [f"word{number}" for number in range(200)]
    seen = COLOURS.sub("", terminal(render_quote(quote_of(" ".join(words)), 1), width=40))
    assert all(len(line) <= 40 for line in seen.split("\n"))
    assert words == [word for word in seen.split() if word.startswith("word")]


def test_highlights_are_bold_on_a_terminal():
    quote = quote_of("Before. The answer. After.", start=50, highlights=((58, 69),))
    assert "\x1b[1;32mThe answer.\x1b[0m" in terminal(render_quote(quote, 1))


# --- What is said ---------------------------------------------------------------------------------


def test_a_quote_says_where_it_is_from(piped):
    lines = piped(render_quote(quote_of("Text.", start=7, heading="Mirror"), 2)).splitlines()
    assert (lines) == [
        "2  Space (as of 2021-12, en)",
        "   Text.",
        "   Mirror · https://example.org · 7–12",
    ]


def test_a_quote_of_a_paged_article_names_its_page(piped):
    quote = quote_of("Text.", start=7, heading="Mirror", page=4)
    *_, where = piped(render_quote(quote, 1)).splitlines()
    assert where == "   Mirror · page 4 · https://example.org#page=4 · 7–12"
    at_home = replace(quote, heading=None, article=replace(INFO, url=None))
    *_, where = piped(render_quote(at_home, 1)).splitlines()
    assert where == "   page 4 · articles/space.md:7–12"


def test_an_article_names_its_author(piped):
    article = Article(replace(INFO, author="A. Writer"), "Text.")
    assert piped(render_article(article)).splitlines()[1] == "A. Writer · https://example.org"


def test_without_url_and_date_the_source_is_named(piped):
    info = replace(INFO, url=None, published=None)
    lines = piped(render_quote(quote_of("Text.", info=info), 1)).splitlines()
    assert lines == ["1  Space (en)", "   Text.", "   articles/space.md:0–5"]


def test_other_articles_that_say_the_same_are_named(piped):
    other = ArticleInfo("copy", "The other site", "c.md", None, "2021-11", "en")
    shown = piped(render_quote(quote_of("It flew.", also=(other,)), 1))
    assert shown.splitlines()[-1] == "   also in The other site (as of 2021-11, en)"


def test_quotes_are_numbered_from_where_it_is_said(piped):
    seen = piped(render_answer(answer_of(quote_of("One."), quote_of("Two.")), first=4))
    assert [line[0] for line in seen.splitlines() if line[:1].isdigit()] == ["4", "5"]


def test_not_found_says_so_and_quotes_nothing(piped):
    assert piped(render_answer(answer_of())).startswith("The articles don't answer that.")


@pytest.mark.parametrize("confidence", [0.0, 0.14, 0.147, 0.15, 0.5, 0.74, 0.75, 0.897, 1.0])
def test_confidence_is_said_in_words_and_percent(confidence):
    words, _, percent = confidence_words(confidence).partition(" (")
    expected = {0.9: "very likely", 0.75: "likely", 0.15: "possibly", 0.0: "unlikely"}
    assert re.fullmatch(r"\d\d? %\)", percent)
    shown = int(percent.removesuffix(" %)")) / 100
    assert next(word for least, word in expected.items() if shown >= least) == words


def test_a_piped_list_of_articles_is_not_cut(piped):
    info = replace(INFO, id="i" * 150, title="t" * 300)
    header, line = piped(render_articles([info], {info.id: 12})).splitlines()
    assert header.split() == ["id", "language", "published", "passages", "title"]
    assert [info.id, "en", "2021-12", "12", info.title] == line.split()


# --- JSON -----------------------------------------------------------------------------------------

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(text=any_text.filter(bool), title=any_text, question=any_text)
def test_json_is_one_line_and_gives_back_every_character(text, title, question):
    info = replace(INFO, title=title)
    answer = replace(answer_of(quote_of(text, info=info, start=3)), question=question)
    line = answer_json(answer)
    assert "\n" not in line
    assert {
        "question": question,
        "status": "answered",
        "confidence": 0.8,
        "quotes": [
            {
                "text": text,
                "start": 3,
                "end": 3 + len(text),
                "highlights": [[3, 3 + len(text)]],
                "score": 0.8,
                "heading": None,
                "article": {
                    "id": "space",
                    "title": title,
                    "source": "articles/space.md",
                    "url": "https://example.org",
                    "published": "2021-12",
                    "language": "en",
                },
            }
        ],
        "index": {"generation": 1, "encoder": "hashing"},
        "elapsed_ms": 12.3,
    } == json.loads(line)


def test_json_names_other_articles_only_where_there_are_some():
    other = replace(INFO, id="copy", published=None)
    alone, again = json.loads(
        answer_json(answer_of(quote_of("It flew."), quote_of("It flew.", also=(other,))))
    )["quotes"]
    assert "also" not in alone
    assert [{**again["article"], "id": "copy", "published": None}] == again["also"]


def test_json_has_pages_and_authors_only_where_there_are_some():
    info = replace(INFO, author="A. Writer")
    plain, paged = json.loads(
        answer_json(answer_of(quote_of("It flew."), quote_of("It flew.", page=4, info=info)))
    )["quotes"]
    assert ("page" in plain, "author" in plain["article"]) == (False, False)
    assert (paged["page"], paged["article"]["author"]) == (4, "A. Writer")
    article = json.loads(article_json(Article(info, "ab", pages=(0, 1))))
    assert (article["pages"], article["author"]) == ([0, 1], "A. Writer")
    assert "pages" not in json.loads(article_json(Article(INFO, "ab")))


@given(text=any_text)
def test_json_of_an_article_holds_the_text_that_offsets_refer_to(text):
    line = article_json(Article(INFO, text, (Heading(0, 1, 2),)))
    assert "\n" not in line
    assert (text, [[0, 1, 2]]) == (json.loads(line)["text"], json.loads(line)["headings"])
