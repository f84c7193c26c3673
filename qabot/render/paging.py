"""Fit texts into messages: pages of quotes, shortened quotes, an article's text in pages."""

from __future__ import annotations

from collections.abc import Sequence

from qabot.render.markup import quote_block
from qabot.types import Span

_CUT = "…"


def paged(lengths: Sequence[int], per_page: int, room: int) -> list[tuple[int, ...]]:
    """Distribute items over pages, in order: the first alone, then as many on a page as fit.

    Args:
        lengths: Characters of each item.
        per_page: The most items of a further page.
        room: Characters of a page; two separate its items.

    Returns:
        The numbers of the items on each page.
    """
    pages: list[tuple[int, ...]] = [()]
    left = room
    for number, length in enumerate(lengths):
        most = per_page if len(pages) > 1 else 1
        if pages[-1] and (length > left or len(pages[-1]) == most):
            pages.append(())
            left = room
        pages[-1] = (*pages[-1], number)
        left -= length + 2
    return pages


def fitted(text: str, room: int, *, bold: Sequence[Span] = (), keep_end: bool = False) -> str:
    """Quote ``text`` as a block of at most ``room`` characters (at least 40).

    The rest is left out, marked by an ellipsis outside of the quote: at the end, or with
    ``keep_end`` at the beginning. The first bold span stays in.
    """
    room = max(room, 40)
    whole = _drawn(text, (0, len(text)), bold)
    if len(whole) <= room:
        return whole
    low, high = 0, min(room, len(text))
    best = _CUT
    while low < high:
        middle = (low + high + 1) // 2
        tried = _drawn(text, _window(text, middle, bold[:1], keep_end=keep_end), bold)
        if len(tried) <= room:
            low, best = middle, tried
        else:
            high = middle - 1
    return best


def text_pages(text: str, room: int, *, bold: Sequence[Span] = ()) -> list[tuple[int, str]]:
    """Split ``text`` into block quotes, at ends of lines if possible.

    Args:
        room: The most characters of a block.

    Returns:
        The offset in ``text`` and the text of each block.
    """
    blocks: list[tuple[int, str]] = []
    start = 0
    while start < len(text) or not blocks:
        count = min(room, len(text) - start)
        while len(block := _quoted(text, (start, start + count), bold)) > room:
            count = count * room // len(block)
        end = start + count
        line = text.rfind("\n", start, end)
        if end < len(text) and line > start + count // 2:
            # Cut at the line's end.
            block = _quoted(text, (start, line), bold)
            end = line + 1
        blocks.append((start, block))
        start = end
    return blocks


def _window(text: str, count: int, mark: Sequence[Span], *, keep_end: bool) -> Span:
    """Choose ``count`` characters to keep: at one end, or from the beginning of ``mark``."""
    if keep_end:
        return len(text) - count, len(text)
    first = min(mark[0][0], len(text) - count) if mark and mark[0][1] > count else 0
    end = first + count
    blank = text.rfind(" ", first, end) if end < len(text) else -1
    return first, blank if blank > first + count // 2 else end


def _drawn(text: str, span: Span, bold: Sequence[Span]) -> str:
    start, end = span
    cut_before = [_CUT] if start > 0 else []
    cut_after = [_CUT] if end < len(text) else []
    return "\n".join([*cut_before, _quoted(text, span, bold), *cut_after])


def _quoted(text: str, span: Span, bold: Sequence[Span]) -> str:
    start, end = span
    inside = [(max(a, start) - start, min(b, end) - start) for a, b in bold]
    return quote_block(text[start:end], [(a, b) for a, b in inside if a < b])
