"""Writes and reads the answers kept for buttons: the public JSON and a few more fields."""

from __future__ import annotations

import json
from typing import Any

from qabot.render.json import answer_json, article_object, as_dict, dumps
from qabot.types import Answer, ArticleInfo, Quote


def answer_text(answer: Answer, collection: str | None = None) -> str:
    """Write an answer as JSON for ``read_answer``.

    Args:
        collection: The collection the question was limited to.
    """
    content = json.loads(answer_json(answer))
    for saved, quote in zip(content["quotes"], answer.quotes, strict=True):
        saved["same_language"] = quote.same_language
    content["near"] = [as_dict(article_object(info)) for info in answer.near]
    content["collection"] = collection
    return dumps(content)


def read_answer(text: str) -> Answer:
    """Read an answer that ``answer_text`` wrote; its probabilities are rounded."""
    content = json.loads(text)
    return Answer(
        question=content["question"],
        status=content["status"],
        confidence=content["confidence"],
        quotes=tuple(_read_quote(quote) for quote in content["quotes"]),
        generation=content["index"]["generation"],
        encoder=content["index"]["encoder"],
        elapsed_ms=content["elapsed_ms"],
        near=tuple(ArticleInfo(**info) for info in content["near"]),
    )


def read_collection(text: str) -> str | None:
    """Read the collection from the text of ``answer_text``."""
    collection: str | None = json.loads(text)["collection"]
    return collection


def _read_quote(saved: dict[str, Any]) -> Quote:
    return Quote(
        **{
            **saved,
            "highlights": tuple((start, end) for start, end in saved["highlights"]),
            "article": ArticleInfo(**saved["article"]),
            "also": tuple(ArticleInfo(**info) for info in saved.get("also", ())),
        }
    )
