"""Bounds that figures must reach: ``--min METRIC=VALUE``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qabot.errors import UsageError
from qabot.evaluation.figures import METRICS, Figure


@dataclass(frozen=True, slots=True)
class Bound:
    """The least value allowed for a figure."""

    metric: str
    least: float

    def problem(self, figures: Mapping[str, Figure]) -> str | None:
        """Say on one line that the figure is below the bound; ``None`` if it is not.

        Raises:
            UsageError: The figure is undefined for these questions.
        """
        value = figures[self.metric].value
        if value is None:
            raise UsageError(
                f"--min {self.metric}: no question defines this figure; add some, or leave it out"
            )
        return f"{self.metric} is {value:.4f}, below {self.least:g}" if value < self.least else None


def read_bounds(texts: Iterable[str]) -> list[Bound]:
    """Parse bounds of the form ``METRIC=VALUE``.

    Raises:
        UsageError: A bound has another form, or names no metric for which more is better.
    """
    return [_bound(text) for text in texts]


def _bound(text: str) -> Bound:
    name, sign, number = text.partition("=")
    metric = METRICS.get(name.strip())
    if not sign:
        raise UsageError(f"--min {text}: no value; write METRIC=VALUE, such as auroc=0.8")
    bounded = [m.name for m in METRICS.values() if m.higher_is_better]
    if metric is None:
        raise UsageError(f"--min {text}: no such metric; there are {', '.join(bounded)}")
    if not metric.higher_is_better:
        raise UsageError(f"--min {text}: less is better there; bound one of {', '.join(bounded)}")
    try:
        least = float(number)
    except ValueError:
        least = math.nan
    if not math.isfinite(least):
        raise UsageError(f"--min {text}: {number!r} is not a number; write one, such as 0.8")
    return Bound(metric.name, least)
