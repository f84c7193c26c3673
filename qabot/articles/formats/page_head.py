"""The surroundings of a web page's headline: its lead, and the day that it names; pure.

What finds the main text of a page often takes the lead for a teaser, and looks for dates in the
page's source alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Block, one_line
from qabot.articles.formats.page_title import folded

_SKIPPED = frozenset(
    ("script", "style", "noscript", "nav", "footer", "form", "button", "figure", "aside", "svg")
)
_HEADINGS = frozenset(("h1", "h2", "h3"))
_RUNNING = frozenset(("p", "h2", "h3", "h4", "div", "span", "strong", "b", "em", "section"))
_INLINE = frozenset(("a", "abbr", "b", "br", "em", "font", "i", "span", "strong", "sup", "sub"))
_BESIDE = re.compile(
    r"relat|recommend|share|social|promo|newsletter|advert|cookie|comment", re.IGNORECASE
)
_ENDED = re.compile(r"[.!?…。！？؟]['\"”’»)\]]*$")
_LEAST_LEAD, _MOST_LEAD, _MOST_BLOCKS = 40, 800, 30
_FOLDED = 40
_MOSTLY_LINKS = 0.3
_BEFORE, _AFTER, _LONGEST_DATELINE, _MOST_BESIDE_DATE = 6, 14, 80, 30
_MONTH = r"[^\W\d_]{3,12}\.?"
_DATES = re.compile(
    r"(?<![\d.])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{1,2}\.\d{1,2}\.\d\d(?!\d)"
    rf"|\d{{1,2}}\.?(?: de)? {_MONTH},?(?: de)? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}"
    r"|\d{4}[年년] ?\d{1,2}[月월] ?\d{1,2}[日일])(?!\d)"
)
_SHORT_YEAR = re.compile(r"(.*\.)(\d\d)$")


@dataclass(frozen=True, slots=True)
class Head:
    """The surroundings of a headline.

    Attributes:
        blocks: Running text below it, in order; the first ones may be its lead.
        day: The only day that is named there, as ``YYYY-MM-DD``.
    """

    blocks: tuple[str, ...] = ()
    day: str | None = None


def page_head(page: Any, title: str | None) -> Head:
    """Look beside the heading that says ``title``, or beside the only main heading."""
    wanted = folded(title or "")
    headings = (item for item in page.iter(*_HEADINGS) if folded(_text(item)) == wanted)
    main = page.xpath("//h1")
    heading = next(headings, None) if wanted else main[0] if len(main) == 1 else None
    if heading is None:
        return Head()
    return Head(tuple(_running(heading)), _day(page, heading))


def with_lead(blocks: Sequence[Block], head: Head) -> list[Block]:
    """``blocks`` of the main text, after the paragraphs that lead to its first one."""
    told = folded("".join(block.text for block in blocks))
    for place, text in enumerate(head.blocks):
        if folded(text)[:_FOLDED] not in told:
            continue
        lead = [Block(text) for text in head.blocks[:place] if _ENDED.search(text)]
        at = 1 if blocks[0].level is not None and lead else 0
        if sum(len(block.text) for block in lead) > _MOST_LEAD:
            break
        return [*blocks[:at], *lead, *blocks[at:]]
    return list(blocks)


def day_shown(head: Head, stated: str | None) -> str | None:
    """The day of publication.

    Args:
        stated: What the page's source says; it may be a day off where that counts by another clock,
            and only know the year.
    """
    if head.day is None or stated is None or len(stated) < len(head.day):
        return head.day if head.day and head.day.startswith(stated or "") else stated
    apart = date.fromisoformat(head.day) - date.fromisoformat(stated)
    return head.day if abs(apart.days) == 1 else stated


def _text(element: Any) -> str:
    return one_line("".join(element.itertext()))


def _following(heading: Any) -> Iterator[Any]:
    """The elements after ``heading`` in the order of the page."""
    element = heading
    while element is not None:
        for sibling in element.itersiblings():
            if isinstance(sibling.tag, str):
                yield from _below(sibling)
        element = element.getparent()


def _below(element: Any) -> Iterator[Any]:
    names = f"{element.get('class', '')} {element.get('id', '')}"
    if element.tag in _SKIPPED or _BESIDE.search(names):
        return
    yield element
    # The text of running text is told with it.
    if not _is_running(element):
        for child in element:
            if isinstance(child.tag, str):
                yield from _below(child)


def _is_running(element: Any) -> bool:
    return element.tag in _RUNNING and all(
        not isinstance(item.tag, str) or item.tag in _INLINE for item in element.iterdescendants()
    )


def _running(heading: Any) -> Iterator[str]:
    found = 0
    for element in _following(heading):
        if element.tag == "h1" or found == _MOST_BLOCKS:
            return
        if not _is_running(element):
            continue
        text = _text(element)
        links = sum(len(_text(link)) for link in element.iter("a"))
        if len(text) >= _LEAST_LEAD and links <= _MOSTLY_LINKS * len(text):
            found += 1
            yield text


def _day(page: Any, heading: Any) -> str | None:
    """The day that the nearest short lines name, if it is one."""
    before: list[str] = []
    after: list[str] = []
    reached = False
    inside = set(map(id, heading.iter()))
    for element in page.iter():
        if not isinstance(element.tag, str) or element.tag in ("script", "style"):
            continue
        reached = reached or id(element) in inside
        texts = after if reached else before
        texts += filter(None, map(one_line, (element.text or "", element.tail or "")))
        if len(after) > _AFTER:
            break
    for lines in (after[:_AFTER], before[-_BEFORE:]):
        days = {day for line in lines if (day := _day_in(line))}
        if days:
            return days.pop() if len(days) == 1 else None
    return None


def _day_in(line: str) -> str | None:
    if len(line) > _LONGEST_DATELINE:
        return None
    matches = list(_DATES.finditer(line))
    if len(matches) != 1 or len(line) - len(matches[0][0]) > _MOST_BESIDE_DATE:
        return None
    day = parse_date(_SHORT_YEAR.sub(r"\g<1>20\2", matches[0][0]))
    return day if day and day.count("-") == 2 else None
