"""CSV and TSV: a table of questions and answers, or of anything else."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from qabot.articles.formats.draft import Block, Draft, clean_characters, compose, one_line
from qabot.articles.formats.tables import Cell, table_lines

_SAMPLE = 20_000
_DELIMITERS = ",;\t|"
_QUESTION_ENDS = ("?", "？", "؟", ";", "՞")
_LEAST_QUESTIONS = 0.5


def read_delimited(text: str) -> Draft:
    """Make a draft of a table.

    Rows of a question and its answer become paragraphs; any other rows tell their cells with the
    names of the first row.
    """
    rows = [row for row in _rows(clean_characters(text)) if any(row)]
    questions = [row for row in rows if len(row) > 1 and row[0].endswith(_QUESTION_ENDS) and row[1]]
    if len(questions) > _LEAST_QUESTIONS * len(rows):
        blocks = [block for row in questions for block in _answered(row)]
    else:
        # What stands first in a file of this kind names the columns.
        cells = [[Cell(text, head=number == 0) for text in row] for number, row in enumerate(rows)]
        lines = table_lines(cells)
        blocks = [Block(line, tight=number > 0) for number, line in enumerate(lines)]
    text, headings = compose(blocks)
    return Draft(text, headings)


def _rows(text: str) -> Iterator[list[str]]:
    try:
        dialect: type[csv.Dialect] = csv.Sniffer().sniff(text[:_SAMPLE], _DELIMITERS)
    except csv.Error:
        dialect = csv.excel_tab if "\t" in text[:_SAMPLE] else csv.excel
    csv.field_size_limit(max(len(text), 1))
    reader = csv.reader(text.splitlines(keepends=True), dialect)
    while True:
        try:
            yield [one_line(cell) for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            # One line that no spreadsheet could have written.
            continue


def _answered(row: list[str]) -> Iterator[Block]:
    yield Block(row[0])
    for answer in filter(None, row[1:]):
        yield Block(answer, tight=True)
