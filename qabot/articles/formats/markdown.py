"""Markdown with YAML front matter: what is known of the article, and its body as clean text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from qabot.articles.formats.dates import REMEDY, parse_date
from qabot.articles.formats.draft import Block, Draft, clean_characters, compose, one_line
from qabot.articles.formats.language import language_code
from qabot.errors import ArticleError

if TYPE_CHECKING:
    from markdown_it.token import Token
    from markdown_it.tree import SyntaxTreeNode

_FRONT_MATTER = re.compile(
    r"\s*^---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_NULLS = ("", "~", "null")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WEB_ADDRESS = re.compile(r"https?://\S{1,4000}", re.IGNORECASE)
_SHOWN = 40
_DEEPEST = 100


def read_markdown(text: str) -> Draft:
    """Make a draft of Markdown: fields of the front matter, text and headings of the body.

    Raises:
        ArticleError: The front matter is no YAML mapping, or a field of it has no sensible value.
    """
    text = clean_characters(text)
    match = _FRONT_MATTER.match(text)
    known = _read_front_matter(match[1]) if match else Draft("")
    try:
        body, headings = compose(_render(text[match.end() :] if match else text))
    except RecursionError:
        raise ArticleError("nested too deeply; write it with fewer levels") from None
    return replace(known, text=body, headings=headings)


def _read_front_matter(source: str) -> Draft:
    fields = _parse_yaml(source)
    title = _value(fields, "title")
    published = _value(fields, "published", "date")
    language = _value(fields, "language", "lang")
    url = _value(fields, "url")
    return Draft(
        text="",
        title=one_line(title[1]) if title else None,
        published=_published(*published) if published else None,
        language=_language(*language) if language else None,
        url=_url(*url) if url else None,
        author=_author(fields.get("author")),
    )


def _parse_yaml(source: str) -> dict[object, object]:
    import yaml

    try:
        # BaseLoader leaves every scalar the text that was written: a date stays as exact as it is,
        # and no tag of a hostile file makes an object or an exception of another kind.
        fields = yaml.load(source, Loader=yaml.BaseLoader)  # noqa: S506 (it makes nothing but text)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        # The first line of the file is the one with the dashes.
        where = f"line {mark.line + 2}: " if mark else ""
        what = getattr(error, "problem", None) or "it cannot be parsed"
        raise ArticleError(
            f"front matter is not valid YAML ({where}{one_line(str(what))}); "
            "correct it or put values with special characters in quotes"
        ) from error
    if fields in _NULLS or fields is None:
        return {}
    if not isinstance(fields, dict):
        raise ArticleError("front matter holds no fields; write lines such as `title: …`")
    return fields


def _value(fields: dict[object, object], *names: str) -> tuple[str, str] | None:
    for name in names:
        value = fields.get(name, "")
        if not isinstance(value, str):
            raise ArticleError(f"field `{name}`: not one value; write `{name}: …` on one line")
        value = clean_characters(value).strip()
        if value not in _NULLS:
            return name, value
    return None


def _author(value: object) -> str | None:
    """One name, or several; anything else is for other programs."""
    names = value if isinstance(value, list) else [value]
    told = [one_line(name) for name in names if isinstance(name, str) and name not in _NULLS]
    return ", ".join(filter(None, told)) or None


def _published(name: str, value: str) -> str:
    published = parse_date(value)
    if published is None:
        raise ArticleError(f"field `{name}`: {_shown(value)} is no date; {REMEDY}")
    return published


def _language(name: str, value: str) -> str:
    code = language_code(value)
    if code is None:
        raise ArticleError(
            f"field `{name}`: {_shown(value)} is no language; write a two-letter code such as de"
        )
    return code


def _url(name: str, value: str) -> str:
    # Only what a reader may safely click: no javascript: and no file:.
    if not _WEB_ADDRESS.fullmatch(value):
        raise ArticleError(
            f"field `{name}`: {_shown(value)} is no web address; begin it with https://"
        )
    return value


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def _render(source: str) -> Iterator[Block]:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

    # What is nested deeper is left out, and by default that is ten lists in each other.
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST})
    parser.enable(["table", "strikethrough"])
    yield from _blocks(SyntaxTreeNode(parser.parse(source)))


def _blocks(node: SyntaxTreeNode) -> Iterator[Block]:
    for child in node.children:
        if child.type == "heading":
            yield Block(_inline(child), level=int(child.tag[1:]))
        elif child.type == "paragraph":
            yield Block(_inline(child))
        elif child.type in ("fence", "code_block"):
            yield Block(child.content)
        elif child.type in ("bullet_list", "ordered_list"):
            yield from _list_lines(child)
        elif child.type == "table":
            yield Block("\n".join(_rows(child)))
        else:  # A block quote or a list item; rules and blocks of HTML have no children.
            yield from _blocks(child)


def _list_lines(node: SyntaxTreeNode) -> Iterator[Block]:
    lines = [block.text for block in _blocks(node)]
    for number, line in enumerate(filter(None, map(str.strip, lines))):
        yield Block(line, tight=number > 0)


def _rows(table: SyntaxTreeNode) -> Iterator[str]:
    for part in table.children:
        for row in part.children:
            yield " | ".join(one_line(_inline(cell)) for cell in row.children)


def _inline(node: SyntaxTreeNode) -> str:
    tokens = (token for child in node.children for token in child.to_tokens()[0].children or ())
    return "".join(_inline_text(tokens))


def _inline_text(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        breaks = token.type == "html_inline" and _LINE_BREAK_TAG.fullmatch(token.content)
        if breaks or token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type in ("text", "text_special", "code_inline"):
            yield token.content
