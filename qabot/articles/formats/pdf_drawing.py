"""A PDF's page as PDFium tells it: lines of characters with their places, and drawn rules."""

from __future__ import annotations

import ctypes
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

from pypdfium2 import raw

from qabot.articles.formats.draft import one_line
from qabot.articles.formats.pdf_lines import TOUCH, Line, Page, Piece, Rule, Rules

# PDFium's mark for the hyphen that divides a word at the end of a line, which it joins.
_DIVIDED = "\x02"
_LINE_END = re.compile(r"\r\n|\r|\n|(?<=\x02)")
_WORD = re.compile(r"\S+")
# Read at once, numbers beyond all characters are cut to any of these, and pairs of surrogates may
# make up for what is left out.
_DOUBTFUL = re.compile("[\u2e80-\ufaff\ufb07-\ufffd\uffff]")
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
# In parts of a line's size: no blank is that wide, unless a line is stretched a lot.
_GAP = 0.6
_OTHER_HEIGHT = 0.25
_BOLD = 600
_UPRIGHT = 0.1
# Of the letters of a page whose other lines are read upright.
_LEAST_LEVEL = 0.8
_FONT_NAME = 64
# A drawing of more is no table.
_MOST_OBJECTS, _MOST_SEGMENTS = 5_000, 10_000
_MOST_OF_PAGE = 0.5
_THIN, _LEAST_LENGTH = 1.5, 6.0


def lines_of(page: Any, rules: Rules) -> Page:
    """The lines of a page, without those that stand upright beside the text.

    Args:
        page: PDFium's text page.
        rules: Those of the page, which part what stands on either side.
    """
    lines = [*_lines(page, rules)]
    level = [line for line, upright in lines if not upright]
    if not level or sum(len(line.text) for line in level) < _LEAST_LEVEL * sum(
        len(o.text) for o, _ in lines
    ):
        return [line for line, _ in lines]
    left, right = min(line.left for line in level), max(line.right for line in level)
    return [
        line
        for line, upright in lines
        if not upright or left < (line.left + line.right) / 2 < right
    ]


def _lines(page: Any, rules: Rules) -> Iterator[tuple[Line, bool]]:
    """Each line, and whether it stands upright."""
    text = _text(page)
    start = 0
    for end in [*(match.end() for match in _LINE_END.finditer(text)), len(text)]:
        for words in _runs(list(_words(page, text, start, end))):
            if line := _line(page, words, rules):
                place = words[0].start
                angle = raw.FPDFText_GetCharAngle(page.raw, place)
                yield line, abs(math.sin(angle)) > 1 - _UPRIGHT
        start = end


def _text(page: Any) -> str:
    """A page's characters, as many as it counts."""
    count = max(0, page.count_chars())
    buffer = (ctypes.c_ushort * (count + 1))()
    if raw.FPDFText_GetText(page.raw, 0, count, buffer) == count + 1:
        text = bytes(buffer)[: 2 * count].decode("utf-16-le", "surrogatepass")
        if len(text) == count and not _DOUBTFUL.search(text):
            return text.replace("\ufffe", _DIVIDED)
    units = [raw.FPDFText_GetUnicode(page.raw, n) for n in range(count)]
    # Damaged fonts give numbers beyond all characters.
    return "".join(chr(unit) if unit <= sys.maxunicode else "\ufffd" for unit in units)


class _Word(NamedTuple):
    """Characters between blanks, where they begin in the text, and the first and last one's box."""

    text: str
    start: int
    first: Any
    last: Any


def _words(page: Any, text: str, start: int, end: int) -> Iterator[_Word]:
    """The words of a line; a word whose place PDFium cannot tell belongs to the one before."""
    before: _Word | None = None
    for match in _WORD.finditer(text, start, end):
        first = _box(page, match.start())
        last = first if match.end() - match.start() == 1 else _box(page, match.end() - 1)
        if first is None or last is None:
            if before is not None:
                before = before._replace(text=f"{before.text} {match[0]}")
            continue
        if before is not None:
            yield before
        before = _Word(match[0], match.start(), first, last)
    if before is not None:
        yield before


def _runs(words: Sequence[_Word]) -> Iterator[Sequence[_Word]]:
    """``words`` cut where one stands back on another height: there, PDFium misses a line's end."""
    start = 0
    for place, (before, word) in enumerate(pairwise(words), 1):
        size = before.first.top - before.first.bottom
        higher = abs(word.first.bottom - before.first.bottom)
        if word.first.left < before.first.left and higher > _OTHER_HEIGHT * size:
            yield words[start:place]
            start = place
    if words:
        yield words[start:]


