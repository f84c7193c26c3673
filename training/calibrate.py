"""Fit the models of confidence on XQuAD-R: ``qabot/answering/confidence.json``.

``python -m training.calibrate FOLDER [--work DIR]``: FOLDER holds XQuAD-R's en.json, de.json and so
on. Every question is asked in each of five languages of articles in each, once of all of them and
once with every other title left out, so that half of the questions have no answer.

*Without a reader*, retrieval orders the hits, and a regression learns from the first ones whether
the index answers.

*With a reader*, a first regression learns from all hits which of them lie in the right paragraph.
The hits that it ranks first teach the second one whether the index answers at all: that is what is
shown to people, and the one that is kept. It ranks as well as the first. Beside the questions whose
article was left out it sees, with less weight, those whose right paragraph was taken out of the
hits: their article is there and about the matter, but does not answer.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.readings import Asked, add_arguments, everything
from qabot.answering.confidence import Model, features

OUT = Path(__file__).parents[1] / "qabot" / "answering" / "confidence.json"
_FOLDS = 6
_RETRIEVAL = ("similarity", "sentence", "same_language", "lexical_score")
_READER = (*_RETRIEVAL, "margin")
# What a question counts for whose right paragraph was taken out, against one whose article is
# missing. With more, good answers of small indexes are doubted, where words can't be rare.
_NEAR = 0.01


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
    for kind, questions, fit in (
        ("retrieval", _unread(rows), fit_retrieval),
        ("reader", _read(rows), fit_reader),
    ):
        print(f"{kind}: {_on_other_titles(questions, fit)}")
        fitted[kind] = fit(questions)
    text = {
        kind: {
            "intercept": round(model.intercept, 3),
            "weights": {name: round(weight, 3) for name, weight in model.weights.items()},
        }
        for kind, model in fitted.items()
    }
    options.out.write_text(json.dumps(text, indent=2) + "\n", "utf-8")
    print(f"{options.out}: {json.dumps(text)}")


@dataclass(frozen=True, slots=True)
class Question:
    """What is fitted on.

    Attributes:
        title: Of its article.
        features: Of each of its hits.
        right: Of each hit, whether it lies in the right paragraph ``(hits,)``.
        answered: Whether the index answers; ``None`` where only the order counts.
        weight: What it counts for in the confidence.
    """

    title: str
    features: list[dict[str, float]]
    right: NDArray[np.bool_]
    answered: bool | None
    weight: float = 1.0


def _question(
    row: Asked, chosen: Iterable[int], answered: bool | None, weight: float = 1.0
) -> Question:
    places = list(chosen)
    return Question(
        row.question.paragraph[0],
        features([row.hits[place] for place in places]),
        np.array([row.right[place] for place in places], bool),
        answered,
        weight,
    )


def _unread(rows: Sequence[Asked]) -> list[Question]:
    """With the hit that retrieval ranks first."""
    return [_question(row, [0], row.inside) for row in rows if row.half]


def _read(rows: Sequence[Asked]) -> list[Question]:
    """With the hits that were read."""
    found = []
    for row in rows:
        read = [place for place, hit in enumerate(row.hits) if hit.answer_span is not None]
        if row.half:
            found.append(_question(row, read, row.inside))
            continue
        found.append(_question(row, read, None))
        wrong = [place for place in read if not row.right[place]]
        if wrong and len(wrong) < len(read):
            found.append(_question(row, wrong, False, _NEAR))
    return found


def fit_retrieval(questions: Sequence[Question]) -> Model:
    """Whether the index answers, by the first hit."""
    return _answers(_RETRIEVAL, [(question.features[0], question) for question in questions])


def fit_reader(questions: Sequence[Question]) -> Model:
    """Whether the index answers, by the best hit."""
    right = _regression(
        _READER,
        [row for question in questions for row in question.features],
        np.concatenate([question.right for question in questions]),
    )
    best = [(max(question.features, key=right.logit), question) for question in questions]
    return _answers(_READER, [found for found in best if found[1].answered is not None])


def _answers(names: Sequence[str], best: Sequence[tuple[dict[str, float], Question]]) -> Model:
    return _regression(
        names,
        [row for row, _ in best],
        [question.answered for _, question in best],
        [question.weight for _, question in best],
    )


def _regression(
    names: Sequence[str],
    rows: Sequence[Mapping[str, float]],
    truth: Sequence[bool | None] | NDArray[np.bool_],
    weights: Sequence[float] | None = None,
) -> Model:
    values = np.array([[row[name] for name in names] for row in rows])
    model = LogisticRegression(C=100.0, max_iter=2000).fit(values, truth, weights)
    return Model(
        float(model.intercept_[0]), dict(zip(names, map(float, model.coef_[0]), strict=True))
    )


def _on_other_titles(
    questions: Sequence[Question], fit: Callable[[Sequence[Question]], Model]
) -> str:
    """What models fitted on some titles say of the others."""
    losses, first = [], []
    groups = [question.title for question in questions]
    for train, test in GroupKFold(_FOLDS).split(groups, groups=groups):
        model = fit([questions[number] for number in train])
        for question in (questions[number] for number in test):
            logits = np.array([model.logit(row) for row in question.features])
            if question.answered is None:
                first.append(question.right[logits.argmax()])
            elif question.weight == 1:
                sign = 1 if question.answered else -1
                losses.append(np.logaddexp(0, -sign * logits.max()))
    text = f"log loss {np.mean(losses):.4f} on titles that were not fitted on"
    return f"{text}, right paragraph first {np.mean(first):.4f}" if first else text


if __name__ == "__main__":
    main()
