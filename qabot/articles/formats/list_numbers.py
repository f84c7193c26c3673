"""The numbers of ordered lists, which stand in no text of a page: browsers write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# What opens an item takes its number.
_OPENS = frozenset(
    (
        *("a", "b", "code", "div", "em", "h2", "h3", "h4", "h5", "h6", "i", "p", "section", "span"),
        *("strong", "u"),
    )
)
_UNNUMBERED = re.compile(r"list-style(?:-type)?\s*:[^;]*\bnone\b", re.IGNORECASE)
# The numbers of notes lead back to marks, which are not read.
_NOTES = re.compile(r"foot-?notes?|end-?notes?|references|breadcrumb|(?<![a-z])fn", re.IGNORECASE)
_NUMBERED_ITSELF = re.compile(r"\W*(?:\d+|[^\W\d_])[.):]")
_INTEGER = re.compile(r"-?\d{1,6}")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_LETTERS, _MOST_ROMAN = 26, 3999


def number_items(page: Any) -> None:
    """Write the numbers of the items of ordered lists into a tree of XHTML, in place."""
    for numbered in page.iter("ol"):
        items = [child for child in numbered if child.tag == "li"]
        if items and _shows_numbers(numbered, items):
            for item, number in zip(items, _numbers(numbered, items), strict=False):
                _write(item, number)


def _shows_numbers(numbered: Any, items: list[Any]) -> bool:
    if _UNNUMBERED.search(numbered.get("style", "")) or numbered.get("role"):
        return False
    around = (item for item in (numbered, items[0], numbered.getparent()) if item is not None)
    names = (f"{item.get('class', '')} {item.get('id', '')}" for item in around)
    if any(map(_NOTES.search, names)):
        return False
    return not all(_NUMBERED_ITSELF.match("".join(item.itertext())) for item in items)


def _numbers(numbered: Any, items: list[Any]) -> Iterator[str]:
    backwards = numbered.get("reversed") is not None
    number = _integer(numbered.get("start"), len(items) if backwards else 1)
    kind = numbered.get("type", "")
    for item in items:
        number = _integer(item.get("value"), number)
        yield written(number, kind)
        number += -1 if backwards else 1


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and _INTEGER.fullmatch(text) else default


def written(number: int, kind: str) -> str:
    """``number`` as lists of a ``kind`` show it: "1", "a", "A", "i" or "I"."""
    if kind in ("a", "A") and 0 < number <= _LETTERS:
        return chr(ord(kind) + number - 1)
    if kind in ("i", "I") and 0 < number <= _MOST_ROMAN:
        roman = ""
        for value, letters in _ROMAN:
            times, number = divmod(number, value)
            roman += letters * times
        return roman if kind == "i" else roman.upper()
    return str(number)


def _write(item: Any, number: str) -> None:
    """Put ``number`` before the first words of ``item``."""
    opening = item
    while not (opening.text or "").strip() and len(opening) and opening[0].tag in _OPENS:
        opening = opening[0]
    opening.text = f"{number}. {(opening.text or '').lstrip()}"
