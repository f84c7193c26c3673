"""The edges of a PDF's pages: numbers of lines and pages, running heads; pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from qabot.articles.formats.draft import has_words
from qabot.articles.formats.pdf_lines import Line, Page, Pages

# In parts of the size of running text.
_LARGER = 1.15
_EDGE_ROUNDS = 3
_REPEATS = 3
_MOST_PAGES = 0.6
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"\W*(\d{1,5})\W*")
_FIRST_OR_LAST = re.compile(r"^\d{1,5}(?=\s)|(?<=\s)\d{1,5}$")
_ROMAN = re.compile(r"\W*[ivxlc]{1,8}\W*", re.IGNORECASE)
# The name of the file that was printed, with its page or time.
_PRINTED = re.compile(r"(?i)\S\.(?:fm|indb|indd|qx[dp]|sgml?)\b.*\d")
# Fewer numbers at a margin are a list.
_LEAST_NUMBERS = 5
_SAME_PLACE = 3.0
_GOES_ON = 0.25


def without_margins(pages: Pages, body: float) -> Pages:
    """``pages`` without numbers of lines, marks of printers, and running heads.

    Args:
        body: The size of running text.
    """
    # At the left, and at the right.
    pages = _without_line_numbers(_without_line_numbers(pages))
    pages = [[line for line in page if not _PRINTED.search(line.text)] for page in pages]
    return _without_running_lines(pages, body)


def _without_line_numbers(pages: Pages) -> Pages:
    """``pages`` without the numbers that count their lines at a margin."""
    found = [_numbers(page) for page in pages]
    numbered = [page for page, numbers in zip(pages, found, strict=True) if numbers]
    if not numbered or not _goes_on(numbered):
        # Items of a list, or the places in a race.
        return pages
    return [
        list(_without(page, numbers)) if numbers else page
        for page, numbers in zip(pages, found, strict=True)
    ]


def _numbers(page: Page) -> dict[int, int]:
    """Where numbers stand that count up down a margin: the place of a line → that of its piece."""
    for side in (0, -1):
        columns: dict[int, list[tuple[int, int]]] = {}
        for place, line in enumerate(page):
            piece = line.parts()[side]
            if piece.text.isdecimal() and len(piece.text) < 5:
                edge = round((piece.right if side == 0 else piece.left) / _SAME_PLACE)
                aligned = round((piece.left if side == 0 else piece.right) / _SAME_PLACE)
                for key in {edge, -1 - aligned}:
                    columns.setdefault(key, []).append((place, int(piece.text)))
        for told in sorted(columns.values(), key=len, reverse=True):
            places = {place: side % len(page[place].parts()) for place, _ in told}
            if _counts_up([page[place] for place in places], [n for _, n in told]) and _is_outside(
                page, places, side
            ):
                return places
    return {}


def _counts_up(lines: Page, numbers: Sequence[int]) -> bool:
    if len(numbers) < _LEAST_NUMBERS:
        return False
    steps = {after - before for before, after in pairwise(numbers)}
    falls = all(above.bottom > line.bottom for above, line in pairwise(lines))
    return falls and steps in ({1}, {2}, {5}, {10})


def _is_outside(page: Page, numbers: dict[int, int], side: int) -> bool:
    """Tell whether all text is on one side of the numbers."""
    edges = [page[place].parts()[piece] for place, piece in numbers.items()]
    rest = [
        piece
        for place, line in enumerate(page)
        for number, piece in enumerate(line.parts())
        if numbers.get(place) != number
    ]
    low, high = min(e.bottom for e in page), max(e.bottom for e in page)
    heights = [page[place].bottom for place in numbers]
    if not rest or heights[0] - heights[-1] < (high - low) / 2:
        return False
    if side == 0:
        return sum(piece.left < max(e.right for e in edges) for piece in rest) <= 2
    return sum(piece.right > min(e.left for e in edges) for piece in rest) <= 2


def _goes_on(pages: Pages) -> bool:
    """Tell whether lines go on in the next one, as running text does and lists don't."""
    texts = [
        piece.text
        for page in pages
        for line in page
        for piece in line.parts()
        if has_words(piece.text) and not piece.text.isdecimal()
    ]
    small = sum(not text[0].isupper() and not text[0].isdecimal() for text in texts)
    return bool(texts) and small >= _GOES_ON * len(texts)


def _without(page: Page, numbers: dict[int, int]) -> Iterator[Line]:
    for place, line in enumerate(page):
        if place not in numbers:
            yield line
            continue
        parts = line.parts()
        left = tuple(piece for number, piece in enumerate(parts) if number != numbers[place])
        if left:
            yield line.of(left)


def _without_running_lines(pages: Pages, body: float) -> Pages:
    """``pages`` without page numbers, and what else stands at the same place of many pages."""
    for _ in range(_EDGE_ROUNDS):
        for edge in (max, min):
            outer = [edge(page, key=lambda line: line.bottom) if page else None for page in pages]
            running = _running(outer, body)
            pages = [
                [line for line in page if number not in running or line is not outer[number]]
                for number, page in enumerate(pages)
            ]
    return pages


def _running(outer: Sequence[Line | None], body: float) -> set[int]:
    """On which pages the outermost line belongs to the page, not to the text."""
    keys = [_running_keys(line, number, body) for number, line in enumerate(outer)]
    counts = Counter(key for found in keys for key in found)
    # A title may be repeated, but not on most pages.
    least = {"number": 2, "large": max(_REPEATS + 1, round(_MOST_PAGES * len(outer)))}
    return {
        number
        for number, found in enumerate(keys)
        if any(counts[key] >= least.get(key[0], _REPEATS) for key in found)
    }


def _running_keys(line: Line | None, page: int, body: float) -> list[tuple[str, str, int]]:
    if line is None:
        return []
    place = round(line.bottom / 2)
    if line.size > _LARGER * body:
        return [("large", _DIGITS.sub("#", line.text), place)]
    if number := _NUMBER.fullmatch(line.text):
        # Numbers that do not count up with the pages are part of the text.
        return [("number", str(int(number[1]) - page), place)]
    if _ROMAN.fullmatch(line.text):
        return [("roman", "", place)]
    if not has_words(line.text):
        return []
    # The same words, or, beside those of a chapter, the number of the page.
    numbers = _FIRST_OR_LAST.findall(line.text)
    return [
        ("text", _DIGITS.sub("#", line.text), place),
        *(("counted", str(int(number) - page), place) for number in numbers),
    ]
