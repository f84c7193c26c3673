"""What the tags of HTML mean, for documents whose whole text is an article: books and office files.

Pages of the web are another matter: there, what surrounds the article has to be told from it.
"""

from __future__ import annotations

from qabot.articles.formats.blocks import Element, Role, Vocabulary

_ROLES: dict[str, Role] = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **dict.fromkeys(("p", "li", "dt", "dd", "figcaption", "caption", "summary"), "line"),
    **dict.fromkeys(
        (
            *("address", "article", "aside", "blockquote", "body", "details", "div", "figure"),
            *("footer", "header", "main", "section", "hr"),
        ),
        "block",
    ),
    **dict.fromkeys(("ul", "ol", "dl", "table"), "list"),
    "tr": "row",
    "pre": "verbatim",
    "br": "break",
    **dict.fromkeys(
        ("head", "script", "style", "template", "noscript", "svg", "math", "nav", "rt", "rp"),
        "nothing",
    ),
}


def _level(element: Element) -> int | None:
    tag = str(element.tag)
    return int(tag[1]) if _ROLES.get(tag) == "heading" else None


XHTML = Vocabulary(_ROLES, _level)
