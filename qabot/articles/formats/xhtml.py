"""Read HTML whose whole text is an article: Markdown, books, office files.

Pages of the web are another matter: there, what surrounds the article has to be told from it.
"""

from __future__ import annotations

import re

from qabot.articles.formats.blocks import Element, Role, Vocabulary

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("p", "li", "figcaption", "legend"), "line"),
    **dict.fromkeys(
        (
            *("address", "article", "aside", "blockquote", "body", "center", "details", "dialog"),
            *("div", "fieldset", "figure", "footer", "form", "header", "hgroup", "hr", "main"),
            *("search", "section"),
        ),
        "block",
    ),
    **dict.fromkeys(("ul", "ol", "dl", "menu", "dir"), "list"),
    "summary": "question",
    "dt": "term",
    "dd": "definition",
    "table": "table",
    "caption": "caption",
    "thead": "head",
    "tr": "row",
    "td": "cell",
    "th": "name",
    "pre": "verbatim",
    "br": "break",
    "sup": "raised",
    "math": "formula",
    "{http://www.w3.org/1998/Math/MathML}math": "formula",
    **dict.fromkeys(
        (
            *("head", "script", "style", "template", "noscript", "svg", "nav", "rt", "rp"),
            *("iframe", "video", "audio", "canvas", "object", "datalist", "title", "colgroup"),
        ),
        "nothing",
    ),
}
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def _level(element: Element) -> int | None:
    tag = str(element.tag)
    return int(tag[1]) if _ROLES.get(tag) == "heading" else None


def is_shown(element: Element) -> bool:
    """Tell whether people see an element of a page, by its own attributes."""
    if element.get("hidden", "until-found") != "until-found":
        return False
    return element.get("aria-hidden", "") != "true" and not _UNSEEN.search(element.get("style", ""))


XHTML = Vocabulary(_ROLES, _level, is_shown=is_shown)
