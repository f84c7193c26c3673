"""The articles of one generation on a Milvus server."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from qabot.index.articles import IN_PLACE, StoredArticle
from qabot.index.milvus import packing
from qabot.index.milvus.server import Row
from qabot.index.milvus.snapshot import Snapshot
from qabot.index.milvus.tables import article_row
from qabot.types import Article, ArticleInfo, Heading, Passage

# Each hit of a question looks for its article.
_ARTICLES_KEPT = 1024
_ABOUT = ["article", "part", "about"]


@dataclass(frozen=True, slots=True)
class _About:
    """An article without its text; ``pages`` is ``None`` where they are many."""

    key: int
    info: ArticleInfo
    digest: str
    content: str | None
    passages: int
    pages: tuple[int, ...] | None


class MilvusArticles:
    """The articles of one generation; calls are safe from several threads."""

    def __init__(self, rows: Snapshot) -> None:
        self._rows, self._tables = rows, rows.tables
        # By key, and the key by id. Not an lru_cache: many are read at once.
        self._known: dict[int, _About] = {}
        self._keys: dict[str, int] = {}

    @cached_property
    def _every(self) -> list[_About]:
        # Whoever asks for all keeps them anyway, and a rebuild asks three times.
        found = self._rows.every(self._tables.articles, "part == 0", _ABOUT)
        return sorted(map(_about, found), key=lambda about: about.info.id)

    def infos(self) -> list[ArticleInfo]:
        """All articles, by id."""
        return [about.info for about in self._every]

    def contents(self) -> list[tuple[ArticleInfo, str | None]]:
        """All articles, by id, each with its ``Article.content``."""
        return [(about.info, about.content) for about in self._every]

    def passage_counts(self) -> dict[str, int]:
        """Article id → how many passages it has."""
        return {about.info.id: about.passages for about in self._every}

    def article_ids(self) -> set[str]:
        """The ids of all articles."""
        return {about.info.id for about in self._every}

    def stored(self) -> dict[str, StoredArticle]:
        """Article id → where it is: in no segment, its key as its row."""
        return {
            about.info.id: StoredArticle(IN_PLACE, about.key, about.digest, 0, about.passages)
            for about in self._every
        }

    def _about(self, keys: Sequence[int]) -> list[_About]:
        """Some articles without their texts."""
        known = self._known
        missing = sorted({key for key in keys if key not in known})
        if missing:
            known = {key: known[key] for key in keys if key in known}
            rows = [article_row(key, 0) for key in missing]
            for row in self._rows.of(self._tables.articles, "row", rows, _ABOUT):
                about = _about(row)
                known[about.key] = self._remember(about)
        try:
            return [known[key] for key in keys]
        except KeyError as error:
            raise self._rows.lacks(f"article {error}") from error

    def _remember(self, about: _About) -> _About:
        if len(self._known) >= _ARTICLES_KEPT:
            self._known, self._keys = {}, {}
        self._known[about.key] = about
        self._keys[about.info.id] = about.key
        return about

    def _find(self, article_id: str) -> int | None:
        """The key of an article."""
        if article_id in self._keys:
            return self._keys[article_id]
        try:
            name = packing.tag("article", article_id)
        except UnicodeEncodeError:  # A lone surrogate: typed bytes that are no text.
            return None
        for row in self._rows.of(self._tables.articles, "name", [name], _ABOUT):
            if row["part"]:
                continue
            about = _about(row)
            if about.info.id == article_id:
                return self._remember(about).key
        return None

    def _body(self, key: int) -> dict[str, Any]:
        rows = self._rows.of(self._tables.articles, "article", [key], ["part", "body"])
        parts = sorted(rows, key=lambda row: int(row["part"]))
        try:
            body: dict[str, Any] = json.loads("".join(row["body"] for row in parts))
        except ValueError as error:
            raise self._rows.lacks(f"whole article {key}") from error
        return body

    def article(self, article_id: str) -> Article | None:
        """One article with its text, or ``None``."""
        key = self._find(article_id)
        if key is None:
            return None
        (about,), body = self._about([key]), self._body(key)
        headings = tuple(Heading(*mark) for mark in body["headings"])
        return Article(about.info, body["text"], headings, about.content, tuple(body["pages"]))

    def pages(self, article_id: str) -> tuple[int, ...]:
        """Where the pages of an article begin (``Article.pages``)."""
        key = self._find(article_id)
        if key is None:
            return ()
        pages = self._about([key])[0].pages
        return tuple(self._body(key)["pages"]) if pages is None else pages

    def passage(self, row: int) -> tuple[Passage, ArticleInfo]:
        """The passage of a row, and its article."""
        return self.read([row])[0]

    def read(self, rows: Sequence[int]) -> list[tuple[Passage, ArticleInfo]]:
        """The passages of some rows, each with its article."""
        found = self._rows.passages(rows, ["article", "place", "text"])
        abouts = self._about([int(row["article"]) for row in found])
        return [
            (_passage(row, about.info), about.info)
            for row, about in zip(found, abouts, strict=True)
        ]

    def passages(self, article_id: str) -> list[tuple[int, Passage]]:
        """An article's passages in order, each with its row."""
        key = self._find(article_id)
        if key is None:
            return []
        fields = ["row", "place", "text"]
        found = self._rows.of(self._tables.passages, "article", [key], fields)
        info = self._about([key])[0].info
        return sorted(
            ((int(row["row"]), _passage(row, info)) for row in found), key=lambda item: item[0]
        )

    def digests(self, wanted: Collection[str]) -> dict[str, int]:
        """Which of these digests passages have: digest → row, of one that has it."""
        names = {packing.tag("passage", digest): digest for digest in wanted}
        found: dict[str, int] = {}
        for row in self._rows.of(self._tables.passages, "digest", list(names), ["row", "digest"]):
            found[names[int(row["digest"])]] = int(row["row"])
        return found


def _about(row: Row) -> _About:
    made = json.loads(row["about"])
    info = ArticleInfo(**{**made["info"], "collections": tuple(made["info"]["collections"])})
    pages = None if made["pages"] is None else tuple(made["pages"])
    return _About(
        int(row["article"]), info, made["digest"], made["content"], made["passages"], pages
    )


def _passage(row: Row, info: ArticleInfo) -> Passage:
    place = json.loads(row["place"])
    spans = tuple((start, end) for start, end in place["sentences"])
    headings = tuple(place["headings"])
    return Passage(info.id, place["start"], place["end"], row["text"], headings, spans)
