"""The arguments of the tools, as types: the schemas that assistants see are made from them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from qabot.types import Filters

MOST_QUOTES, MOST_PASSAGES, MOST_LISTED = 10, 20, 500
MOST_CHARACTERS = 20_000
"""The most characters of an article that one call returns."""

_Collection = Annotated[str, Meta(description="Only articles of this collection.")]
_Since = Annotated[str, Meta(description="Only published since: YYYY, YYYY-MM or YYYY-MM-DD.")]
_Until = Annotated[str, Meta(description="Only published until: YYYY, YYYY-MM or YYYY-MM-DD.")]
_Language = Annotated[str, Meta(description="Only articles in this language, such as de.")]


class _Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Question(_Arguments, frozen=True, kw_only=True):
    question: Annotated[
        str,
        Meta(description="One whole question, in any language, that can be read on its own."),
    ]
    collection: _Collection | None = None
    since: _Since | None = None
    until: _Until | None = None
    language: _Language | None = None

    @property
    def filters(self) -> Filters:
        """Limit the articles that may answer."""
        return Filters(self.collection, self.since, self.until, self.language)


class AskArguments(_Question, frozen=True, kw_only=True):
    """The arguments of ``ask``."""

    limit: Annotated[int, Meta(ge=1, le=MOST_QUOTES, description="The most quotes.")] | None = None


class SearchArguments(_Question, frozen=True, kw_only=True):
    """The arguments of ``search``."""

    limit: Annotated[int, Meta(ge=1, le=MOST_PASSAGES, description="The most passages.")] = 5


class ReadArguments(_Arguments, frozen=True, kw_only=True):
    """The arguments of ``read_article``."""

    article: Annotated[
        str, Meta(description="Its id, or the beginning of its id or title, if only one fits.")
    ]
    section: Annotated[str, Meta(description="Only the section with this heading.")] | None = None
    start: Annotated[int, Meta(ge=0, description="The first character to return.")] | None = None
    end: Annotated[int, Meta(ge=1, description="The character to end before.")] | None = None


class ListArguments(_Arguments, frozen=True, kw_only=True):
    """The arguments of ``list_articles``."""

    matching: (
        Annotated[str, Meta(description="Only articles whose id or title contains this.")] | None
    ) = None
    collection: _Collection | None = None
    language: _Language | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_LISTED, description="The most articles.")] = 100
    after: Annotated[str, Meta(description="Go on after this id: the result's next.")] | None = None
