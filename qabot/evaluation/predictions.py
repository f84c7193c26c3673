"""Ask an engine labelled questions and judge its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from qabot.errors import QuestionError, UsageError
from qabot.evaluation.overlap import exact_match, f1, holds
from qabot.evaluation.questions import Labelled, check_labels
from qabot.types import Answer, Article, ArticleInfo, Hit, Quote

RIGHT = "right"
"""Replaces the right article or passage in a ranking: any passage with the answer will do."""

# Deep enough for the passages of ten articles.
_DEPTH = 50
_PLACES = 10


class Asker(Protocol):
    """The part of an engine that evaluation needs.

    ``ask`` must quote at any confidence: evaluation applies thresholds itself.
    """

    def ask(self, question: str) -> Answer:
        """Answer a question."""

    def search(self, question: str, limit: int) -> list[Hit]:
        """Find the passages that may answer a question, best first."""

    def articles(self) -> list[ArticleInfo]:
        """List the articles of the index."""

    def article(self, article_id: str) -> Article:
        """Return an article with its text."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to a question, judged by its label; ``None`` if the label does not say.

    Attributes:
        answered_in: The language of the labelled article.
        articles: The first ten articles as ranked, ``RIGHT`` for the labelled one.
        passages: The first ten passages as ranked, ``RIGHT`` for the first that holds an answer.
        quotes: For each quote, best first: it holds an answer (or, if only the article is
            labelled, is from that article).
        scores: For each quote, the probability that it answers, in [0, 1].
        exact: 1 if the first quote's highlights are an answer, else 0.
        f1: The F1 of their words with the nearest answer, in [0, 1].
        confidence: The probability that the articles answer the question, in [0, 1].
        elapsed_ms: Milliseconds from question to answer.
    """

    label: Labelled
    answered_in: str | None
    articles: tuple[str, ...] | None
    passages: tuple[str, ...] | None
    quotes: tuple[bool, ...]
    scores: tuple[float, ...]
    exact: float | None
    f1: float | None
    confidence: float
    elapsed_ms: float


def ask_all(asker: Asker, questions: Sequence[Labelled], *, where: str) -> Iterator[Outcome]:
    """Ask each question in order and judge the answers.

    Args:
        asker: An engine with a threshold of 0.
        where: The name of its index in errors.

    Raises:
        UsageError: A label does not fit the index, or a question cannot be asked.
    """
    infos = check_all(asker, questions, where)
    _answer(asker, questions[0])  # An engine's first question takes longer than the others.
    for label in questions:
        answer = _answer(asker, label)
        hits = asker.search(label.question, _DEPTH)
        language = infos[label.article].language if label.article else None
        yield _judge(label, language, answer, hits)


def check_all(asker: Asker, questions: Sequence[Labelled], where: str) -> dict[str, ArticleInfo]:
    """Check that labels fit the index of ``asker``; returns its articles by id.

    Raises:
        UsageError: One does not.
    """
    infos = {info.id: info for info in asker.articles()}
    texts: dict[str, str] = {}

    def text_of(name: str) -> str:
        if name not in texts:
            texts[name] = asker.article(name).text
        return texts[name]

    check_labels(questions, infos, text_of, where)
    return infos


def _answer(asker: Asker, label: Labelled) -> Answer:
    try:
        return asker.ask(label.question)
    except QuestionError as error:
        raise UsageError(f"{label.place}: {error}") from error


def _judge(label: Labelled, language: str | None, answer: Answer, hits: Sequence[Hit]) -> Outcome:
    exact = overlap = None
    if label.answers:
        marked = highlighted(answer.quotes)
        spoken = language or (answer.quotes[0].article.language if answer.quotes else "")
        exact = exact_match(marked, label.answers, spoken)
        overlap = f1(marked, label.answers, spoken)
    return Outcome(
        label=label,
        answered_in=language,
        articles=_articles(label, hits) if label.article else None,
        passages=_passages(label, hits) if label.answers else None,
        quotes=tuple(is_right(label, q.article.id, q.text) for q in answer.quotes),
        scores=tuple(quote.score for quote in answer.quotes),
        exact=exact,
        f1=overlap,
        confidence=answer.confidence,
        elapsed_ms=answer.elapsed_ms,
    )


def _articles(label: Labelled, hits: Sequence[Hit]) -> tuple[str, ...]:
    ranked = list(dict.fromkeys(hit.article.id for hit in hits))[:_PLACES]
    # The prefix avoids confusion with an article called "right".
    return tuple(RIGHT if name == label.article else f"article {name}" for name in ranked)


def _passages(label: Labelled, hits: Sequence[Hit]) -> tuple[str, ...]:
    ranked = []
    for place, hit in enumerate(hits[:_PLACES], 1):
        right = is_right(label, hit.article.id, hit.passage.text)
        ranked.append(RIGHT if right and RIGHT not in ranked else f"passage {place}")
    return tuple(ranked)


def is_right(label: Labelled, article: str, text: str) -> bool:
    """Tell whether ``text`` of an article answers, as far as the label says."""
    if not label.answerable or (label.article and label.article != article):
        return False
    return not label.answers or holds(text, label.answers)


def highlighted(quotes: Sequence[Quote]) -> str:
    """Return the highlighted text of the first quote."""
    return " ".join(
        quote.text[start - quote.start : end - quote.start]
        for quote in quotes[:1]
        for start, end in quote.highlights
    )
