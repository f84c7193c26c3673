"""Workbooks (XLSX): each sheet is a section, each row tells its cells with their columns."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from qabot.articles.formats.archive import Archive
from qabot.articles.formats.draft import Block, Draft, compose, one_line
from qabot.articles.formats.office import properties_of
from qabot.articles.formats.tables import Cell, table_lines
from qabot.articles.formats.xml import refuse_entities
from qabot.errors import ArticleError

_MAIN = "xl/workbook.xml"
_MOST_ROWS, _MOST_COLUMNS = 100_000, 200


def read_sheets(data: bytes) -> Draft:
    """Make a draft of a workbook: values, not formulas.

    Raises:
        ArticleError: It is no such document, damaged, encrypted or too large.
    """
    archive = Archive(data, "an XLSX workbook")
    if _MAIN not in archive:
        raise ArticleError("not an XLSX workbook (holds no sheets); save it as XLSX")
    for name in archive.names():
        # openpyxl's parser would expand entities.
        refuse_entities(archive.read(name), name[:100])
    text, headings = compose(_blocks(data))
    return Draft(text, headings, **properties_of(archive))


def _blocks(data: bytes) -> Iterator[Block]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from openpyxl import load_workbook

        book: Any = load_workbook(
            io.BytesIO(data), read_only=True, data_only=True, keep_links=False
        )
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                continue
            lines = table_lines(_with_names(list(_rows(sheet))), guess=True)
            if lines:
                yield Block(one_line(sheet.title), level=2)
            for number, line in enumerate(lines):
                yield Block(line, tight=number > 0)


def _rows(sheet: Any) -> Iterator[list[str]]:
    rows = sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True)
    for row in rows:
        texts = [_shown(value) for value in row]
        while texts and not texts[-1]:
            texts.pop()
        if texts:
            yield texts


def _with_names(rows: list[list[str]]) -> list[list[Cell]]:
    """The rows as cells; the first that fills as many columns as any other names the columns."""
    widest = max(map(len, rows), default=0)
    names = next((n for n, row in enumerate(rows[:10]) if len(row) == widest and all(row)), None)
    if names is None or widest < 2 or len(rows) <= names + 1:
        return [[Cell(text) for text in row] for row in rows]
    return [[Cell(text, head=number == names) for text in row] for number, row in enumerate(rows)]


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()
    if isinstance(value, date | time):
        return value.isoformat(" ", "minutes") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, float):
        return f"{value:.12g}"
    return one_line(str(value))
