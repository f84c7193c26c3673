"""Answers as JSON objects: the contract that other programs rely on."""

from __future__ import annotations

import json
from typing import Any

from qabot.types import Answer, Article, ArticleInfo, Quote


def answer_json(answer: Answer) -> str:
    """Write an answer as one line of JSON."""
    return dumps(
        {
            "question": answer.question,
            "status": answer.status,
            "confidence": round(answer.confidence, 4),
            "quotes": [_quote(quote) for quote in answer.quotes],
            "index": {"generation": answer.generation, "encoder": answer.encoder},
            "elapsed_ms": round(answer.elapsed_ms, 1),
        }
    )


def article_json(article: Article) -> str:
    """Write an article with its whole text, to which all offsets refer, as one line of JSON."""
    headings = [[h.start, h.end, h.level] for h in article.headings]
    pages = {"pages": list(article.pages)} if article.pages else {}
    content = {"text": article.text, "headings": headings, **pages}
    return dumps({**listed_object(article.info), **content})


def listed_object(info: ArticleInfo) -> dict[str, Any]:
    """Make the object of an article in a list."""
    return {**info_object(info), "collections": list(info.collections)}


def info_object(info: ArticleInfo) -> dict[str, Any]:
    """Make the object of an article in a quote."""
    return {
        "id": info.id,
        "title": info.title,
        "source": info.source,
        "url": info.url,
        "published": info.published,
        "language": info.language,
        **({"author": info.author} if info.author else {}),
    }


def dumps(value: object) -> str:
    """Write JSON on one line, without escaping any script."""
    return json.dumps(value, ensure_ascii=False)


def _quote(quote: Quote) -> dict[str, Any]:
    also = {"also": [info_object(info) for info in quote.also]} if quote.also else {}
    return {
        "text": quote.text,
        "start": quote.start,
        "end": quote.end,
        "highlights": [list(span) for span in quote.highlights],
        "score": round(quote.score, 4),
        "heading": quote.heading,
        **({"page": quote.page} if quote.page else {}),
        "article": info_object(quote.article),
        **also,
    }
