"""What the bot needs of an engine and of a rebuild; it imports neither."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from qabot.types import Answer, Article, ArticleInfo, Passage, Quote, Request


class PageSize(Protocol):
    """What the bot needs of an engine's settings."""

    @property
    def quotes(self) -> int:
        """How many quotes are shown at a time."""
        ...


class Model(Protocol):
    """What the bot says of an embedding model."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...


class Manifest(Protocol):
    """What the bot says of a generation; described at ``qabot.index.Manifest``, which has it."""

    @property
    def generation(self) -> int:
        """Its number."""
        ...

    @property
    def created(self) -> str:
        """When it was published, ISO 8601, UTC."""
        ...

    @property
    def articles(self) -> int:
        """How many articles it holds."""
        ...

    @property
    def passages(self) -> int:
        """How many passages it holds."""
        ...

    @property
    def languages(self) -> Mapping[str, int]:
        """ISO 639-1 code → number of articles."""
        ...

    @property
    def encoder(self) -> Model:
        """The model that made its vectors."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """What it was built from."""
        ...

    @property
    def collections(self) -> Mapping[str, tuple[str, ...]]:
        """Name → what that collection was built from."""
        ...


class Engine(Protocol):
    """What the bot needs of ``qabot.answering.engine.Engine``, which describes it."""

    @property
    def settings(self) -> PageSize:
        """The settings in force."""
        ...

    def ask_many(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer several questions in one batch."""
        ...

    def manifest(self) -> Manifest:
        """What the live generation holds and what made it."""
        ...

    def collections(self) -> tuple[str, ...]:
        """The collections that a question can be limited to."""
        ...

    def articles(self) -> list[ArticleInfo]:
        """All articles, by id."""
        ...

    def passage_counts(self) -> dict[str, int]:
        """Article id → number of passages."""
        ...

    def article(self, article_id: str) -> Article:
        """The article of an id, or of the beginning of an id or title."""
        ...

    def context(self, quote: Quote) -> tuple[Passage | None, Passage, Passage | None]:
        """The passage of a quote, between those before and after it."""
        ...


class Progress(Protocol):
    """How far a rebuild is; described at ``qabot.indexing.rebuild.Progress``, which has it."""

    @property
    def stage(self) -> str:
        """What is being done: reading, preparing, encoding or writing."""
        ...

    @property
    def done(self) -> int:
        """How much of ``total``."""
        ...

    @property
    def total(self) -> int:
        """In units of the stage."""
        ...

    @property
    def passages(self) -> int:
        """Passages encoded so far."""
        ...


class Rebuild(Protocol):
    """Brings the index up to date and says what was done; called in a thread of its own."""

    def __call__(
        self, sources: Sequence[str], report: Callable[[Progress], None], *, files_only: bool
    ) -> Any:
        """The summary (``qabot.indexing.rebuild.Summary``) of a rebuild from ``sources``.

        Args:
            files_only: Articles of the web stay as they are, as far as the same ones are named.
        """
        ...
