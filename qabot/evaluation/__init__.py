"""Measure how well an index answers labelled questions: ranking, quotes, honesty, speed.

``read_questions`` and ``check_labels`` read the file, ``ask_all`` asks an engine, ``measure`` turns
the outcomes into figures, ``compare`` compares two measurements, and ``calibrate`` fits the
confidence.
"""

from qabot.evaluation.bounds import Bound, read_bounds
from qabot.evaluation.comparison import Difference, compare
from qabot.evaluation.figures import METRICS, Figure, Metric
from qabot.evaluation.fitting import calibrate
from qabot.evaluation.measurement import Group, Measurement, measure
from qabot.evaluation.predictions import Asker, Outcome, ask_all
from qabot.evaluation.questions import Labelled, check_labels, read_questions

__all__ = [
    "METRICS",
    "Asker",
    "Bound",
    "Difference",
    "Figure",
    "Group",
    "Labelled",
    "Measurement",
    "Metric",
    "Outcome",
    "ask_all",
    "calibrate",
    "check_labels",
    "compare",
    "measure",
    "read_bounds",
    "read_questions",
]
