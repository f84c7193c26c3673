"""reStructuredText: docutils makes HTML of it; roles and directives of Sphinx keep their text."""

from __future__ import annotations

import io
import re
from typing import Any

from qabot.articles.formats.blocks import blocks_of
from qabot.articles.formats.dates import parse_date
from qabot.articles.formats.draft import Draft, clean_characters, compose, one_line
from qabot.articles.formats.list_numbers import number_items
from qabot.articles.formats.xhtml import XHTML
from qabot.articles.formats.xml import parse_html
from qabot.errors import ArticleError

# Sphinx' own: docutils would print an error in their place.
_ROLE = re.compile(r":[\w+.:-]+:`(?:[~!])?([^`<]+?)(?:\s*<[^`>]*>)?`")
_KNOWN_ROLES = re.compile(r":(?:code|math|sub|sup|subscript|superscript|emphasis|strong|literal):`")
_SETTINGS = {
    # Nothing is read from other files, nothing is run.
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "input_encoding": "unicode",
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "embed_stylesheet": False,
    "line_length_limit": 1_000_000,
}
_MARKS = (
    "//a[contains(@class, 'footnote-reference')]",
    "//*[contains(@class, 'system-message')]",
    "//*[@role='doc-backlink']",
    "//span[contains(@class, 'fn-bracket')]",
)


def read_restructured(text: str) -> Draft:
    """Make a draft of reStructuredText, with the fields at its beginning.

    Raises:
        ArticleError: docutils cannot read it.
    """
    from docutils.core import publish_parts

    from qabot.articles.formats.sphinx_directives import know_directives

    source = _without_roles(clean_characters(text))
    know_directives(source)
    try:
        parts: Any = publish_parts(
            source,
            writer="html5",
            settings_overrides={**_SETTINGS, "warning_stream": io.StringIO()},
        )
        page = parse_html(parts["html_body"])
    except RecursionError:
        raise ArticleError("nested too deeply; write it with fewer levels") from None
    fields = _fields(page)
    for path in _MARKS:
        for element in page.xpath(path):
            element.drop_tree()
    number_items(page)
    body, headings = compose(blocks_of(page, XHTML))
    return Draft(
        body,
        headings,
        author=fields.get("author") or None,
        published=parse_date(fields.get("date", "")),
    )


def _without_roles(text: str) -> str:
    return _ROLE.sub(lambda match: match[0] if _KNOWN_ROLES.match(match[0]) else match[1], text)


def _fields(page: Any) -> dict[str, str]:
    """The fields at the beginning, which are taken out of the page."""
    fields = {}
    for listed in page.xpath("//dl[contains(@class, 'docinfo')]")[:1]:
        for name, value in zip(listed.iter("dt"), listed.iter("dd"), strict=False):
            told = one_line("".join(name.itertext())).rstrip(":").lower()
            fields[told] = one_line("".join(value.itertext()))
        listed.drop_tree()
    return fields
