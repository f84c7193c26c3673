"""Compare what qabot reads of web pages with what people said stands in them.

``--trafilatura`` and ``--readability`` take checkouts of github.com/adbar/trafilatura and of
github.com/mozilla/readability, whose tests hold pages and what belongs to their articles.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qabot.articles.formats.draft import Draft, has_words
from qabot.articles.formats.language import identify
from qabot.articles.formats.parsers import read_draft
from qabot.articles.formats.titles import title_of
from qabot.errors import ArticleError

_WORD = re.compile(r"\w+")
Lines = list[str]


@dataclass(frozen=True, slots=True)
class Read:
    """What qabot reads of a page; empty where it finds no article."""

    text: str = ""
    title: str = ""
    published: str = ""

    @property
    def flat(self) -> str:
        """The text with single blanks."""
        return _flat(self.text)


@dataclass(slots=True)
class Counts:
    """Right ones, wrong ones, and what shows them."""

    right: int = 0
    wrong: int = 0

    def add(self, right: int, wrong: int) -> None:
        """Count some."""
        self.right += right
        self.wrong += wrong

    @property
    def share(self) -> float:
        """Right ones of all."""
        return self.right / max(1, self.right + self.wrong)


def read(data: bytes) -> Read:
    """Read a page as a rebuild does."""
    try:
        draft: Draft = read_draft("html", data)
    except ArticleError:
        return Read()
    language = draft.language or identify(draft.text)
    return Read(draft.text, title_of(draft, language), draft.published or "")


def _flat(text: str) -> str:
    return " ".join(text.split())


def measure_trafilatura(checkout: Path, every: int, tell: Callable[[str], None]) -> None:
    """Print F1 of the passages that belong to the articles, and titles and dates that are right."""
    tests = checkout / "tests"
    items = json.loads((tests / "evaldata.json").read_text("utf-8"))
    inside, outside = Counts(), Counts()
    titles, dates = Counts(), Counts()
    for address in sorted(items)[::every]:
        item = items[address]
        places = (tests / folder / item["file"] for folder in ("cache", "eval"))
        page = read(next(place for place in places if place.is_file()).read_bytes())
        name = item["file"]
        for chunk in item["with"]:
            found = _flat(chunk) in page.flat
            inside.add(found, not found)
            if not found:
                tell(f"lost\t{name}\t{_flat(chunk)}")
        for chunk in item["without"]:
            found = _flat(chunk) in page.flat
            outside.add(not found, found)
            if found:
                tell(f"extra\t{name}\t{_flat(chunk)}")
        if title := _flat(item.get("title") or ""):
            titles.add(page.title == title, page.title != title)
            if page.title != title:
                tell(f"title\t{name}\t{title}\t{page.title}")
        if date := item.get("date"):
            dates.add(page.published == date, page.published != date)
            if page.published != date:
                tell(f"date\t{name}\t{date}\t{page.published}")
    told = inside.right + outside.wrong
    precision, recall = inside.right / max(1, told), inside.share
    print(
        f"trafilatura: F1 {2 * precision * recall / max(1e-9, precision + recall):.4f}"
        f" (precision {precision:.3f}, recall {recall:.3f}),"
        f" titles {titles.share:.3f} of {titles.right + titles.wrong},"
        f" dates {dates.share:.3f} of {dates.right + dates.wrong}"
    )


def measure_readability(checkout: Path, every: int, tell: Callable[[str], None]) -> None:
    """Print the share of the words, and of the cells of tables, that belong to the articles."""
    recalls: list[float] = []
    precisions: list[float] = []
    cells, titles = Counts(), Counts()
    for folder in sorted((checkout / "test" / "test-pages").iterdir())[::every]:
        from lxml import html

        page = read((folder / "source.html").read_bytes())
        expected = html.document_fromstring((folder / "expected.html").read_text("utf-8"))
        # Marks of notes, and links that edit a section, are left out on purpose.
        for mark in expected.xpath("//sup[starts-with(normalize-space(), '[')]"):
            mark.drop_tree()
        wanted = Counter(_WORD.findall(" ".join(expected.itertext())))
        given = Counter(_WORD.findall(page.text))
        if not wanted:
            continue
        common = (wanted & given).total()
        recalls.append(common / wanted.total())
        precisions.append(common / max(1, given.total()))
        lost = " ".join(f"{word}×{n}" for word, n in (wanted - given).most_common(30))
        tell(
            f"recall\t{folder.name}\t{recalls[-1]:.3f} {precisions[-1]:.3f} {wanted.total()} {lost}"
        )
        for right, row in _rows(expected, page.text.split("\n")):
            cells.add(right, not right)
            if not right:
                tell(f"cell\t{folder.name}\t{row}")
        told = json.loads((folder / "expected-metadata.json").read_text("utf-8"))
        if title := _flat(told.get("title") or ""):
            titles.add(page.title == title, page.title != title)
            if page.title != title:
                tell(f"title\t{folder.name}\t{title}\t{page.title}")
    print(
        f"readability: recall {sum(recalls) / len(recalls):.4f},"
        f" precision {sum(precisions) / len(precisions):.3f},"
        f" cells {cells.right} of {cells.right + cells.wrong},"
        f" titles {titles.share:.3f} of {titles.right + titles.wrong}"
    )


def _rows(expected: Any, lines: Lines) -> Iterator[tuple[bool, str]]:
    """Each cell of a table in the expected text, and whether a line tells it with its row."""
    flat = [_flat(line) for line in lines]
    for row in expected.iter("tr"):
        cells = [_flat(" ".join(cell.itertext())) for cell in row if cell.tag in ("td", "th")]
        told = [cell for cell in cells if has_words(cell)]
        if len(told) < 2 or row.find(".//table") is not None:
            continue
        words = [_WORD.findall(cell) for cell in told]
        best = max(
            (sum(_holds(line, cell) for cell in words) for line in map(_WORD.findall, flat)),
            default=0,
        )
        held = max(
            map(_WORD.findall, flat),
            key=lambda line: sum(_holds(line, cell) for cell in words),
            default=[],
        )
        for cell, text in zip(words, told, strict=True):
            yield best > 1 and _holds(held, cell), f"{text}\t{' | '.join(told)}"


def _holds(line: Lines, cell: Lines) -> bool:
    return any(line[at : at + len(cell)] == cell for at in range(len(line) - len(cell) + 1))


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trafilatura", type=Path, help="a checkout")
    parser.add_argument("--readability", type=Path, help="a checkout")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth page")
    parser.add_argument("--errors", type=Path, metavar="FILE", help="write all differences to it")
    options = parser.parse_args()
    errors: list[str] = []
    if options.trafilatura:
        measure_trafilatura(options.trafilatura, options.every, errors.append)
    if options.readability:
        measure_readability(options.readability, options.every, errors.append)
    if options.errors:
        options.errors.write_text("".join(f"{line}\n" for line in errors), "utf-8")


if __name__ == "__main__":
    main()
