"""Check saved answers against an index: is each quote, verbatim, where it says?"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from qabot.errors import UsageError
from qabot.types import Article, page_at


@dataclass(frozen=True, slots=True)
class Check:
    """One quote of a saved answer.

    Attributes:
        question: The answer's question.
        quote: The quote's number in its answer, from 1.
        problem: What is wrong with the quote; ``None`` if it is verbatim.
    """

    question: str
    quote: int
    article: str
    problem: str | None

    @property
    def place(self) -> str:
        """Describe the quote for people."""
        # The file may come from anywhere: escape what could steer a terminal.
        article = self.article if self.article.isprintable() else repr(self.article)
        return f"{self.question!r}, quote {self.quote} ({article})"

    def as_object(self) -> dict[str, Any]:
        """Make the object for ``--json``."""
        return {**asdict(self), "verbatim": self.problem is None}


def read_answers(lines: Sequence[str], name: str) -> list[dict[str, Any]]:
    """Read saved answers: JSON objects, each over one line or many.

    Args:
        lines: The file's lines.
        name: The file's name in errors.

    Raises:
        UsageError: The file holds something else.
    """
    remedy = "save what `qabot ask --json` prints"
    text = "\n".join(lines).strip()
    if not text:
        raise UsageError(f"{name}: empty; {remedy}")
    answers = []
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, at) + 1
            raise UsageError(f"{name}, line {line}: not JSON ({error}); {remedy}") from error
        if not isinstance(value, dict) or not isinstance(value.get("quotes"), list):
            raise UsageError(f"{name}: an answer without the field quotes; {remedy}")
        if not _is_text(value):
            raise UsageError(f"{name}: holds half of a surrogate pair, which is not text; {remedy}")
        answers.append(value)
        while at < len(text) and text[at].isspace():
            at += 1
    return answers


def check_answers(
    answers: Sequence[dict[str, Any]], find: Callable[[str], Article | None]
) -> list[Check]:
    """Check every quote of every answer.

    Args:
        answers: The result of ``read_answers``.
        find: Article id → article, or ``None``.
    """
    checks = []
    for answer in answers:
        for number, quote in enumerate(answer["quotes"], 1):
            article, problem = _check(quote, find)
            checks.append(Check(str(answer.get("question", "")), number, article, problem))
    return checks


def _check(quote: Any, find: Callable[[str], Article | None]) -> tuple[str, str | None]:
    try:
        name, text = quote["article"]["id"], quote["text"]
        start, end = quote["start"], quote["end"]
        highlights = [(begin, stop) for begin, stop in quote.get("highlights", [])]
    except (KeyError, TypeError, ValueError):
        return "?", "lacks text, start, end, highlights or article.id"
    if not (isinstance(name, str) and isinstance(text, str)):
        return "?", "text and article.id are not text"
    if not all(_is_offset(value) for pair in [(start, end), *highlights] for value in pair):
        return name, "an offset is not a whole number from 0 up"
    article = find(name)
    problem = None
    if article is None:
        problem = "the index holds no such article"
    elif not text or end - start != len(text) or article.text[start:end] != text:
        problem = f"characters {start} to {end} of the article are different"
    elif not all(start <= begin <= stop <= end for begin, stop in highlights):
        problem = "a highlight lies outside the quote"
    elif "page" in quote and quote["page"] not in _pages(article, start, end):
        problem = f"it is not on page {quote['page']}"
    return name, problem


def _pages(article: Article, start: int, end: int) -> range:
    """Number the pages that ``text[start:end]`` is on."""
    first, last = page_at(article.pages, start), page_at(article.pages, end - 1)
    return range(first, last + 1) if first and last else range(0)


def _is_text(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_offset(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
