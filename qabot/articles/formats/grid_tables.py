"""Tables of Markdown that are drawn with +, - and |, as Pandoc reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_TABLE = re.compile(
    r"^ {0,3}\+[-=:+]+\+[ \t]*\n(?:^ {0,3}[|+].*[|+][ \t]*(?:\n|\Z)){2,}", re.MULTILINE
)
# Colons say how a column is aligned.
_BORDER = re.compile(r"\+[-=:+]+\+")
_MOST_CHARACTERS = 50_000


def grid_tables_as_html(text: str) -> str:
    """``text`` with such tables as HTML, whose cells are Markdown."""
    return _TABLE.sub(_as_html, text)


def _as_html(match: re.Match[str]) -> str:
    # docutils knows the same tables. Imported late: few texts have them.
    from docutils import DataError
    from docutils.parsers.rst.tableparser import GridTableParser
    from docutils.statemachine import StringList

    if len(match[0]) > _MOST_CHARACTERS:
        return match[0]
    block = StringList(_plain_lines(match[0]), "table")
    block.pad_double_width("\x00")
    try:
        _, head, body = GridTableParser().parse(block)
    except DataError:
        return match[0]
    return "\n".join(("", "<table>", *_rows(head, "th"), *_rows(body, "td"), "</table>", "", ""))


def _plain_lines(table: str) -> list[str]:
    """The lines of a table as docutils knows them: no colons, no line for a foot."""
    lines: list[str] = []
    headed = False
    for line in map(str.strip, table.strip().split("\n")):
        if not _BORDER.fullmatch(line):
            lines.append(line)
            continue
        ends_head = "=" in line and bool(lines) and not headed
        headed = headed or ends_head
        lines.append(re.sub("[-:=]", "=" if ends_head else "-", line))
    return lines


def _rows(rows: Iterable[Sequence[Any]], tag: str) -> Iterator[str]:
    for row in rows:
        yield "<tr>"
        # Cells that others reach over are missing.
        for down, across, _, lines in filter(None, row):
            lines.replace("\x00", "")
            yield f'<{tag} rowspan="{down + 1}" colspan="{across + 1}">\n'
            yield from lines
            yield f"\n</{tag}>"
        yield "</tr>"
