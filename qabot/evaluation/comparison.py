"""Compare two measurements of the same questions: which differences are significant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qabot.evaluation.figures import METRICS
from qabot.evaluation.measurement import Measurement, interval


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of the second measurement minus that of the first.

    Attributes:
        value: ``None`` if the figure is undefined in either.
        low, high: The 95 % paired bootstrap interval.
        p: The two-sided p-value.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def significant(self) -> bool:
        """True if significant at 5 %."""
        return self.p is not None and self.p < 0.05


def compare(first: Measurement, second: Measurement) -> dict[str, Difference]:
    """Compare two measurements of the same questions in the same order: metric → difference.

    Both were resampled alike, so each resample gives a difference over the same questions.
    """
    return {name: _difference(first, second, name) for name in METRICS}


def _difference(first: Measurement, second: Measurement, name: str) -> Difference:
    before, after = first.figures[name].value, second.figures[name].value
    if before is None or after is None:
        return Difference(None, None, None, None)
    samples = second.samples[name] - first.samples[name]
    known = samples[~np.isnan(samples)]
    # The share of resamples on the other side of zero; plus one, since no p-value is 0.
    beside = min(int((known <= 0).sum()), int((known >= 0).sum())) + 1
    p = min(2 * beside / (len(known) + 1), 1.0)
    return Difference(after - before, *interval(samples), p)
