"""Fit the models of confidence on XQuAD-R: ``qabot/confidence.json``.

``python -m training.calibrate FOLDER [--work DIR]``: FOLDER holds XQuAD-R's en.json, de.json and so
on. Every question is asked in each of five languages of articles in each, once of all of them and
once with every other title left out, so that half of the questions have no answer.

A first regression learns from all hits which of them lie in the right paragraph. The hits that it
ranks first, where half of the articles are missing, teach the second one whether the index answers
at all: that is what is shown to people, and the one that is kept. It ranks as well as the first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.readings import Asked, add_arguments, everything
from qabot.confidence import Kind, features

FEATURES: dict[Kind, tuple[str, ...]] = {
    "retrieval": ("similarity", "sentence", "same_language", "coverage"),
    "reader": ("similarity", "sentence", "same_language", "coverage", "margin"),
}
OUT = Path(__file__).parents[1] / "qabot" / "confidence.json"
_FOLDS = 6


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    rows = everything(options)
    titles = np.array([row.question.paragraph[0] for row in rows])
    fitted = {}
    for kind, names in FEATURES.items():
        questions = [asked(row, kind) for row in rows]
        losses = []
        for train, test in GroupKFold(_FOLDS).split(rows, groups=titles):
            model = fit([questions[number] for number in train])
            losses += [loss(model, questions[number]) for number in test if rows[number].half]
        print(f"{kind}: log loss {np.mean(losses):.4f} on titles that were not fitted on")
        model = fit(questions)
        fitted[kind] = {
            "intercept": round(float(model.intercept_[0]), 3),
            "weights": {
                name: round(float(weight), 3)
                for name, weight in zip(names, model.coef_[0], strict=True)
            },
        }
    options.out.write_text(json.dumps(fitted, indent=2) + "\n", "utf-8")
    print(f"{options.out}: {json.dumps(fitted)}")


@dataclass(frozen=True, slots=True)
class Question:
    """What is fitted on.

    Attributes:
        values: Features of its hits ``(hits, features)``.
        right: Of each hit, whether it lies in the right paragraph.
        inside: Whether the index holds its article; ``None`` where all are inside.
    """

    values: NDArray[np.float64]
    right: NDArray[np.bool_]
    inside: bool | None


def asked(row: Asked, kind: Kind) -> Question:
    """A question with the hits that count: those that were read, or the first."""
    hits = row.hits[:1]
    if kind == "reader":
        hits = tuple(hit for hit in row.hits if hit.reading is not None)
    values = [[item[name] for name in FEATURES[kind]] for item in features(hits)]
    inside = row.inside if row.half else None
    return Question(np.array(values), np.array(row.right[: len(hits)]), inside)


def fit(questions: Sequence[Question]) -> LogisticRegression:
    """The regression that is kept."""
    first = _regression(
        np.concatenate([question.values for question in questions]),
        np.concatenate([question.right for question in questions]),
    )
    halved = [question for question in questions if question.inside is not None]
    best = [_best(first, question) for question in halved]
    return _regression(np.array(best), np.array([question.inside for question in halved]))


def loss(model: LogisticRegression, question: Question) -> float:
    """The log loss of what ``model`` says of a question's best hit."""
    sure = model.predict_proba(_best(model, question)[None])[0, 1]
    return -float(np.log(sure if question.inside else 1 - sure))


def _best(model: LogisticRegression, question: Question) -> NDArray[np.float64]:
    best: NDArray[np.float64] = question.values[model.decision_function(question.values).argmax()]
    return best


def _regression(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> LogisticRegression:
    return LogisticRegression(C=100.0, max_iter=2000).fit(values, truth)


if __name__ == "__main__":
    main()
