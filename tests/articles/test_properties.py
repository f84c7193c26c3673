"""Any bytes give an article with right offsets, or an error for a person."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.support import read

fast = settings(deadline=None, max_examples=50)

LETTERS = st.characters(categories=["Ll", "Lu", "Lo"])
WORDS = st.text(LETTERS, min_size=1, max_size=12)
SENTENCES = st.lists(WORDS, min_size=2, max_size=12).map(lambda words: " ".join(words) + ".")
PARAGRAPHS = st.lists(SENTENCES, min_size=1, max_size=4).map(" ".join)
PROSE = st.lists(PARAGRAPHS, min_size=1, max_size=5).map("\n\n".join)

# Each line of this is a piece of some format, or something that has no place in a text.
PIECES = (
    *("# ", "## ", "\n", "\n\n", "- ", "1. ", "> ", "    ", "```\n", "|", "---\n", "title: ", "*"),
    *("[a](b)", "<p>", "</p>", "<h2>", "</h2>", "<br>", "<ul><li>", "<table><tr><td>", "<pre>"),
    *("&#xD800;", "&#0;", "\x00", "\ufeff", "\u2028", "\r", "\u200b", "\N{COMBINING ACUTE ACCENT}"),
    *("date 2021-05 ", "<html>", "Kosten", "Das ist ein Satz.", "港", "é", ":"),
)
MARKUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


def read_or_refuse(ending: str, data: bytes) -> Article | None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return read(Path(folder), f"a{ending}", data)
        except ArticleError as error:
            message = str(error)
        assert message.isprintable()  # Which no line break is.
        assert message.startswith(f"{folder}/a{ending}: ")
        return None


def check(article: Article) -> None:
    text = article.text
    assert text == text.strip()
    assert "\n\n\n" not in text
    assert not set(text) & {"\r", "\x00", "\ufeff", "\u2028"}
    assert len(article.info.title.splitlines()) == 1
    assert article.info.title == article.info.title.strip()
    assert len(article.info.language) == 2
    assert len(article.digest) == 64
    last = 0
    for heading in article.headings:
        assert last <= heading.start < heading.end <= len(text)
        assert 1 <= heading.level <= 6
        shown = text[heading.start : heading.end]
        assert shown == shown.strip()
        assert len(shown.splitlines()) == 1
        last = heading.end


@pytest.mark.parametrize("ending", [".txt", ".md", ".html"])
@given(data=st.binary() | st.text().map(str.encode) | MARKUP.map(str.encode))
@fast
def test_any_bytes_give_an_article_or_an_error_for_a_person(ending, data):
    article = read_or_refuse(ending, data)
    if article is not None:
        check(article)


@given(front=st.text(max_size=60), body=SENTENCES)
@fast
def test_any_front_matter_gives_an_article_or_an_error_for_a_person(front, body):
    article = read_or_refuse(".md", f"---\n{front}\n---\n{body}".encode())
    if article is not None:
        check(article)


@pytest.mark.parametrize("ending", [".txt", ".md"])
@given(text=PROSE)
@fast
def test_plain_prose_comes_out_unchanged(ending, text):
    article = read_or_refuse(ending, text.encode())
    assert article is not None
    assert article.text == text
    assert article.headings == ()


@given(text=PROSE, line_end=st.sampled_from(["\r\n", "\r", "\u2028"]))
@fast
def test_line_ends_of_other_systems_make_no_difference(text, line_end):
    expected = read_or_refuse(".txt", text.encode())
    article = read_or_refuse(".txt", text.replace("\n", line_end).encode())
    assert article is not None
    assert expected is not None
    assert (expected.text, expected.headings) == (article.text, article.headings)


@given(title=st.lists(WORDS, min_size=1, max_size=6).map(" ".join), text=PROSE)
@fast
def test_a_short_line_above_prose_is_its_title_however_it_is_marked(title, text):
    assume(len(title) <= 40)
    plain = read_or_refuse(".txt", f"{title}\n\n{text}".encode())
    markdown = read_or_refuse(".md", f"# {title}\n\n{text}".encode())
    assert plain is not None
    assert markdown is not None
    assert title == plain.info.title == markdown.info.title
    assert plain.text == markdown.text == f"{title}\n\n{text}"
    assert plain.headings == markdown.headings
