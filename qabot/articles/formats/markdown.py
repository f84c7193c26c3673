"""Markdown: rendered to HTML as on a site, and walked as that."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from qabot.articles.formats.blocks import blocks_of
from qabot.articles.formats.draft import Block, Draft, clean_characters, compose
from qabot.articles.formats.front_matter import split_front_matter
from qabot.articles.formats.list_numbers import number_items
from qabot.articles.formats.markers import without_markers
from qabot.articles.formats.xhtml import XHTML
from qabot.articles.formats.xml import parse_html
from qabot.errors import ArticleError

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_DEEPEST = 100
_OPENING = re.compile(r"<([A-Za-z]+)")
_CLOSING = re.compile(r"</([a-z]+)")
_CLOSED = "closed"
_HIDING = frozenset(tag for tag, role in XHTML.roles.items() if role == "nothing") | {
    "textarea",
    "select",
    "xmp",
    "plaintext",
    "noembed",
    "noframes",
}


def read_markdown(text: str) -> Draft:
    """Make a draft of Markdown: fields of the front matter, text and headings of the body.

    HTML within it is read as in a page; templates, components and markers are left out.

    Raises:
        ArticleError: It is nested too deeply.
    """
    known, source = split_front_matter(clean_characters(text))
    try:
        body, headings = compose(_blocks(source))
    except RecursionError:
        raise ArticleError("nested too deeply; write it with fewer levels") from None
    return replace(known, text=body, headings=headings)


def _blocks(source: str) -> Iterable[Block]:
    source = without_markers(source)
    rendered = _parser().render(source, {_CLOSED: set(_CLOSING.findall(source.lower()))})
    if not rendered.strip():
        return ()
    page = parse_html(rendered)
    number_items(page)
    return blocks_of(page, XHTML)


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    # What is nested deeper is left out, and by default that is ten lists in each other. The ends of
    # lines stay: poems and addresses have no other mark.
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST, "breaks": True})
    parser.enable(["table", "strikethrough"])
    parser.use(deflist_plugin).use(footnote_plugin)
    # Marks that lead to notes and back are no words of the text.
    for mark in ("footnote_ref", "footnote_anchor"):
        parser.add_render_rule(mark, lambda *_: "")
    parser.add_render_rule(
        "html_inline", lambda _, tokens, place, __, env: _tag(tokens[place], env[_CLOSED])
    )
    return parser


def _tag(token: Token, closed: Collection[str]) -> str:
    """A tag in running text; one that would hide all that follows it is text itself."""
    match = _OPENING.match(token.content)
    name = match[1].lower() if match else ""
    return escape(token.content) if name in _HIDING and name not in closed else token.content
