"""What questions need of an index, wherever it is kept.

The folder (``IndexStore``, ``Generation``) is one implementation. ``tests/index/test_contracts.py``
holds for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from qabot.encoders.language_subspace import LanguageSubspace
from qabot.index.manifest import Manifest
from qabot.index.vectors import FloatArray, RowArray
from qabot.types import Article, ArticleInfo, Filters, Passage

if TYPE_CHECKING:
    from qabot.index.milvus.writer import MilvusWriter
    from qabot.index.writer import GenerationWriter


@dataclass(frozen=True, slots=True)
class Candidates:
    """Passages that may answer a question, with all that ranks them.

    Attributes:
        rows: Numbers that name the passages within their generation, int64 ``(n,)``, each once.
        similarities: The cosine of each one's vector and the question's, float32 ``(n,)``.
        sentences: Those of the vectors of all their sentences, float32 ``(sentences,)``.
        starts: Where the sentences of each begin, with the end: int64 ``(n + 1,)``. Each has one.
        lexical: How much of the question's wording each holds, 0 to 1: float32 ``(n,)``.
        usual: How much the wordiest passages of each one's language hold, on average
            (``usual_wording``): float32 ``(n,)``.
    """

    rows: RowArray
    similarities: FloatArray
    sentences: FloatArray
    starts: RowArray
    lexical: FloatArray
    usual: FloatArray

    @classmethod
    def none(cls) -> Candidates:
        """No passage at all."""
        cosines, rows = np.zeros(0, np.float32), np.zeros(0, np.int64)
        return cls(rows, cosines, cosines, np.zeros(1, np.int64), cosines, cosines)


class Writing(Protocol):
    """The content of the next generation; its writer knows in which way it is to be written.

    Both ways return how many passages a killed rebuild had encoded.
    """

    def segments(self, writer: GenerationWriter) -> int:
        """Write it into a folder, and publish it."""
        ...

    def rows(self, writer: MilvusWriter) -> int:
        """Write it to a server, and publish it."""
        ...


class Articles(Protocol):
    """The articles of a generation; calls are safe from several threads.

    Raises:
        UnusableIndexError: Of any call, where they cannot be read.
    """

    def infos(self) -> list[ArticleInfo]:
        """All articles, by id."""
        ...

    def passage_counts(self) -> dict[str, int]:
        """Article id → how many passages it has."""
        ...

    def article(self, article_id: str) -> Article | None:
        """One article with its text, or ``None``."""
        ...

    def pages(self, article_id: str) -> tuple[int, ...]:
        """Where the pages of an article begin (``Article.pages``)."""
        ...

    def read(self, rows: Sequence[int]) -> list[tuple[Passage, ArticleInfo]]:
        """The passages of some rows, each with its article."""
        ...

    def passages(self, article_id: str) -> list[tuple[int, Passage]]:
        """An article's passages in order, each with its row."""
        ...


class OpenGeneration(Protocol):
    """A generation, opened for reading; calls are safe from several threads.

    Raises:
        UnusableIndexError: Of any call, where it cannot be read.
    """

    @property
    def place(self) -> str:
        """Where it is, as messages name it."""
        ...

    @property
    def manifest(self) -> Manifest:
        """What it is and what made it."""
        ...

    @property
    def subspace(self) -> LanguageSubspace:
        """What was taken out of its vectors, and is to be taken out of a question's."""
        ...

    @property
    def database(self) -> Articles:
        """Articles and passages."""
        ...

    def candidates(
        self,
        question: str,
        query: FloatArray,
        filters: Filters,
        *,
        nearest: int,
        wordiest: int,
        most: int,
    ) -> Candidates:
        """The passages to look at closely for a question.

        Args:
            query: The question's vector, without the subspace: float32 ``(dimension,)``.
            filters: Which articles may answer.
            nearest: How many to find by their vector.
            wordiest: How many to find by their words, in each language.
            most: How many of all these to take: those whose similarity and lexical score are the
                highest, added up.

        Raises:
            FilterError: A filter is no date, or names what the index does not hold.
        """
        ...

    def shares(self, question: str, language: str, texts: Sequence[str]) -> list[float]:
        """The share of the question's wording in each of ``texts``, all in ``language``.

        Returns:
            The share of the question's terms in each text, weighted by rarity, in [0, 1].
        """
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Give no answer from a generation that is damaged or removed meanwhile."""
        ...

    def close(self) -> None:
        """Let go of it; it may be removed from now on."""
        ...
