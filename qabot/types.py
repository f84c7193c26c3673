"""The values that pass between modules: frozen, slotted, with no behaviour but reading.

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
"""The most characters of a question."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of an article: ``article.text[start:end]``, level 1 (outermost) to 6."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """An article without its text, as shown beside a quote.

    Attributes:
        id: A name that is stable within an index and easy to type (``pytorch.de``).
        title: One line.
        source: The path or address that it was read from, as the user named it.
        url: A web address at which people can read it, if known.
        published: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``, if known.
        language: ISO 639-1 code.
        collections: The names of the collections that it belongs to.
        author: Its author, as the article itself names them.
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
    """A document. Its text is fixed when it is read, and every offset refers to that text.

    Attributes:
        content: SHA-256 (hex) of the file's bytes and format, if known.
        pages: Offsets of the beginnings of pages, the first 0; empty if there are no pages.
        warnings: Parts that could not be read, each on one line; not kept in an index.
    """

    info: ArticleInfo
    text: str
    headings: tuple[Heading, ...] = ()
    content: str | None = None
    pages: tuple[int, ...] = ()
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of everything about the article that is indexed or shown."""
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
    """Number the page that ``offset`` lies on, from 1; ``None`` if there are no pages.

    Args:
        pages: Offsets of the beginnings of pages, in order.
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
        sentences: Offsets of its sentences *within the passage*, in order, without overlaps.
    """

    article_id: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...]
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The answer that a reader marked in a text: ``text[start:end]``, empty if it has none.

    Attributes:
        margin: The reader's score of the span minus that of "no answer": a difference of logits,
            0 if undecided.
        logit: The log-odds that the text answers at all, by the reader; the margin again if a
            reader has no score of its own for that.
    """

    start: int
    end: int
    margin: float
    logit: float


@dataclass(frozen=True, slots=True)
class Filters:
    """Limits the articles that may answer a question; ``None`` means no limit.

    Attributes:
        collection: Only articles of this collection.
        since, until: Only articles published on this date or later, or on it or earlier: ``YYYY``,
            ``YYYY-MM`` or ``YYYY-MM-DD``. An inexact date, here or in an article, stands for every
            day that it covers. Articles without a date are left out.
        language: Only articles in this language, an ISO 639-1 code.
        source: Only articles read from this file, folder or address, or from below it.
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
        score: Hits are sorted by it, highest first; comparable within one question only.
        similarity: Cosine of question and passage vectors without their language, in [-1, 1].
        sentence_similarities: The same for each of ``passage.sentences``.
        sentence_lexical_scores: The share of the question's words, weighted by rarity, that each
            sentence holds, in [0, 1].
        lexical_score: The same for the passage: BM25 over the most that it could be, in [0, 1].
        same_language: Question and article seem to be in one language.
        answer_span: The reader's mark, in characters of the passage; ``None`` if it was not read.
        pages: Offsets of the beginnings of the article's pages; empty if it has none.
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
        highlights: The answer's spans in the article's text, inside ``start``…``end``.
        score: The probability that the quote answers, in [0, 1].
        heading: The section's heading, if any.
        same_language: Question and article seem to be in one language.
        also: Other articles with a copy of the text, newest first, none newer than this one. The
            answering sentence differs in case, punctuation and white space at most; the text around
            it may have been edited.
        page: The page on which the answer begins, from 1; ``None`` if there are no pages.
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
    """A question for the engine.

    Attributes:
        previous: Earlier questions of the same conversation, oldest first.
        limit: The most quotes; by default, the settings' number.
        filters: Limits the articles that may answer; by default, all may.
    """

    question: str
    previous: tuple[str, ...] = ()
    limit: int | None = None
    filters: Filters | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question: quotes, best first, or ``not_found`` without quotes.

    Attributes:
        confidence: The probability that the articles answer the question, in [0, 1].
        generation: The number of the index generation that answered.
        encoder: The name of the embedding model.
        elapsed_ms: Milliseconds from question to answer.
        near: If nothing was found, articles that may be about the question's subject.
        small_talk: It asks the articles nothing ("thanks!", "lol"), so nothing was looked up.
        calibrated: The confidence was fitted for the models that answered; else it is a rough
            guide.
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
    calibrated: bool = True
