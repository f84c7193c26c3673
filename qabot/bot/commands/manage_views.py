"""Texts for people who manage the articles; pure."""

from __future__ import annotations

from qabot.render.discord import View
from qabot.render.discord_articles import article_entry
from qabot.render.markup import inert
from qabot.render.paging import fitted
from qabot.render.translations import number_text, plural, translate
from qabot.types import Article, ArticleInfo

_PREVIEW = 700


def preview_view(name: str, article: Article, locale: str, *, replaces: bool) -> View:
    """Show the article that was read from a file, before it is added."""
    question = (
        translate("Replace the article in {name} by this one?", locale, name=inert(name))
        if replaces
        else translate("Add this article?", locale)
    )
    n = len(article.text)
    size = plural(
        "{count} character", "{count} characters", n, locale, count=number_text(n, locale)
    )
    headings = [(heading.start, heading.end) for heading in article.headings]
    beginning = fitted(article.text[:_PREVIEW], 2 * _PREVIEW, bold=headings)
    more = "\n…" if n > _PREVIEW else ""
    parts = [article_entry(article.info, size, locale), f"{beginning}{more}"]
    if replaces:
        parts.append(translate("I keep the version that it replaces.", locale))
    return View(question, tuple(parts))


def removal_view(info: ArticleInfo, locale: str) -> View:
    """Show the article that is to be removed."""
    entry = article_entry(info, "", locale)
    return View(translate("Remove this article?", locale), (entry,))
