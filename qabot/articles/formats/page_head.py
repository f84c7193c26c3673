"""The headline of a web page and the lead below it; pure.

What finds the main text of a page often takes the lead for a teaser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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
# What themes call the paragraph below a headline.
_LEAD = re.compile(
    r"\b(?:lead|lede|intro(?:duction)?|teaser-?text|standfirst|excerpt|dek|deck|abstract|summary"
    r"|sub-?(?:head|title)\w*|description)\b",
    re.IGNORECASE,
)
_DESCRIPTIONS = (
    "//meta[@name='description' or @property='og:description' or @name='twitter:description']"
    "/@content"
)
_LEAST_ALIKE = 12
_ENDED = re.compile(r"[.!?…。！？؟]['\"”’»)\]]*$")
_LEAST_LEAD, _MOST_LEAD, _MOST_BLOCKS = 40, 800, 30
_FOLDED = 40
_MOSTLY_LINKS = 0.3


@dataclass(frozen=True, slots=True)
class Head:
    """The surroundings of a headline.

    Attributes:
        blocks: Running text below it, in order; the first ones may be its lead.
        leads: Those of ``blocks`` that the page marks as that, or describes itself by.
    """

    blocks: tuple[str, ...] = ()
    leads: frozenset[str] = frozenset()


def page_head(page: Any, heading: Any) -> Head:
    """Look below the headline, an element of ``page``, or ``None``."""
    if heading is None:
        return Head()
    told = {folded(str(text))[:_FOLDED] for text in page.xpath(_DESCRIPTIONS)}
    told = {description for description in told if len(description) >= _LEAST_ALIKE}
    found = list(_running(heading))
    leads = frozenset(
        text for text, names in found if _LEAD.search(names) or folded(text).startswith(tuple(told))
    )
    return Head(tuple(text for text, _ in found), leads)


def headline(page: Any, title: str | None) -> Any:
    """The heading that says ``title``, or more than that; without one, the only main heading."""
    wanted = folded(title or "")
    if not wanted:
        main = page.xpath("//h1")
        return main[0] if len(main) == 1 else None
    told = [(heading, folded(_text(heading))) for heading in page.iter(*_HEADINGS)]
    same = (heading for heading, text in told if text == wanted)
    like = (
        heading
        for heading, text in told
        if len(text) >= _LEAST_ALIKE and (text in wanted or wanted in text)
    )
    return next(same, next(like, None))


def with_lead(blocks: Sequence[Block], head: Head) -> list[Block]:
    """``blocks`` of the main text, after the paragraphs that lead to its first one."""
    told = folded("".join(block.text for block in blocks))
    for place, text in enumerate(head.blocks):
        if folded(text)[:_FOLDED] not in told:
            continue
        before = head.blocks[:place]
        lead = [Block(text) for text in before if text in head.leads or _ENDED.search(text)]
        at = 1 if blocks[0].level is not None and lead else 0
        if sum(len(block.text) for block in lead if block.text not in head.leads) > _MOST_LEAD:
            break
        return [*blocks[:at], *lead, *blocks[at:]]
    return list(blocks)


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


def _running(heading: Any) -> Iterator[tuple[str, str]]:
    """The text below a heading, each with what it and what holds it are called."""
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
            names = (_names(item) for item in (element, element.getparent()) if item is not None)
            yield text, " ".join(names)


def _names(element: Any) -> str:
    return " ".join(element.get(name, "") for name in ("class", "id", "itemprop"))
