"""How well a confidence tells questions with an answer from those without; pure.

Each figure is computed for many resamples at once: ``weights`` has a row a resample and a column a
question, how often it was drawn. Undefined figures are NaN.
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
    """Answering only from a confidence of ``threshold`` on.

    Attributes:
        coverage: Share of all questions that are then answered, in (0, 1].
        risk: Share of those that get no quote with an answer, in [0, 1].
    """

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Questions whose confidence is from ``low`` to ``high``.

    Attributes:
        confidence: Their mean confidence.
        observed: Share of them that the articles answer.
        count: How many they are.
    """

    low: float
    high: float
    confidence: float
    observed: float
    count: int


def auroc(confidence: FloatArray, positive: BoolArray, weights: FloatArray) -> FloatArray:
    """The probability that a positive has a higher confidence than a negative; ties are a half."""
    order, starts = _steps(confidence)
    positives = np.add.reduceat((weights * positive)[:, order], starts, axis=1)
    negatives = np.add.reduceat((weights * ~positive)[:, order], starts, axis=1)
    # By falling confidence: what comes after is lower.
    below = negatives.sum(axis=1, keepdims=True) - np.cumsum(negatives, axis=1)
    won = (positives * (below + negatives / 2)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        area: FloatArray = won / (positives.sum(axis=1) * negatives.sum(axis=1))
    return area


def area_under_risk(confidence: FloatArray, right: BoolArray, weights: FloatArray) -> FloatArray:
    """The mean risk over all coverages, in [0, 1]: answering the most confident questions first."""
    answered, wrong = _answered_and_wrong(confidence, right, weights)
    shares = np.diff(answered, prepend=0.0, axis=1) / answered[:, -1:]
    # A resample may draw none of the most confident.
    risk = wrong / np.maximum(answered, 1.0)
    area: FloatArray = (risk * shares).sum(axis=1)
    return area


def risk_curve(confidence: FloatArray, right: BoolArray) -> list[RiskPoint]:
    """Coverage and risk at every threshold that makes a difference, the highest first."""
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
    """Expected calibration error: how far confidence and share are apart, bin by bin, in [0, 1]."""
    inside = _bins(confidence)[:, None] == np.arange(_BINS)
    gaps = (weights * (confidence - positive)) @ inside
    error: FloatArray = np.abs(gaps).sum(axis=1) / weights.sum(axis=1)
    return error


def calibration_bins(confidence: FloatArray, positive: BoolArray) -> list[CalibrationBin]:
    """The ten bins of equal width that hold a question, the lowest first."""
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
    """``p50`` and so on, interpolated."""
    return {f"p{share}": float(np.percentile(values, share)) for share in which}


def _bins(confidence: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)


def _answered_and_wrong(
    confidence: FloatArray, right: BoolArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How many are answered, and wrongly, from each threshold on, the highest first."""
    order, starts = _steps(confidence)
    drawn = np.add.reduceat(weights[:, order], starts, axis=1)
    wrong = np.add.reduceat((weights * ~right)[:, order], starts, axis=1)
    return np.cumsum(drawn, axis=1), np.cumsum(wrong, axis=1)


def _steps(
    confidence: FloatArray,
) -> tuple[
    np.ndarray[tuple[int, ...], np.dtype[np.intp]], np.ndarray[tuple[int, ...], np.dtype[np.intp]]
]:
    """Questions by falling confidence, and where in that order each new confidence begins."""
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    return order, np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
