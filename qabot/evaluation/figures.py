"""The figures: what each is called, and how it follows from outcomes.

A figure is computed for many resamples at once: ``weights`` holds, a row a resample, how often each
question was drawn. All ones gives the figure of the questions as they are.
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
"""Quotes that count as seen: the first ones of an answer."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure is called.

    Attributes:
        name: In tables, in JSON and for bounds.
        meaning: For people, in a few words.
        higher_is_better: Else lower is.
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
    Metric("calibration_error", "confidence against what is so", higher_is_better=False),
]
METRICS: dict[str, Metric] = {m.name: m for m in (*_RANKED, *_QUOTED, *_DECIDED)}
"""Every figure, by name, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval.

    Attributes:
        value: ``None`` where no question tells it.
        low, high: 95 % bootstrap interval.
        count: Questions that it is taken over.
    """

    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Outcomes as columns, a row a question.

    Attributes:
        means: Metric → a value for each question, NaN where it has none; the figure is their mean.
        confidence: In [0, 1].
        answerable: Whether the articles answer it.
        right: Whether a quote, shown whatever the confidence, holds an answer.
        quotes_shown, quotes_right: How many quotes are shown, and how many of them hold an answer.
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
        """The columns of ``outcomes``, quotes counting as shown from ``threshold`` on."""
        answerable = np.array([outcome.label.answerable for outcome in outcomes])
        confidence = np.array([outcome.confidence for outcome in outcomes])
        shown = confidence >= threshold
        quoted = np.array([any(outcome.quotes[:SHOWN]) for outcome in outcomes])
        # Each quote is shown for its own score; below the first, some may fall short.
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
        """The chosen rows only."""
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
        """Questions that ``metric`` is taken over."""
        if metric in self.means:
            return int((~np.isnan(self.means[metric])).sum())
        if metric == "quote_precision":
            return int((self.quotes_shown > 0).sum())
        return len(self)

    def figures(self, weights: FloatArray) -> dict[str, FloatArray]:
        """Every metric for each row of ``weights``; NaN where it is undefined."""
        values = {name: _means(self.means[name], weights) for name in self.means}
        values |= {name: figure(self, weights) for name, figure in _OF_SEVERAL.items()}
        return {name: values[name] for name in METRICS}


# Figures that are no mean over questions.
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
    """``parts / wholes``, NaN for a resample that drew none of the whole."""
    with np.errstate(invalid="ignore"):
        share: FloatArray = parts / wholes
    return share


def _shown_rights(outcome: Outcome, threshold: float) -> list[bool]:
    """Of each quote that is shown from ``threshold`` on, whether it holds an answer."""
    if outcome.confidence < threshold:
        return []
    judged = zip(outcome.quotes[:SHOWN], outcome.scores[:SHOWN], strict=True)
    return [right for right, score in judged if score >= threshold]


def _ranked(what: str, rankings: Sequence[tuple[str, ...] | None]) -> dict[str, FloatArray]:
    """Recall and reciprocal rank, by ir-measures."""
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
    # Scores fall from place to place.
    found = {
        str(row): {name: -float(place) for place, name in enumerate(ranking)}
        for row, ranking in known.items()
    }
    for column in values.values():
        column[list(known)] = 0.0  # A question for which nothing was found is not listed.
    for metric in ir_measures.iter_calc(list(measures), wanted, found):
        values[measures[metric.measure]][int(metric.query_id)] = metric.value
    return values