def _line(page: Any, words: Sequence[_Word], rules: Rules) -> Line | None:
    text = _characters(" ".join(word.text for word in words))
    first, last, middle = words[0], words[-1], words[len(words) // 2]
    size = sorted(abs(word.first.top - word.first.bottom) for word in (first, middle, last))[1]
    if not text:
        return None
    height = first.first.bottom + size / 2
    parting = [rule.place for rule in rules.down if rule.covers(height)]
    pieces = tuple(_pieces(words, size, parting))
    return Line(
        text,
        left=first.first.left,
        right=last.last.right,
        bottom=first.first.bottom,
        size=size,
        pieces=pieces if len(pieces) > 1 else (),
        bold=raw.FPDFText_GetFontWeight(page.raw, first.start) >= _BOLD
        or _has_bold_font(page, first.start),
    )


def _pieces(words: Sequence[_Word], size: float, parting: Sequence[float]) -> Iterator[Piece]:
    """The parts of a line between its gaps; one that runs to the left has none."""
    start = 0
    for place, (before, word) in enumerate(pairwise(words), 1):
        left, right = before.last.right, word.first.left
        between = any(left - 1 < rule < right + 1 for rule in parting)
        if right - left > _GAP * size or (right > left and between):
            yield _piece(words[start:place])
            start = place
    yield _piece(words[start:])


def _piece(words: Sequence[_Word]) -> Piece:
    text = _characters(" ".join(word.text for word in words))
    return Piece(text, words[0].first.left, words[-1].last.right)


def _has_bold_font(page: Any, place: int) -> bool:
    name = ctypes.create_string_buffer(_FONT_NAME)
    length = raw.FPDFText_GetFontInfo(page.raw, place, name, _FONT_NAME, ctypes.c_int())
    return 0 < length <= _FONT_NAME and b"bold" in name.value.lower()


def _box(page: Any, place: int) -> Any:
    """Where a character stands, as tall as its font is; ``None`` where PDFium cannot tell."""
    box = raw.FS_RECTF()
    return box if raw.FPDFText_GetLooseCharBox(page.raw, place, box) else None


def _characters(text: str) -> str:
    """Words with a blank between them, with hyphens, without ligatures, with surrogates joined."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace(_DIVIDED, "-").translate(_LIGATURES)
    return one_line(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def rules_of(page: Any) -> Rules:
    """The straight lines that are drawn on a page; none where it is full of drawings."""
    across: set[Rule] = set()
    down: set[Rule] = set()
    segments = 0
    objects = raw.FPDFPage_CountObjects(page.raw)
    if objects > _MOST_OBJECTS:
        return Rules()
    for number in range(objects):
        drawn = raw.FPDFPage_GetObject(page.raw, number)
        if raw.FPDFPageObj_GetType(drawn) != raw.FPDF_PAGEOBJ_PATH:
            continue
        segments += max(0, raw.FPDFPath_CountSegments(drawn))
        if segments > _MOST_SEGMENTS:
            return Rules()
        if not _is_long(drawn):
            continue
        for (x, y), (to_x, to_y) in _edges(drawn):
            if abs(y - to_y) <= _THIN and abs(x - to_x) >= _LEAST_LENGTH:
                across.add(Rule(round(y), round(min(x, to_x)), round(max(x, to_x))))
            elif abs(x - to_x) <= _THIN and abs(y - to_y) >= _LEAST_LENGTH:
                down.add(Rule(round(x), round(min(y, to_y)), round(max(y, to_y))))
    return Rules(_joined(across), _joined(down))


def is_picture(page: Any) -> bool:
    """Tell whether pictures cover most of a page."""
    covered = 0.0
    for number, drawn in enumerate(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])):
        left, bottom, right, top = (ctypes.c_float() for _ in range(4))
        if raw.FPDFPageObj_GetBounds(drawn, left, bottom, right, top):
            covered += abs(right.value - left.value) * abs(top.value - bottom.value)
        if number == _MOST_OBJECTS:
            break
    return bool(covered > _MOST_OF_PAGE * page.get_width() * page.get_height())


def _is_long(drawn: Any) -> bool:
    """Tell whether a path is long enough for a rule; most are parts of pictures and letters."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(drawn, left, bottom, right, top):
        return True
    return max(right.value - left.value, top.value - bottom.value) >= _LEAST_LENGTH


def _joined(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """``rules`` with those that go on in one another as one: cells draw their borders singly."""
    joined: list[Rule] = []
    for rule in sorted(rules, key=lambda rule: (rule.place, rule.start)):
        before = joined[-1] if joined else None
        if before and before.place == rule.place and rule.start <= before.end + TOUCH:
            joined[-1] = replace(before, end=max(before.end, rule.end))
        else:
            joined.append(rule)
    return tuple(joined)


_Point = tuple[float, float]


def _edges(drawn: Any) -> Iterator[tuple[_Point, _Point]]:
    """The straight parts of a path, on the page."""
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(drawn, matrix):
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    points: list[tuple[int, _Point]] = []
    for number in range(raw.FPDFPath_CountSegments(drawn)):
        segment = raw.FPDFPath_GetPathSegment(drawn, number)
        if not raw.FPDFPathSegment_GetPoint(segment, x, y):
            return
        place = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            points.clear()
        points.append((kind, place))
        if len(points) > 1 and kind == raw.FPDF_SEGMENT_LINETO:
            yield points[-2][1], place
        if raw.FPDFPathSegment_GetClose(segment):
            yield place, points[0][1]
