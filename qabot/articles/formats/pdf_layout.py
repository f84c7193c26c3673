"""Lines of pages to paragraphs and headings; pure.

A PDF knows where each character stands, but not what a paragraph is. What is told here from the
places of lines is what people see: gaps, indents, larger letters, and what repeats on every page.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from qabot.articles.formats.draft import Block, Composed, compose_blocks, has_words
from qabot.articles.formats.hyphens import Words, joined
from qabot.articles.formats.pdf_lines import Line, Page, Pages, Rules
from qabot.articles.formats.pdf_margins import without_margins
from qabot.articles.formats.pdf_tables import arranged

# In parts of a line's size.
_SAME_SIZE = 0.08
_LARGER = 1.15
_INDENT = 0.5
_COLUMN = 2.0
# In parts of the usual distance of lines.
_GAP = 1.4
_SHORT = 0.85
_LONGEST_HEADING = 200
_MOST_HEADING_LINES = 3
_NUMBERING = re.compile(r"^(?:[0-9]+(?:\.[0-9]+)*\.?|[ivxlc]+\.)\s+", re.IGNORECASE)
_BULLET = re.compile(r"[•‣◦▪·–*-]\s")
_ITEM = re.compile(r"(?:\d{1,3}|[a-z])[.)]\s")
_ENDED = re.compile(r"[.!?:;…。！？：؟۔।]['\"”’»)\]]*$")
# The end of a sentence, or the dots of a table of contents.
_NO_HEADING = re.compile(r"[.,;。，；،]$|(?:\. ?){4}")


@dataclass(frozen=True, slots=True)
class Mark:
    """An entry of a document's outline: its title, its page from 0, and its level, 1 to 6."""

    title: str
    page: int
    level: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line on a page.

    Attributes:
        page: From 0.
        width: The right end of the widest line that begins where it does.
        level: The level of the outline's entry that it is.
    """

    line: Line
    page: int
    width: float
    level: int | None


def lay_out(
    pages: Sequence[Page], rules: Sequence[Rules], outline: Sequence[Mark]
) -> tuple[Composed, list[int]]:
    """The text of a document.

    Args:
        pages: Lines in the order in which they are drawn.
        rules: Those of each page.

    Returns:
        Paragraphs and headings, and the offset at which each page begins.
    """
    body = _body_size(pages)
    plain = without_margins(list(pages), body)
    words = Words(line.text for page in plain for line in page)
    kept = [arranged(page, drawn, words) for page, drawn in zip(plain, rules, strict=True)]
    paragraphs = list(_paragraphs(list(_placed(kept, outline)), _pitch(kept, body)))
    levels = _Levels(paragraphs, outline, body)
    blocks, breaks = [], []
    table = 0, 0
    for number, paragraph in enumerate(paragraphs):
        text, starts = joined([placed.line.text for placed in paragraph], words)
        before, table = table, (paragraph[0].page, paragraph[0].line.row)
        in_table = table[1] > 0 and table == before
        blocks.append(Block(text, levels(paragraph, text), tight=in_table))
        breaks += [
            (number, start, placed.page) for start, placed in zip(starts, paragraph, strict=True)
        ]
    composed = compose_blocks(blocks)
    first: dict[int, int] = {}
    for number, start, page in breaks:
        first.setdefault(page, composed.starts[number] + start)
    return composed, _page_starts(first, len(pages), len(composed.text))


def _page_starts(first: dict[int, int], count: int, length: int) -> list[int]:
    """Where each page begins; one without text where the next one does."""
    starts, following = [], length
    for page in reversed(range(count)):
        following = min(first.get(page, following), following)
        starts.append(following)
    starts.reverse()
    # What stands before the first page's text belongs to it.
    return [0, *starts[1:]] if starts else []


def _body_size(pages: Sequence[Page]) -> float:
    """The size that most characters have."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[round(2 * line.size) / 2] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 1.0


