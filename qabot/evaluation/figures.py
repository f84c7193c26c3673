"""The figures: their names, and how outcomes give their values.

A figure is computed for many resamples at once: ``weights`` is ``(resamples, questions)``, how
often each question was drawn. A row of ones gives the figure of the questions themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np

from qabot.evaluation.calibration import area_under_risk, auroc, calibration_error
from qabot.evaluation.predictions import RIGHT, Outcome

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

SHOWN = 3
"""The number of quotes per answer that count."""


@dataclass(frozen=True, slots=True)
class Metric:
    """The name of a figure.

    Attributes:
        name: The name in tables, JSON and bounds.
        meaning: A few words for people.
        higher_is_better: If false, lower is better.
    """

    name: str
    meaning: str
    higher_is_better: bool = True


_RANKED = [
    Metric(f"{what}_{measure}", meaning.format(what))
    for what in ("article", "passage")
    for measure, meaning in (
        ("recall@1", "the right {} is ranked first"),
        ("recall@3", "… among the first three"),
        ("recall@10", "… among the first ten"),
        ("mrr@10", "… 1 / its rank"),
    )
]
_QUOTED = [
    Metric("quote_hit@1", "the first quote holds an answer"),
    Metric("quote_hit@3", "one of the first three does"),
    Metric("quote_precision", "share of shown quotes that do"),
    Metric("highlight_exact", "its highlight is an answer"),
    Metric("highlight_f1", "its highlight's words agree"),
]
_DECIDED = [
    Metric("auroc", "confidence tells answerable from not"),
    Metric("accuracy", "rightly answered or not found"),
    Metric("answered", "answered, if there is an answer"),
    Metric("rejected", "not found, if there is none"),
    Metric("wrongly_answered", "answered, if there is none", higher_is_better=False),
    Metric("risk_area", "area under risk–coverage", higher_is_better=False),
    Metric("calibration_error", "confidence against the truth", higher_is_better=False),
]
METRICS: dict[str, Metric] = {m.name: m for m in (*_RANKED, *_QUOTED, *_DECIDED)}
"""Every figure, by name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval.

    Attributes:
        value: ``None`` if no question defines it.
        low, high: The 95 % bootstrap interval.
        count: The number of questions that define it.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Outcomes as columns of ``(questions,)``.

    Attributes:
        means: Metric → a value per question, NaN if undefined; the figure is their mean.
        confidence: In [0, 1].
        answerable: The articles answer the question.
        right: One of the quotes holds an answer, at any confidence.
        quotes_shown, quotes_right: The number of quotes shown, and of those with an answer.
        elapsed_ms: Milliseconds to the answer.
    """

    means: dict[str, FloatArray]
    confidence: FloatArray
    answerable: BoolArray
    right: BoolArray
    quotes_shown: FloatArray
    quotes_right: FloatArray
    elapsed_ms: FloatArray

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], threshold: float) -> Columns:
        """Make columns of ``outcomes``; quotes are shown at a score of ``threshold`` or more."""
        answerable = np.array([outcome.label.answerable for outcome in outcomes])
        confidence = np.array([outcome.confidence for outcome in outcomes])
        shown = confidence >= threshold
        quoted = np.array([any(outcome.quotes[:SHOWN]) for outcome in outcomes])
        # Each quote needs a sufficient score of its own; those after the first may lack it.
        rights = [_shown_rights(outcome, threshold) for outcome in outcomes]
        first = np.array([any(right[:1]) for right in rights])
        one = np.array([any(right) for right in rights])
        exact = np.array([outcome.exact for outcome in outcomes], float)
        overlap = np.array([outcome.f1 for outcome in outcomes], float)
        means = {
            **_ranked("article", [outcome.articles for outcome in outcomes]),
            **_ranked("passage", [outcome.passages for outcome in outcomes]),
            "quote_hit@1": np.where(answerable, first, np.nan),
            "quote_hit@3": np.where(answerable, one, np.nan),
            "highlight_exact": np.where(shown, exact, exact * 0),
            "highlight_f1": np.where(shown, overlap, overlap * 0),
            "accuracy": (shown == answerable).astype(float),
            "answered": np.where(answerable, shown, np.nan),
            "rejected": np.where(answerable, np.nan, ~shown),
            "wrongly_answered": np.where(answerable, np.nan, shown),
        }
        return cls(
            means=means,
            confidence=confidence,
            answerable=answerable,
            right=quoted & answerable,
            quotes_shown=np.array([len(right) for right in rights], float),
            quotes_right=np.array([sum(right) for right in rights], float),
            elapsed_ms=np.array([outcome.elapsed_ms for outcome in outcomes]),
        )

    def rows(self, chosen: BoolArray) -> Columns:
        """Keep the chosen rows."""
        return Columns(
            {name: values[chosen] for name, values in self.means.items()},
            self.confidence[chosen],
            self.answerable[chosen],
            self.right[chosen],
            self.quotes_shown[chosen],
            self.quotes_right[chosen],
            self.elapsed_ms[chosen],
        )

    def __len__(self) -> int:
        return len(self.confidence)

    def count(self, metric: str) -> int:
        """Count the questions that define ``metric``."""
        if metric in self.means:
            return int((~np.isnan(self.means[metric])).sum())
        if metric == "quote_precision":
            return int((self.quotes_shown > 0).sum())
        return len(self)

    def figures(self, weights: FloatArray) -> dict[str, FloatArray]:
        """Compute every metric for each row of ``weights``; NaN if undefined."""
        values = {name: _means(self.means[name], weights) for name in self.means}
        values |= {name: figure(self, weights) for name, figure in _OF_SEVERAL.items()}
        return {name: values[name] for name in METRICS}


# Figures that are not means over questions.
_OF_SEVERAL: dict[str, Callable[[Columns, FloatArray], FloatArray]] = {
    "quote_precision": lambda columns, weights: _shares(
        weights @ columns.quotes_right, weights @ columns.quotes_shown
    ),
    "auroc": lambda columns, weights: auroc(columns.confidence, columns.answerable, weights),
    "risk_area": lambda columns, weights: area_under_risk(
        columns.confidence, columns.right, weights
    ),
    "calibration_error": lambda columns, weights: calibration_error(
        columns.confidence, columns.answerable, weights
    ),
}


def _means(values: FloatArray, weights: FloatArray) -> FloatArray:
    known = ~np.isnan(values)
    return _shares(weights[:, known] @ values[known], weights[:, known].sum(axis=1))


def _shares(parts: FloatArray, wholes: FloatArray) -> FloatArray:
    """Divide ``parts`` by ``wholes``; NaN for resamples without any of the whole."""
    with np.errstate(invalid="ignore"):
        share: FloatArray = parts / wholes
    return share


def _shown_rights(outcome: Outcome, threshold: float) -> list[bool]:
    """For each quote shown at ``threshold``, say if it holds an answer."""
    if outcome.confidence < threshold:
        return []
    judged = zip(outcome.quotes[:SHOWN], outcome.scores[:SHOWN], strict=True)
    return [right for right, score in judged if score >= threshold]


def _ranked(what: str, rankings: Sequence[tuple[str, ...] | None]) -> dict[str, FloatArray]:
    """Compute recall and reciprocal rank with ir-measures."""
    measures = {
        ir_measures.R @ 1: f"{what}_recall@1",
        ir_measures.R @ 3: f"{what}_recall@3",
        ir_measures.R @ 10: f"{what}_recall@10",
        ir_measures.RR @ 10: f"{what}_mrr@10",
    }
    values: dict[str, FloatArray] = {
        name: np.full(len(rankings), np.nan) for name in measures.values()
    }
    known = {row: ranking for row, ranking in enumerate(rankings) if ranking is not None}
    if not known:
        return values
    wanted = {str(row): {RIGHT: 1} for row in known}
    # Scores fall with the rank.
    found = {
        str(row): {name: -float(place) for place, name in enumerate(ranking)}
        for row, ranking in known.items()
    }
    for column in values.values():
        column[list(known)] = 0.0  # Questions without a relevant result are not listed.
    for metric in ir_measures.iter_calc(list(measures), wanted, found):
        values[measures[metric.measure]][int(metric.query_id)] = metric.value
    return values
