"""Shared by all parsers: clean characters, and build a text whose offsets are known.

Code points are kept as they are. Only line ends, byte order marks, control characters, lone
surrogates (which no UTF-8 file can hold) and surplus blank lines are changed, and all of that
happens before an offset is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qabot.types import Heading

LONGEST_HEADING = 300
"""Characters of a heading or title. A longer line is none: all that is encoded for a passage begins
with those above it, so that one of a megabyte would be encoded a thousand times."""

_LINE_END = re.compile("\r\n|[\r\v\x85\u2028]")
_PARAGRAPH_END = re.compile("[\f\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK_LINE = re.compile(r"^[^\S\n]+$", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0))
_DROPPED = {point: None for point in (*_CONTROLS, 0xFEFF) if chr(point) not in "\n\t"}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document between blank lines.

    Attributes:
        level: The heading's level, 1 to 6; ``None`` for anything else.
        tight: Follows the block before it on the next line, without a blank line (list items).
    """

    text: str
    level: int | None = None
    tight: bool = False


@dataclass(frozen=True, slots=True)
class Composed:
    """Blocks as one text.

    Attributes:
        starts: Where each block begins in ``text``; where the next one does for those left out.
    """

    text: str
    headings: tuple[Heading, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """One parsed document; ``None`` stands for fields that the document lacks.

    Attributes:
        pages: Where its pages begin in ``text``; empty where it has none.
        unfinished: Whether it says that it is not to be published yet.
        warnings: What could not be read, each on one line, with the remedy.
    """

    text: str
    headings: tuple[Heading, ...] = ()
    title: str | None = None
    published: str | None = None
    language: str | None = None
    url: str | None = None
    author: str | None = None
    pages: tuple[int, ...] = ()
    unfinished: bool = False
    warnings: tuple[str, ...] = ()


def clean_characters(text: str) -> str:
    """``text`` with plain line feeds for line ends and no control characters but those and tabs."""
    text = _PARAGRAPH_END.sub("\n\n", _LINE_END.sub("\n", text))
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.translate(_DROPPED))


def clean(text: str) -> str:
    """``text`` with clean characters, one blank line at most, and no blank space around it."""
    text = _BLANK_LINE.sub("", clean_characters(text))
    return _EMPTY_LINES.sub("\n\n", text).strip()


def unbroken(text: str) -> str:
    """``text`` on one line: each line break and the blanks around it become one space."""
    return " ".join(filter(None, map(str.strip, text.split("\n"))))


def one_line(text: str) -> str:
    """``text`` fit for a title: clean, and every run of blank space one space."""
    return " ".join(clean_characters(text).split())


def has_words(text: str) -> bool:
    """Tell whether ``text`` has a letter or digit."""
    return any(map(str.isalnum, text))


def compose(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """Join blocks to a text and note where its headings lie.

    Args:
        blocks: In the document's order; those without text are left out.

    Returns:
        The text, blocks separated by a blank line (tight ones by a line break), and its headings.
    """
    composed = compose_blocks(blocks)
    return composed.text, composed.headings


def compose_blocks(blocks: Iterable[Block]) -> Composed:
    """Compose the text, and tell where each block begins."""
    parts: list[str] = []
    headings: list[Heading] = []
    starts: list[int] = []
    length = left_out = 0
    for block in blocks:
        text = clean(block.text)
        if block.level is not None:
            text = unbroken(text)
        if not text:
            left_out += 1
            continue
        separator = "" if not parts else "\n" if block.tight else "\n\n"
        start = length + len(separator)
        length = start + len(text)
        parts += [separator, text]
        starts += [start] * (left_out + 1)
        left_out = 0
        if block.level is not None and len(text) <= LONGEST_HEADING:
            headings.append(Heading(start, length, block.level))
    starts += [length] * left_out
    return Composed("".join(parts), tuple(headings), tuple(starts))