def _pitch(pages: Pages, body: float) -> float:
    """The usual distance of one line of running text from the next, in parts of its size."""
    distances = [
        (above.bottom - line.bottom) / line.size
        for page in pages
        for above, line in pairwise(page)
        if line.size and not line.row and abs(line.size - body) <= _SAME_SIZE * body
    ]
    usual = [distance for distance in distances if 0.5 < distance < 2.5]
    return median(usual) if usual else 1.0


def _placed(pages: Pages, outline: Sequence[Mark]) -> Iterator[_Placed]:
    titles = {(mark.page, _folded(mark.title)): mark.level for mark in outline}
    for number, page in enumerate(pages):
        by_left = sorted(page, key=lambda line: line.left)
        lefts = [line.left for line in by_left]
        for line in page:
            first = bisect_left(lefts, line.left - 2 * line.size)
            last = bisect_right(lefts, line.left + 2 * line.size)
            width = max((other.right for other in by_left[first:last]), default=line.right)
            level = titles.get((number, _folded(line.text))) if titles else None
            yield _Placed(line, number, width, level)


def _folded(title: str) -> str:
    return "".join(_NUMBERING.sub("", title).casefold().split())


def _paragraphs(lines: Sequence[_Placed], pitch: float) -> Iterator[list[_Placed]]:
    paragraph: list[_Placed] = []
    for placed in lines:
        if paragraph and _begins(paragraph, placed, pitch):
            yield paragraph
            paragraph = []
        paragraph.append(placed)
    if paragraph:
        yield paragraph


def _begins(paragraph: Sequence[_Placed], placed: _Placed, pitch: float) -> bool:
    """Tell whether a line begins a new paragraph."""
    before, line = paragraph[-1].line, placed.line
    if before.row or line.row:
        return True
    size = max(before.size, line.size)
    if abs(before.size - line.size) > _SAME_SIZE * size or paragraph[-1].level or placed.level:
        return True
    ended = bool(_ENDED.search(before.text))
    if _BULLET.match(line.text) or (_ITEM.match(line.text) and ended):
        return True
    short = before.right - before.left < _SHORT * (paragraph[-1].width - before.left)
    down = before.bottom - line.bottom
    if paragraph[-1].page != placed.page or down < -_INDENT * size:
        # On a new page or in a new column: what was not finished goes on.
        return ended or short
    hanging = _BULLET.match(paragraph[0].line.text) or _ITEM.match(paragraph[0].line.text)
    indented = line.left - before.left > _INDENT * size and down > _INDENT * size
    return down > _GAP * pitch * size or (ended and short) or (indented and not hanging)


class _Levels:
    """Tells headings: what the outline names, and short lines in letters larger than the text's."""

    def __init__(
        self, paragraphs: Sequence[Sequence[_Placed]], outline: Sequence[Mark], body: float
    ) -> None:
        self._body = body
        self._titles = {(mark.page, _folded(mark.title)): mark.level for mark in outline}
        sizes = {self._size(paragraph) for paragraph in paragraphs if self._is_large(paragraph)}
        self._ranks = {size: rank for rank, size in enumerate(sorted(sizes, reverse=True), 1)}

    def __call__(self, paragraph: Sequence[_Placed], text: str) -> int | None:
        """The level of a paragraph, 1 to 6; ``None`` if it is no heading."""
        if level := self._titles.get((paragraph[0].page, _folded(text))):
            return level
        large = self._is_large(paragraph) and len(text) <= _LONGEST_HEADING and has_words(text)
        if not large or _NO_HEADING.search(text):
            return None
        return min(self._ranks[self._size(paragraph)], 6)

    def _is_large(self, paragraph: Sequence[_Placed]) -> bool:
        if len(paragraph) > _MOST_HEADING_LINES or paragraph[0].line.row:
            return False
        return self._size(paragraph) >= _LARGER * self._body

    @staticmethod
    def _size(paragraph: Sequence[_Placed]) -> float:
        return round(paragraph[0].line.size)
