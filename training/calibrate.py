"""Fit the models of confidence on XQuAD-R: ``qabot/confidence.json``.

``python -m training.calibrate FOLDER [--work DIR]``: FOLDER holds XQuAD-R's en.json, de.json and so
on. Every question is asked in each of five languages of articles in each, once of all of them and
once with every other title left out, so that questions with and without an answer are about as
many. Each hit counts: it answers where it lies in the right paragraph. What the figures would be on
articles that were not fitted on is told by leaving each title out in turn, in groups.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.readings import Asked, add_arguments, everything
from qabot.confidence import Kind, features
from qabot.types import Hit

FEATURES: dict[Kind, tuple[str, ...]] = {
    "retrieval": ("similarity", "sentence", "same_language", "coverage"),
    "reader": (
        "similarity",
        "sentence",
        "same_language",
        "coverage",
        "lead",
        "margin",
        "margin_same_language",
        "margin_lead",
        "support",
    ),
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
    fitted = {}
    for kind, names in FEATURES.items():
        made, right, groups = table(rows, kind)
        values = np.array([[row[name] for name in names] for row in made])
        model = fit(values, right)
        print(f"{kind}: {len(right)} hits, log loss {held_out_loss(values, right, groups):.4f}")
        fitted[kind] = {
            "intercept": round(float(model.intercept_[0]), 3),
            "weights": {
                name: round(float(weight), 3)
                for name, weight in zip(names, model.coef_[0], strict=True)
            },
        }
    options.out.write_text(json.dumps(fitted, indent=2) + "\n", "utf-8")
    print(f"{options.out}: {json.dumps(fitted)}")


def table(
    rows: Sequence[Asked], kind: Kind
) -> tuple[list[dict[str, float]], NDArray[np.bool_], NDArray[np.str_]]:
    """Features of the hits that count, whether each is right, and the title of its question."""
    made: list[dict[str, float]] = []
    right: list[bool] = []
    groups: list[str] = []
    for row in rows:
        hits = considered(row, kind)
        made += features(hits)
        right += row.right[: len(hits)]
        groups += [row.question.paragraph[0]] * len(hits)
    return made, np.array(right), np.array(groups)


def considered(row: Asked, kind: Kind) -> list[Hit]:
    """The hits whose probability matters: all that were read, or the first."""
    if kind == "retrieval":
        return list(row.hits[:1])
    return [hit for hit in row.hits if hit.reading is not None]


def fit(values: NDArray[np.float64], right: NDArray[np.bool_]) -> LogisticRegression:
    """A logistic regression of the features ``(hits, features)``."""
    return LogisticRegression(C=100.0, max_iter=2000).fit(values, right)


def held_out_loss(
    values: NDArray[np.float64], right: NDArray[np.bool_], groups: NDArray[np.str_]
) -> float:
    """Mean log loss on titles that were not fitted on."""
    losses = []
    for train, test in GroupKFold(_FOLDS).split(values, right, groups):
        guess = fit(values[train], right[train]).predict_proba(values[test])[:, 1]
        losses.append(-np.log(np.where(right[test], guess, 1 - guess)))
    return float(np.concatenate(losses).mean())


if __name__ == "__main__":
    main()
