"""How well confidence separates questions with an answer from those without.

Each figure is computed for many resamples at once: ``weights`` is ``(resamples, questions)``, how
often each question was drawn. Undefined figures are NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
BoolArray = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

_BINS = 10


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """A point of the risk–coverage curve: answer only at a confidence of ``threshold`` or more.

    Attributes:
        coverage: The share of all questions that is answered, in (0, 1].
        risk: The share of those that gets no quote with an answer, in [0, 1].
    """

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Questions whose confidence is from ``low`` to ``high``.

    Attributes:
        confidence: Their mean confidence.
        observed: The share of them that the articles answer.
        count: Their number.
    """

    low: float
    high: float
    confidence: float
    observed: float
    count: int


def auroc(confidence: FloatArray, positive: BoolArray, weights: FloatArray) -> FloatArray:
    """Compute the probability that a positive's confidence exceeds a negative's; ties are ½."""
    order, starts = _steps(confidence)
    positives = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    negatives = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    # In falling order of confidence: everything after it is lower.
    below = negatives.sum(axis=1, keepdims=True) - np.cumsum(negatives, axis=1)
    won = (positives * (below + negatives / 2)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        area: FloatArray = won / (positives.sum(axis=1) * negatives.sum(axis=1))
    return area


def area_under_risk(confidence: FloatArray, right: BoolArray, weights: FloatArray) -> FloatArray:
    """Compute the mean risk over all coverages, in [0, 1], the most confident answered first."""
    answered, wrong = _answered_and_wrong(confidence, right, weights)
    shares = np.diff(answered, prepend=0.0, axis=1) / answered[:, -1:]
    # A resample may not draw the most confident questions.
    risk = wrong / np.maximum(answered, 1.0)
    area: FloatArray = (risk * shares).sum(axis=1)
    return area


def risk_curve(confidence: FloatArray, right: BoolArray) -> list[RiskPoint]:
    """List coverage and risk at every distinct confidence, the highest first."""
    answered, wrong = _answered_and_wrong(confidence, right, np.ones((1, len(confidence))))
    order, starts = _steps(confidence)
    thresholds = confidence[order][starts]
    return [
        RiskPoint(float(threshold), float(n / len(confidence)), float(bad / n))
        for threshold, n, bad in zip(thresholds, answered[0], wrong[0], strict=True)
    ]


def calibration_error(
    confidence: FloatArray, positive: BoolArray, weights: FloatArray
) -> FloatArray:
    """Compute the expected calibration error over the bins, in [0, 1]."""
    inside = _bins(confidence)[:, None] == np.arange(_BINS)
    gaps = (weights * (confidence - positive)) @ inside
    error: FloatArray = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return error


def calibration_bins(confidence: FloatArray, positive: BoolArray) -> list[CalibrationBin]:
    """List those of ten bins of equal width that hold a question, the lowest first."""
    places = _bins(confidence)
    return [
        CalibrationBin(
            low=place / _BINS,
            high=(place + 1) / _BINS,
            confidence=float(confidence[places == place].mean()),
            observed=float(positive[places == place].mean()),
            count=int((places == place).sum()),
        )
        for place in np.unique(places).tolist()
    ]


def percentiles(values: FloatArray, which: Sequence[int]) -> dict[str, float]:
    """Compute percentiles, interpolated: ``p50`` and so on."""
    return {f"p{share}": float(np.percentile(values, share)) for share in which}


def _bins(confidence: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)


def _answered_and_wrong(
    confidence: FloatArray, right: BoolArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Count the questions answered, and answered wrongly, at each threshold, the highest first."""
    order, starts = _steps(confidence)
    drawn = np.add.reduceat(weights[:, order], starts, axis=1)
    wrong = np.add.reduceat((weights * ~right)[:, order], starts, axis=1)
    return np.cumsum(drawn, axis=1), np.cumsum(wrong, axis=1)


def _steps(
    confidence: FloatArray,
) -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.intp]], np.ndarray[tuple[int, ...], np.dtype[np.intp]]
]:
    """Sort questions by falling confidence; also return where each new confidence begins."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    return order, np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
