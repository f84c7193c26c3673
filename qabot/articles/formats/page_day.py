"""The day on which a web page's article was published; pure.

Pages tell it to programs, and show it to people: below the headline, at the start of the text, or
elsewhere. What finds dates in a page's source takes the days of changes and of other articles, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import one_line
from qabot.articles.formats.linked_data import linked_data

_PUBLISHED = (
    "//meta[@property='article:published_time' or @name='article:published_time'"
    " or @itemprop='datePublished']/@content | //time[@itemprop='datePublished']/@datetime"
    " | //*[@itemprop='datePublished']/@content"
)
_CHANGED = (
    "//meta[@property='article:modified_time' or @property='og:updated_time' or @name='date'"
    " or @itemprop='dateModified']/@content"
)
_DESCRIPTIONS = "//meta[@name='description' or @property='og:description']/@content"
_UNREAD = frozenset(("script", "style", "blockquote"))
_BESIDE = frozenset(("nav", "footer", "aside", "form", "a", "head"))
_BESIDE_NAMES = re.compile(
    r"relat|recommend|teaser|promo|advert|comment|sidebar|widget|footer|popular", re.IGNORECASE
)
_BEFORE, _AFTER, _FAR_AFTER, _LONGEST_DATELINE, _MOST_BESIDE_DATE = 6, 14, 28, 80, 36
_FIRST_PARAGRAPHS = 10
# A day in words takes long to understand, and a hostile page may have any number of them.
_MOST_READ = 20
_MONTH = r"[^\W\d_]{3,12}\.?"
_DAY = (
    r"(?:\d{4}(?P<y>[-/.])\d{1,2}(?P=y)\d{1,2}|\d{1,2} ?(?P<d>[./|-]) ?\d{1,2} ?(?P=d) ?\d{4}"
    r"|\d{1,2}\.\d{1,2}\.\d\d(?!\d)"
    rf"|\d{{1,2}}\.?(?: de)? {_MONTH},?(?: de)? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}"
    r"|\d{4}[年년] ?\d{1,2}[月월] ?\d{1,2}[日일])(?!\d)"
)
_DAYS = re.compile(rf"(?<![\d./]){_DAY}")
# "Monday, 3 May 2021": no label, such as "Updated".
_BARE = re.compile(r"\W*(?:[^\W\d_]+ ?,)?\W*")
_DATELINE = re.compile(rf"\(?(?:[^\W\d_]+, )?{_DAY}(?:\)| ?[–—:-]) ")
_SHORT_YEAR = re.compile(r"(.*\.)(\d\d)$")
_EITHER_FIRST = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


@dataclass(frozen=True, slots=True)
class Stated:
    """The days that a page tells programs, as ``YYYY-MM-DD``.

    Attributes:
        published: When its article was published.
        changed: When it was changed.
    """

    published: str | None = None
    changed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A day that a short line names; ``bare`` where it says little else."""

    day: str
    bare: bool


def stated_days(page: Any) -> Stated:
    """Read the days that the page tells programs."""
    published = _whole([*page.xpath(_PUBLISHED), *linked_data(page, "datePublished")])
    changed = _whole([*page.xpath(_CHANGED), *linked_data(page, "dateModified")])
    return Stated(next(published, None), frozenset(changed))


def day_of(page: Any, heading: Any, stated: Stated, guessed: str | None) -> str | None:
    """The day of publication.

    Args:
        heading: The headline, an element of ``page``, or ``None``.
        stated: What the page says to programs, which may be a day off where that counts by another
            clock, and may be the day of an earlier article at the same address.
        guessed: What is found elsewhere in the page's source: the day of a change, a year.
    """
    shown = _near(page, heading, stated) if heading is not None else None
    if stated.published is None:
        exact = guessed if guessed and guessed.count("-") == 2 else None
        return shown.day if shown else exact or _only(page) or _described(page) or guessed
    if shown is None:
        return stated.published
    kept = _apart(shown.day, stated.published) == 1 or (shown.bare and shown.day in stated.changed)
    return shown.day if kept else stated.published


