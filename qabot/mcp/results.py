"""The results of tools beside answers, as types: see ``qabot.render.json`` for those."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from qabot.render.json import ArticleObject, ListedObject


class PassageObject(msgspec.Struct, frozen=True, kw_only=True):
    """A passage: text == article_text[start:end], to the character."""

    text: Annotated[str, Meta(description="Verbatim.")]
    start: int
    end: int
    headings: Annotated[
        tuple[str, ...], Meta(description="The headings above it, outermost first.")
    ]
    article: ArticleObject


class SearchObject(msgspec.Struct, frozen=True, kw_only=True):
    """Passages, nearest first, whatever the confidence."""

    question: str
    note: str
    passages: tuple[PassageObject, ...]


class SectionObject(msgspec.Struct, frozen=True, kw_only=True):
    """A section: its heading, and where in the article it stands, heading included."""

    heading: str
    level: int
    start: int
    end: int


class PartObject(ListedObject, frozen=True, kw_only=True):
    """An article with its text or part of it: text == article_text[start:end]."""

    start: int
    end: int
    length: Annotated[int, Meta(description="Characters of the whole article.")]
    text: Annotated[str, Meta(description="Verbatim.")]
    sections: tuple[SectionObject, ...]


class ListObject(msgspec.Struct, frozen=True, kw_only=True):
    """Articles, by id, with the names that limit a question."""

    articles: tuple[ListedObject, ...]
    total: Annotated[int, Meta(description="How many articles fit in all.")]
    next: Annotated[
        str | None, Meta(description="Pass it as after to go on; null at the end of the list.")
    ]
    collections: tuple[str, ...]
    languages: tuple[str, ...]
