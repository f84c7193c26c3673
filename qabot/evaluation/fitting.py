"""Labelled questions → the confidence for an encoder and a reader.

A model learns which of the hits that it ranks first would be quoted with the answer in it, so that
its probability is that of a quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qabot.answering.confidence import READER, RETRIEVAL, Kind, Model, features
from qabot.answering.quotes import compose
from qabot.errors import UsageError
from qabot.evaluation.predictions import Asker, check_all, is_right
from qabot.evaluation.questions import Labelled
from qabot.types import Hit

# Fewer questions of either sort would tell more about themselves than about the models.
LEAST = 20
# A model is fitted on so many hits of a question, those that the model before it ranks first.
_FIRST, _ROUNDS = 3, 3
_DEPTH = 24


class Judged(NamedTuple):
    """The hits of a question, all read or none, and of which of them a quote would be right.

    Attributes:
        right: ``(hits,)``.
    """

    hits: Sequence[Hit]
    right: NDArray[np.bool_]


def calibrate(asker: Asker, questions: Sequence[Labelled], *, where: str) -> dict[Kind, Model]:
    """Fit the confidence of an engine on labelled questions.

    Args:
        where: The name of its index in errors.

    Raises:
        UsageError: A label does not fit the index, or there are too few questions.
    """
    answerable = sum(question.answerable for question in questions)
    if min(answerable, len(questions) - answerable) < LEAST:
        raise UsageError(
            f"{answerable} questions with an answer and {len(questions) - answerable} without: "
            f"too few to calibrate on; give at least {LEAST} of each"
        )
    check_all(asker, questions, where)
    read: list[Judged] = []
    unread: list[Judged] = []
    for label in questions:
        hits = asker.search(label.question, _DEPTH)
        right = np.array([_is_quoted(label, hit) for hit in hits], bool)
        marked = np.array([hit.answer_span is not None for hit in hits], bool)
        seen = [hit for hit in hits if hit.answer_span is not None]
        if seen:
            read.append(Judged(seen, right[marked]))
        if hits:
            unread.append(Judged(hits[:8], right[:8]))
    models: dict[Kind, Model] = {"retrieval": fit(unread, RETRIEVAL)}
    if read:
        models["reader"] = fit(read, READER)
    return models


def fit(rows: Sequence[Judged], names: Sequence[str]) -> Model:
    """Fit a model of which hits answer, of those that it ranks first.

    Args:
        names: The features that it may use.
    """
    from sklearn.linear_model import LogisticRegression

    tables = [
        (np.array([[found[name] for name in names] for found in features(hits)]), right)
        for hits, right in rows
    ]
    chosen, model = tables, LogisticRegression(C=1.0, max_iter=3000)
    for _ in range(_ROUNDS):
        values = np.concatenate([table for table, _ in chosen])
        truth = np.concatenate([right for _, right in chosen])
        if truth.all() or not truth.any():
            raise UsageError(
                "what would be quoted is always right or never; check the labels, and the models"
            )
        model.fit(values, truth)
        firsts = [np.argsort(-model.decision_function(table))[:_FIRST] for table, _ in tables]
        chosen = [(t[first], r[first]) for (t, r), first in zip(tables, firsts, strict=True)]
    weights = dict(zip(names, map(float, model.coef_[0]), strict=True))
    return Model(float(model.intercept_[0]), weights)


def _is_quoted(label: Labelled, hit: Hit) -> bool:
    """Tell whether a quote of ``hit`` would hold the answer."""
    if not is_right(label, hit.article.id, hit.passage.text):
        return False
    return is_right(label, hit.article.id, quoted(label.question, hit))


def quoted(question: str, hit: Hit) -> str:
    """The text that would be quoted of ``hit``, whatever its confidence."""
    answer = compose(
        question, [hit], limit=1, threshold=0.0, generation=0, encoder="", elapsed_ms=0.0
    )
    return answer.quotes[0].text
