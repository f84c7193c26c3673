"""Answers as JSON objects: the contract that other programs rely on.

The objects are types, so that a schema of what is written can be made from them.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from qabot.text import UNPRINTABLE
from qabot.types import Answer, Article, ArticleInfo, Quote, Span, Status

Probability = Annotated[float, Meta(ge=0, le=1)]


class ArticleObject(msgspec.Struct, frozen=True, kw_only=True):
    """An article, without its text."""

    id: str
    title: str
    source: Annotated[str, Meta(description="The file or address that it was read from.")]
    url: Annotated[str | None, Meta(description="Where people can read it.")]
    published: Annotated[str | None, Meta(description="YYYY, YYYY-MM or YYYY-MM-DD.")]
    language: Annotated[str, Meta(description="ISO 639-1 code.")]
    author: str | UnsetType = UNSET


class ListedObject(ArticleObject, frozen=True, kw_only=True):
    """An article in a list, without its text."""

    collections: tuple[str, ...]


class QuoteObject(msgspec.Struct, frozen=True, kw_only=True):
    """A quote: text == article_text[start:end], to the character."""

    text: Annotated[str, Meta(description="Verbatim.")]
    start: Annotated[int, Meta(description="In characters of the article's text.")]
    end: int
    highlights: Annotated[
        tuple[Span, ...], Meta(description="Where in the article the answer itself stands.")
    ]
    score: Annotated[Probability, Meta(description="The probability that this quote answers.")]
    heading: Annotated[str | None, Meta(description="The heading of its section.")]
    page: Annotated[int, Meta(description="The page that the answer begins on.")] | UnsetType = (
        UNSET
    )
    article: ArticleObject
    also: (
        Annotated[
            tuple[ArticleObject, ...], Meta(description="Other articles with a copy of the text.")
        ]
        | UnsetType
    ) = UNSET


class IndexObject(msgspec.Struct, frozen=True, kw_only=True):
    """The index that answered: the number of the index's generation, and the embedding model."""

    generation: int
    encoder: str
    calibrated: (
        Annotated[bool, Meta(description="False: no confidence was fitted for these models.")]
        | UnsetType
    ) = UNSET


class AnswerObject(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: quotes, best first; none if the articles don't answer."""

    question: str
    status: Annotated[Status, Meta(description="not_found: the articles don't answer.")]
    confidence: Annotated[
        Probability,
        Meta(description="The first quote's score, or the best one that was not shown."),
    ]
    quotes: tuple[QuoteObject, ...]
    index: IndexObject
    elapsed_ms: float


def answer_object(answer: Answer) -> AnswerObject:
    """Make the object of an answer."""
    return AnswerObject(
        question=answer.question,
        status=answer.status,
        confidence=round(answer.confidence, 4),
        quotes=tuple(map(_quote, answer.quotes)),
        index=IndexObject(
            generation=answer.generation,
            encoder=answer.encoder,
            calibrated=UNSET if answer.calibrated else False,
        ),
        elapsed_ms=round(answer.elapsed_ms, 1),
    )


def answer_json(answer: Answer) -> str:
    """Write an answer as one line of JSON."""
    return object_json(answer_object(answer))


def article_json(article: Article) -> str:
    """Write an article with its whole text, to which all offsets refer, as one line of JSON."""
    headings = [[h.start, h.end, h.level] for h in article.headings]
    pages = {"pages": list(article.pages)} if article.pages else {}
    content = {"text": article.text, "headings": headings, **pages}
    return dumps({**as_dict(listed_object(article.info)), **content})


def listed_object(info: ArticleInfo) -> ListedObject:
    """Make the object of an article in a list."""
    return ListedObject(**_fields(info), collections=info.collections)


def article_object(info: ArticleInfo) -> ArticleObject:
    """Make the object of an article in a quote."""
    return ArticleObject(**_fields(info))


def as_dict(value: msgspec.Struct) -> dict[str, Any]:
    """Make a dictionary of an object: what is unset is left out."""
    made: dict[str, Any] = msgspec.to_builtins(value)
    return made


def object_json(value: msgspec.Struct) -> str:
    """Write an object as one line of JSON."""
    return dumps(as_dict(value))


def dumps(value: object) -> str:
    """Write JSON on one line, without escaping any script.

    What is never shown is escaped: a terminal would obey it, and show a line in another order.
    """
    text = json.dumps(value, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _quote(quote: Quote) -> QuoteObject:
    return QuoteObject(
        text=quote.text,
        start=quote.start,
        end=quote.end,
        highlights=quote.highlights,
        score=round(quote.score, 4),
        heading=quote.heading,
        page=quote.page or UNSET,
        article=article_object(quote.article),
        also=tuple(map(article_object, quote.also)) or UNSET,
    )


def _fields(info: ArticleInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "title": info.title,
        "source": info.source,
        "url": info.url,
        "published": info.published,
        "language": info.language,
        "author": info.author or UNSET,
    }
