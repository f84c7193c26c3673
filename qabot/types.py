"""The values that pass between the modules: frozen, slotted, without behaviour beyond reading.

All offsets count characters (Unicode code points) of ``Article.text``, half open:
``text[start:end]``.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Span = tuple[int, int]
"""Half-open ``(start, end)``."""

Status = Literal["answered", "not_found"]

LONGEST_QUESTION = 2000
"""Characters that a question may have."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article: ``article.text[start:end]``, level 1 (outermost) to 6."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """What is shown of an article beside a quote.

    Attributes:
        id: Stable name within an index, fit for a command line (``pytorch.de``).
        title: Its title, one line.
        source: The path or address it was read from, as the user named it.
        url: A web address where people can read it, if known.
        published: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, if known.
        language: ISO 639-1 code.
        collections: The named collections that it belongs to, by name.
        author: Who wrote it, as it says itself.
    """

    id: str
    title: str
    source: str
    url: str | None
    published: str | None
    language: str
    collections: tuple[str, ...] = ()
    author: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """A document. Its text is fixed once, when it is read; every offset refers to it.

    Attributes:
        content: SHA-256 (hex) of the bytes that it was read from and of their format, if known.
        pages: Offsets at which its pages begin, the first at 0; empty where it has no pages.
        warnings: What of it could not be read, each on one line; not kept in an index.
    """

    info: ArticleInfo
    text: str
    headings: tuple[Heading, ...] = ()
    content: str | None = None
    pages: tuple[int, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything that is indexed or shown of the article."""
        parts = [
            self.info.id,
            self.info.title,
            self.info.source,
            self.info.url,
            self.info.published,
            self.info.language,
            self.info.collections,
            self.info.author,
            self.text,
            [(heading.start, heading.end, heading.level) for heading in self.headings],
            self.pages,
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An article that is in the live generation as it is, so that its text need not be read."""

    info: ArticleInfo


def page_at(pages: Sequence[int], offset: int) -> int | None:
    """The number, from 1, of the page that ``offset`` lies on; ``None`` if there are no pages.

    Args:
        pages: Offsets at which pages begin, in order.
    """
    return bisect_right(pages, offset) if pages else None


def counted(**numbers: int) -> str:
    """``counted(articles=1, passages=3)`` → "1 article, 3 passages"."""
    return ", ".join(
        f"{number:d} {name.removesuffix('s') if number == 1 else name}"
        for name, number in numbers.items()
    )


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences of one section: ``text == article.text[start:end]``.

    Attributes:
        headings: The headings above it, outermost first.
        sentences: Offsets of its sentences *within the passage*; in order, not overlapping.
    """

    article_id: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The answer that a reader marked in a text: ``text[start:end]``, empty where there is none.

    Attributes:
        margin: How much better the reader likes it than "no answer"; a difference of logits, so
            that 0 is undecided.
        logit: The logarithm of the odds that the text answers at all, as the reader sees it; the
            margin again where a reader has no score of its own for that.
    """

    start: int
    end: int
    margin: float
    logit: float


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may answer a question; ``None`` leaves a field open.

    Attributes:
        collection: Only those of this collection.
        since, until: Only those published then or later, or then or earlier: ``YYYY``, ``YYYY-MM``
            or ``YYYY-MM-DD``. An inexact date, here or of an article, counts as any day that it
            may mean. Articles without a date are left out.
        language: Only those in this language, an ISO 639-1 code.
        source: Only those read from this file, folder or address, or from below it.
    """

    collection: str | None = None
    since: str | None = None
    until: str | None = None
    language: str | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that retrieval found for a question.

    Attributes:
        score: What hits are ordered by, higher is better; only comparable within one question.
        similarity: Cosine of question and passage vectors, language taken out, in [-1, 1].
        sentence_similarities: The same for each of ``passage.sentences``.
        sentence_lexical_scores: The share of the question's words, weighted by rarity, that each
            sentence holds, in [0, 1].
        lexical_score: The same for the passage: BM25 over the most that it could be, in [0, 1].
        same_language: Whether question and article are in one language, as far as can be told.
        answer_span: What the reader marked, in characters of the passage; ``None`` if not read.
        pages: Offsets at which the article's pages begin; empty where it has none.
    """

    passage: Passage
    article: ArticleInfo
    score: float
    similarity: float
    sentence_similarities: tuple[float, ...]
    sentence_lexical_scores: tuple[float, ...]
    lexical_score: float
    same_language: bool
    answer_span: AnswerSpan | None = None
    pages: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """A verbatim span of an article that is shown to a person.

    Attributes:
        text: ``article_text[start:end]``, to the character.
        highlights: Spans of the article's text, inside ``start``…``end``, that matter most.
        score: The probability that the quote answers, in [0, 1].
        heading: The section's heading, if any.
        same_language: Whether the question is in the article's language, as far as can be told.
        also: Other articles that say the same in a copy of the text, newest first, none newer than
            this one. The sentence that answers is the same but for case, punctuation and white
            space; what stands round it may have been edited.
        page: Where what answers begins, from 1; ``None`` where the article has no pages.
    """

    text: str
    start: int
    end: int
    highlights: tuple[Span, ...]
    score: float
    heading: str | None
    article: ArticleInfo
    same_language: bool = True
    also: tuple[ArticleInfo, ...] = ()
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A question as it is put to the engine.

    Attributes:
        previous: Earlier questions of the same conversation, oldest first.
        limit: The most quotes; the settings' number where not given.
        filters: Which articles may answer; all of them where not given.
    """

    question: str
    previous: tuple[str, ...] = ()
    limit: int | None = None
    filters: Filters | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question got: quotes, best first, or ``not_found`` and none.

    Attributes:
        confidence: The probability that the articles answer the question, in [0, 1].
        generation: Number of the index generation that answered.
        encoder: Name of the embedding model.
        elapsed_ms: Milliseconds from question to answer.
        near: Where nothing was found: articles that may be about the question's subject, if any.
        small_talk: It asks the articles nothing ("thanks!", "lol"), so nothing was looked up.
    """

    question: str
    status: Status
    confidence: float
    quotes: tuple[Quote, ...]
    generation: int
    encoder: str
    elapsed_ms: float
    near: tuple[ArticleInfo, ...] = ()
    small_talk: bool = False
