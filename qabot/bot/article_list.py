"""Keeps the live generation's list of articles in memory, for lists and completion."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from qabot.errors import SourceError
from qabot.render.translations import language_name
from qabot.text import printable
from qabot.types import ArticleInfo

if TYPE_CHECKING:
    from qabot.answering.engine import Engine


KEY_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Held:
    """The articles of a generation.

    Attributes:
        counts: Article id → number of passages.
        keys: The text in which each article is searched, in lower case.
    """

    generation: int
    infos: tuple[ArticleInfo, ...]
    counts: dict[str, int]
    keys: tuple[str, ...]


class Catalogue:
    """Reads the list of articles once a generation. Reads files: not for the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: Held | None = None

    def held(self) -> Held:
        """Return the articles of the live generation."""
        generation = self._engine.manifest().generation
        if self._held is None or self._held.generation != generation:
            infos = tuple(self._engine.articles())
            keys = tuple(f"{info.title} {info.id} {_name(info)}".casefold() for info in infos)
            self._held = Held(generation, infos, self._engine.passage_counts(), keys)
        return self._held

    def article_id(self, name: str) -> str:
        """Return the id of the article that ``name`` means.

        Args:
            name: An id, a key, the beginning of one id or title, or words that one article matches.

        Raises:
            SourceError: No article matches, or several do.
        """
        infos = self.held().infos
        for info in infos:
            if name == info.id or (len(name) == KEY_LENGTH and name == key_of(info)):
                return info.id
        with contextlib.suppress(SourceError):
            return self._engine.article(name).info.id
        found = self.fitting(name)
        if len(found) != 1:
            raise SourceError(f"{len(found)} articles match {name!r}; name one")
        return found[0].id

    def fitting(self, text: str, locale: str = "en") -> Sequence[ArticleInfo]:
        """Find articles whose title, id or file name holds all words of ``text``; sorted by id.

        A word may also be the code or the name of the article's language.
        """
        held = self.held()
        words = text.casefold().split()
        return [
            info
            for info, key in zip(held.infos, held.keys, strict=True)
            if all(word in key or word in _languages(info, locale) for word in words)
        ]


def article_name(info: ArticleInfo, longest: int) -> str:
    """Name an article by its title; by its id if the title shows nothing."""
    name = " ".join(printable(info.title).split()) or info.id
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def key_of(info: ArticleInfo) -> str:
    """Return a short key of an article, for choices and buttons whose ids are limited."""
    return hashlib.sha256(info.id.encode()).hexdigest()[:KEY_LENGTH]


def _name(info: ArticleInfo) -> str:
    # The folders above a file only say where this machine keeps it.
    return info.source if "://" in info.source else PurePath(info.source).name


def _languages(info: ArticleInfo, locale: str) -> tuple[str, ...]:
    return info.language, language_name(info.language, locale).casefold()