def _whole(values: Iterable[object]) -> Iterator[str]:
    days = (parse_date(str(value)) for value in islice(values, _MOST_READ))
    return (day for day in days if day and day.count("-") == 2)


def _apart(one: str, other: str) -> int:
    return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)


def _near(page: Any, heading: Any, stated: Stated) -> _Shown | None:
    """The day that the lines nearest to the headline name, if it is one."""
    before: list[str] = []
    after: list[str] = []
    texts = before
    for element, text in _lines(page, _is_text):
        if element is heading:
            texts = after
        if text:
            texts.append(text)
        if len(after) > _FAR_AFTER:
            break
    for lines in (after[:_AFTER], before[-_BEFORE:], after[_AFTER:]):
        shown = {day for line in lines if (day := _shown(line, stated))}
        # A day by itself says more than one in running text.
        for found in ({day for day in shown if day.bare}, shown):
            if found:
                return found.pop() if len({day.day for day in found}) == 1 else None
    datelines = (_dateline(line) for line in after[:_FIRST_PARAGRAPHS])
    return next(filter(None, datelines), None)


def _lines(page: Any, is_read: Callable[[Any], bool]) -> Iterator[tuple[Any, str]]:
    """The texts of a page in order, each with the element that it stands in or after."""
    from lxml import etree

    walk = etree.iterwalk(page, events=("start", "end", "comment"))
    for event, element in walk:
        if event == "start" and not is_read(element):
            walk.skip_subtree()
        else:
            yield element, one_line((element.text if event == "start" else element.tail) or "")


def _is_text(element: Any) -> bool:
    return element.tag not in _UNREAD


def _is_own(element: Any) -> bool:
    """Tell whether an element may belong to the article, by what programs call it."""
    names = f"{element.get('class', '')} {element.get('id', '')}"
    unread = element.tag in _UNREAD or element.tag in _BESIDE
    return not unread and (element.tag == "body" or not _BESIDE_NAMES.search(names))


def _shown(line: str, stated: Stated) -> _Shown | None:
    if len(line) > _LONGEST_DATELINE:
        return None
    matches = list(_DAYS.finditer(line))
    if len(matches) != 1 or len(line) - len(matches[0][0]) > _MOST_BESIDE_DATE:
        return None
    day = _day(matches[0][0], stated)
    return _Shown(day, _BARE.fullmatch(line[: matches[0].start()]) is not None) if day else None


def _dateline(line: str) -> _Shown | None:
    match = _DATELINE.match(line)
    found = match and _DAYS.search(match[0])
    day = _day(found[0], Stated()) if found else None
    return _Shown(day, bare=False) if day else None


def _day(text: str, stated: Stated) -> str | None:
    text = re.sub(r" ?([./|-]) ?", lambda mark: mark[1].replace("|", "."), text)
    day = parse_date(_SHORT_YEAR.sub(r"\g<1>20\2", text))
    if day and day.count("-") == 2:
        return day
    match = _EITHER_FIRST.fullmatch(text)
    if match is None or stated.published is None:
        return None
    # Either of two days: the one that the page states, give or take another clock.
    first, second, year = match.groups()
    either = _whole((f"{year}-{first}-{second}", f"{year}-{second}-{first}"))
    near = {day for day in either if _apart(day, stated.published) <= 1}
    return near.pop() if len(near) == 1 else None


def _only(page: Any) -> str | None:
    """The only day that stands by itself in the page, beside what leads to other pages."""
    lines = (text for _, text in _lines(page, _is_own) if len(text) <= _LONGEST_DATELINE)
    dated = islice(filter(_DAYS.search, lines), _MOST_READ)
    days = {day.day for text in dated if (day := _shown(text, Stated())) and day.bare}
    return days.pop() if len(days) == 1 else None


def _described(page: Any) -> str | None:
    """The only day in what the page says of itself."""
    texts = (one_line(str(text)) for text in page.xpath(_DESCRIPTIONS))
    found = islice((match[0] for text in texts for match in _DAYS.finditer(text)), _MOST_READ)
    days = {_day(text, Stated()) for text in found}
    return days.pop() if len(days) == 1 else None
