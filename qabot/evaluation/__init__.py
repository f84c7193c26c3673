"""Labelled questions → how well an index answers them: ranking, quotes, honesty, speed.

``read_questions`` and ``check_labels`` take the file, ``ask_all`` puts the questions to an engine,
``measure`` makes figures of what came back, ``compare`` sets two measurements side by side.
"""

from qabot.evaluation.bounds import Bound, read_bounds
from qabot.evaluation.comparison import Difference, compare
from qabot.evaluation.figures import METRICS, Figure, Metric
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
    "check_labels",
    "compare",
    "measure",
    "read_bounds",
    "read_questions",
]
