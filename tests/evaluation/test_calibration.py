"""Measures of confidence, against scikit-learn, plain loops, and values by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from qabot.evaluation.calibration import (
    CalibrationBin,
    area_under_risk,
    auroc,
    calibration_bins,
    calibration_error,
    percentiles,
    risk_curve,
)

# Few values, so that ties are common; the ends and the edges of bins among them.
CONFIDENCES = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.55, 0.9, 1.0])
ROWS = st.lists(st.tuples(CONFIDENCES, st.booleans(), st.integers(0, 3)), min_size=1, max_size=12)


def columns(rows):
    confidence, truth, weights = zip(*rows, strict=True)
    return np.array(confidence), np.array(truth), np.array([weights], float)


def drawn(rows):
    """Each question as often as it was drawn."""
    return [(confidence, truth) for confidence, truth, times in rows for _ in range(times)]


@given(ROWS)
def test_auroc_is_scikit_learns(rows):
    confidence, truth, weights = columns(rows)
    (area,) = auroc(confidence, truth, weights)
    kinds = {truth for _, truth in drawn(rows)}
    if len(kinds) < 2:
        assert math.isnan(area)
    else:
        scores, labels = zip(*[(c, t) for c, t in drawn(rows)], strict=True)
        assert pytest.approx(roc_auc_score(labels, scores)) == area


@given(ROWS.filter(drawn))
def test_the_calibration_error_is_the_mean_gap_of_ten_bins(rows):
    confidence, truth, weights = columns(rows)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for value, holds in drawn(rows):
        bins.setdefault(min(int(value * 10), 9), []).append((value, holds))
    expected = sum(
        abs(sum(value for value, _ in part) - sum(holds for _, holds in part))
        for part in bins.values()
    ) / len(drawn(rows))
    assert pytest.approx(expected) == calibration_error(confidence, truth, weights)[0]


@given(ROWS.filter(drawn))
def test_the_area_is_the_mean_risk_of_answering_down_to_each_question(rows):
    confidence, truth, weights = columns(rows)
    asked = drawn(rows)
    risks = []
    for threshold, _ in asked:
        answered = [right for value, right in asked if value >= threshold]
        risks.append(answered.count(False) / len(answered))
    assert pytest.approx(sum(risks) / len(risks)) == area_under_risk(confidence, truth, weights)[0]


def test_each_row_of_weights_is_a_resample_of_its_own():
    confidence, truth = np.array([0.9, 0.2, 0.6]), np.array([True, True, False])
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]])
    assert auroc(confidence, truth, weights).tolist() == pytest.approx(
        [0.5, 1.0, 0.0, math.nan], nan_ok=True
    )


def test_the_curve_worked_by_hand():
    confidence = np.array([0.8, 0.3, 0.8, 0.95])
    right = np.array([False, True, True, True])
    assert [(0.95, 0.25, 0.0), (0.8, 0.75, pytest.approx(1 / 3)), (0.3, 1.0, 0.25)] == [
        (point.threshold, point.coverage, point.risk) for point in risk_curve(confidence, right)
    ]


def test_the_bins_worked_by_hand():
    confidence = np.array([0.125, 0.1875, 1.0, 0.9375])
    truth = np.array([False, True, True, True])
    assert [
        CalibrationBin(low=0.1, high=0.2, confidence=0.15625, observed=0.5, count=2),
        CalibrationBin(low=0.9, high=1.0, confidence=0.96875, observed=1.0, count=2),
    ] == calibration_bins(confidence, truth)
    # |0.3125 − 1| / 4 + |1.9375 − 2| / 4
    assert [0.1875] == calibration_error(confidence, truth, np.ones((1, 4))).tolist()


def test_percentiles_lie_between_the_values():
    assert {"p50": 20.0, "p95": 38.0} == percentiles(
        np.array([40.0, 0.0, 10.0, 30.0, 20.0]), (50, 95)
    )
