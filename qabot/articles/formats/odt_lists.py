"""The numbers of lists in OpenDocument texts, which programs make from the lists' styles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from qabot.articles.formats.list_numbers import written

_OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _STYLE = (f"{{{_OASIS}{name}:1.0}}" for name in ("text", "style"))
_LIST, _ITEM = f"{_TEXT}list", f"{_TEXT}list-item"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_DEEPEST = 10


class _Level(NamedTuple):
    """How a level of a list is numbered; ``shown`` levels stand in each number: 2 in "1.2"."""

    kind: str
    prefix: str
    suffix: str
    start: int
    shown: int


_Styles = dict[str, dict[int, _Level]]


class ListNumbers:
    """Writes the numbers of a document's lists into its tree, in place.

    Args:
        roots: The documents that hold the styles of lists, those of the document itself last.
    """

    def __init__(self, *roots: Any) -> None:
        self._styles: _Styles = {}
        for root in roots:
            for style in root.iter(f"{_TEXT}list-style"):
                self._styles[style.get(f"{_STYLE}name", "")] = dict(_levels(style))
        # The last numbers of each list, by its own name and by that of its style.
        self._last: dict[str, int] = {}

    def write(self, body: Any) -> None:
        """Number all lists in ``body``."""
        for found in body.iter(_LIST):
            if next(found.iterancestors(_LIST), None) is None:
                self._number(found, "", ())

    def _number(self, numbered: Any, style: str, above: tuple[str, ...]) -> None:
        if len(above) >= _DEEPEST:
            return
        style = numbered.get(f"{_TEXT}style-name", "") or style
        level = self._styles.get(style, {}).get(len(above) + 1)
        number = self._first(numbered, style, level, len(above))
        for item in numbered.iterchildren(_ITEM):
            number = _integer(item.get(f"{_TEXT}start-value"), number)
            own = written(number, level.kind) if level else ""
            if level and _write(item, _shown(level, (*above, own))):
                number += 1
            for below in item.iterchildren(_LIST):
                self._number(below, style, (*above, own))
        for name in (numbered.get(_ID, ""), f"{style} {len(above)}"):
            self._last[name] = number

    def _first(self, numbered: Any, style: str, level: _Level | None, depth: int) -> int:
        start = level.start if level else 1
        if continued := numbered.get(f"{_TEXT}continue-list"):
            return self._last.get(continued, start)
        if numbered.get(f"{_TEXT}continue-numbering") == "true":
            return self._last.get(f"{style} {depth}", start)
        return start


def _levels(style: Any) -> Iterator[tuple[int, _Level]]:
    for level in style.iterchildren(f"{_TEXT}list-level-style-number"):
        kind = level.get(f"{_STYLE}num-format", "")
        if kind:
            yield (
                _integer(level.get(f"{_TEXT}level"), 1),
                _Level(
                    kind,
                    level.get(f"{_STYLE}num-prefix", ""),
                    level.get(f"{_STYLE}num-suffix", ""),
                    _integer(level.get(f"{_TEXT}start-value"), 1),
                    _integer(level.get(f"{_TEXT}display-levels"), 1),
                ),
            )


def _shown(level: _Level, numbers: tuple[str, ...]) -> str:
    return f"{level.prefix}{'.'.join(filter(None, numbers[-level.shown :]))}{level.suffix}"


def _write(item: Any, number: str) -> bool:
    """Put ``number`` before the first words of ``item``; tell whether it has any of its own."""
    for line in item.iterchildren(f"{_TEXT}p", f"{_TEXT}h"):
        if "".join(line.itertext()).strip():
            line.text = f"{number} {(line.text or '').lstrip()}"
            return True
    return False


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 6 else default
