"""Texts on their way to and from people: questions, and what surfaces show."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from fuzz.registry import target, text_of
from qabot.answering.follow_up import is_follow_up, standalone
from qabot.index.lexical import LexicalIndex
from qabot.index.postings import write_lexical
from qabot.index.terms import content_terms, terms
from qabot.render.markup import inert, link, one_line, quote_block, text_fragment_url
from qabot.render.paging import fitted, text_pages
from qabot.text import printable
from qabot.types import Span
from tests.index.lexicon import opened_words
from tests.render.discord_markdown import shown, shown_quote

_MARKUP = "@everyone <@1> **a** _b_ `c` ||d|| [e](http://f) :g: # h\n- i\n1. j\n> k discord.gg/l \\"
_ROOM = 200


@target(_MARKUP, "木星 👩‍🚀 e\u0301 \u202e", "a" * 50)
def markup(data: bytes) -> None:
    """An article's text in Discord: two places of a highlight, then the text."""
    text = text_of(data[2:])
    assert _visible(shown(inert(text)).text) == _visible(text)
    bold = _span(data, text)
    assert _visible(shown_quote(quote_block(text, bold)).text) == _visible(text)
    line = one_line(text, _ROOM)
    assert len(line) <= _ROOM
    assert "\n" not in line
    shown(line)


@target(_MARKUP * 5, "木星" * 200, "> " * 300, "a\n" * 300)
def fitting(data: bytes) -> None:
    """A text cut to the room of a message, and in pages: two places of a highlight first."""
    text = text_of(data[2:])
    bold = _span(data, text)
    for keep_end in (False, True):
        assert len(fitted(text, _ROOM, bold=bold, keep_end=keep_end)) <= _ROOM
    pages = [block for _, block in text_pages(text, _ROOM, bold=bold)]
    assert all(len(page) <= _ROOM for page in pages)
    seen = "".join(_visible(shown_quote(page).text) for page in pages)
    assert "".join(seen.split()) == "".join(_visible(text).split())


@target("https://a.org/b#c\nThe text, re-used.\nAnd more.", "http://例え.jp\n木")
def links(data: bytes) -> None:
    """Links to a passage: the address on the first line, then the text."""
    url, _, text = text_of(data).partition("\n")
    for made in (text_fragment_url(url, text), link("Source", url)):
        if made is not None:
            address = made.removeprefix("[Source](<").removesuffix(">)")
            assert urlsplit(address).scheme in ("http", "https")
            assert len(address) <= 512
            assert not set(address) & set('<>()[]\\"` \n')


@target("and when was that?\nWho built the bridge?", "何時ですか\n橋は誰が建てましたか", "y eso?\n")
def conversation(data: bytes) -> None:
    """A question and those before it, one a line."""
    question, *previous = text_of(data).split("\n")
    asked = standalone(question, previous)
    assert asked == question or (is_follow_up(question) and asked.endswith(f" {question}"))


@target("When was the bridge built?", 'Wann" OR terms:* NEAR(a)', "橋 'x' --")
def questions(data: bytes) -> None:
    """A question to the lexical index."""
    question = text_of(data)
    for row, score in _lexical().search(question, 3).items():
        assert row in (0, 1, 2)
        assert 0 <= score <= 1
    for language in ("en", "de", "ja", "xx"):
        assert set(content_terms(question, language)) <= set(terms(question, language))


@cache
def _lexical() -> LexicalIndex:
    texts = [(0, "en", "The bridge was built in 1907."), (1, "de", "Die Brücke."), (2, "ja", "橋")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lexical"
        write_lexical(path, texts, len(texts))
        # An open file is read further when its name is gone.
        return opened_words(path)


def _span(data: bytes, text: str) -> list[Span]:
    first, second = (place % (len(text) + 1) for place in (*data[:2], 0, 0)[:2])
    return [(min(first, second), max(first, second))]


def _visible(text: str) -> str:
    return printable(text).replace("@\u200b", "@")
