"""Outcomes → figures with bootstrap intervals, overall and by pair of languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from qabot.evaluation.calibration import (
    CalibrationBin,
    RiskPoint,
    calibration_bins,
    percentiles,
    risk_curve,
)
from qabot.evaluation.figures import METRICS, Columns, Figure, FloatArray
from qabot.evaluation.predictions import Outcome

RESAMPLES = 2000
# Fixed, so that intervals are reproducible, and two measurements of the same questions are
# resampled alike, which pairs them.
_SEED = 20
_INTERVAL = (2.5, 97.5)
_PERCENTILES = (50, 95, 99)
# The most weights in memory at once.
_CELLS = 2_000_000
_KINDS: dict[str, Callable[[str, str | None], bool]] = {
    "one language": lambda asked, answered: asked == answered,
    "across languages": lambda asked, answered: answered not in (None, asked),
    "no article": lambda asked, answered: answered is None,
}
_OF_KINDS = ("auroc", "wrongly_answered")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of questions.

    Attributes:
        name: "one language", "across languages", "no article", a pair of languages, or why there
            is no answer.
        asked, answered: For a pair: the language of the questions and of the articles, which is
            ``None`` if no article answers.
        count: The number of questions.
        figures: By metric.
    """

    name: str
    asked: str | None
    answered: str | None
    count: int
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Measurement:
    """All figures of one run of labelled questions.

    Attributes:
        threshold: The least confidence at which quotes count as shown.
        count, answerable: The number of questions, and of those with an answer.
        figures: By metric.
        groups: Questions within one language and across languages, then by pair of languages.
        kinds: Questions without an answer by their ``why``, with two figures: ``auroc``, all
            questions with an answer against these, and ``wrongly_answered``.
        risk: The risk–coverage curve.
        calibration: Confidence against the share of right answers, in bins.
        latency_ms: Percentiles by name.
        samples: Metric → its value in each resample, NaN if undefined.
    """

    threshold: float
    count: int
    answerable: int
    figures: dict[str, Figure]
    groups: tuple[Group, ...]
    kinds: tuple[Group, ...]
    risk: tuple[RiskPoint, ...]
    calibration: tuple[CalibrationBin, ...]
    latency_ms: dict[str, float]
    samples: dict[str, FloatArray]


def measure(outcomes: Sequence[Outcome], threshold: float) -> Measurement:
    """Measure ``outcomes``, of which there must be at least one.

    Args:
        threshold: The confidence in [0, 1] below which nothing is shown.
    """
    columns = Columns.of(outcomes, threshold)
    figures, samples = _figures(columns)
    return Measurement(
        threshold=threshold,
        count=len(columns),
        answerable=int(columns.answerable.sum()),
        figures=figures,
        groups=tuple(_groups(outcomes, columns)),
        kinds=tuple(_by_kind(outcomes, columns)),
        risk=tuple(risk_curve(columns.confidence, columns.right)),
        calibration=tuple(calibration_bins(columns.confidence, columns.answerable)),
        latency_ms=percentiles(columns.elapsed_ms, _PERCENTILES),
        samples=samples,
    )


def interval(samples: FloatArray) -> tuple[float | None, float | None]:
    """Compute the central 95 % of the resamples in which the figure is defined."""
    known = samples[~np.isnan(samples)]
    if not len(known):
        return None, None
    low, high = np.percentile(known, _INTERVAL)
    return float(low), float(high)


def _groups(outcomes: Sequence[Outcome], columns: Columns) -> Iterator[Group]:
    pairs = [(outcome.label.language, outcome.answered_in) for outcome in outcomes]
    for name, belongs in _KINDS.items():
        chosen = np.array([belongs(*pair) for pair in pairs])
        if chosen.any():
            yield Group(name, None, None, int(chosen.sum()), _figures(columns.rows(chosen))[0])
    for asked, answered in sorted(set(pairs), key=lambda pair: (pair[0], pair[1] or "~")):
        chosen = np.array([pair == (asked, answered) for pair in pairs])
        figures, _ = _figures(columns.rows(chosen))
        name = f"{asked} → {answered or 'none'}"
        yield Group(name, asked, answered, int(chosen.sum()), figures)


def _by_kind(outcomes: Sequence[Outcome], columns: Columns) -> Iterator[Group]:
    whys = [outcome.label.why for outcome in outcomes]
    for why in sorted({why for why in whys if why}):
        chosen = np.array([why == other for other in whys])
        figures, _ = _figures(columns.rows(columns.answerable | chosen))
        kept = {name: figures[name] for name in _OF_KINDS}
        yield Group(why, None, None, int(chosen.sum()), kept)


def _figures(columns: Columns) -> tuple[dict[str, Figure], dict[str, FloatArray]]:
    values = columns.figures(np.ones((1, len(columns))))
    parts = [columns.figures(weights) for weights in _resamples(len(columns))]
    samples = {name: np.concatenate([part[name] for part in parts]) for name in METRICS}
    figures = {}
    for name in METRICS:
        value = float(values[name][0])
        unknown = np.isnan(value)
        low, high = (None, None) if unknown else interval(samples[name])
        figures[name] = Figure(None if unknown else value, low, high, columns.count(name))
    return figures, samples


def _resamples(size: int) -> Iterator[FloatArray]:
    """Draw resamples of ``size`` questions: yield ``(some resamples, size)`` counts."""
    random = np.random.default_rng(_SEED)
    most = max(_CELLS // size, 1)
    for start in range(0, RESAMPLES, most):
        rows = min(most, RESAMPLES - start)
        # Each row counts in a range of its own.
        drawn = random.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * size)
        yield counts.reshape(rows, size).astype(np.float64)
