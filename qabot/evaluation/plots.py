"""Plot risk–coverage and calibration with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qabot.errors import UsageError
from qabot.evaluation.reports import Run

ENDING = ".png"


def check_plot(file: str) -> None:
    """Check that a plot can be drawn, before anything is measured.

    Raises:
        UsageError: The file is not a PNG, its folder is missing, or matplotlib is.
    """
    path = Path(file)
    if path.suffix.lower() != ENDING:
        raise UsageError(f"--plot {file}: pictures are PNG files; name one that ends in {ENDING}")
    if not path.parent.is_dir():
        raise UsageError(f"--plot {file}: no folder {path.parent}; create it")
    try:
        import matplotlib as _  # noqa: F401, ICN001 - only whether it is there
    except ImportError:
        raise UsageError(
            "--plot needs matplotlib, which is not installed: pip install 'qabot[plot]'"
        ) from None


def plot(runs: Sequence[Run], file: str) -> None:
    """Draw one or two runs into a PNG file.

    Raises:
        UsageError: The file cannot be written.
    """
    # Not pyplot, which needs a screen and keeps its figures.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for run in runs:
        _risk(left, run)
        _calibration(right, run)
    right.plot([0, 1], [0, 1], color="0.7", linestyle="--", zorder=0)
    for axes in (left, right):
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.3)
        axes.legend()
    try:
        figure.savefig(file, format="png", dpi=150)
    except OSError as error:
        raise UsageError(f"--plot {file}: {error.strerror or error}; name another file") from error


def _risk(axes: Any, run: Run) -> None:
    points = run.measurement.risk
    (line,) = axes.plot(
        [point.coverage for point in points], [point.risk for point in points], label=_name(run)
    )
    kept = [point for point in points if point.threshold >= run.measurement.threshold]
    if kept:
        axes.plot(kept[-1].coverage, kept[-1].risk, "o", color=line.get_color())
    axes.set_title("Risk–coverage (dot: the threshold)")
    axes.set_xlabel("share of questions answered")
    axes.set_ylabel("share of those without a right quote")


def _calibration(axes: Any, run: Run) -> None:
    bins = run.measurement.calibration
    axes.plot(
        [part.confidence for part in bins],
        [part.observed for part in bins],
        marker="o",
        label=_name(run),
    )
    axes.set_title("Calibration")
    axes.set_xlabel("confidence")
    axes.set_ylabel("share that the articles answer")


def _name(run: Run) -> str:
    return f"{run.index} ({run.encoder})"
