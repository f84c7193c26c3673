"""How likely each hit answers the question: logistic models over what was measured; pure.

There are two models, with a reader and without; ``confidence.json`` holds their weights as
``training/calibrate.py`` fitted them on XQuAD-R in all pairs of five languages, with half of the
articles left out of the index, so that half of the questions have no answer there.

Words count only within a language: there, a passage that shares none of the question's words hardly
answers it, while across languages that says nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from qabot.types import Hit

Kind = Literal["retrieval", "reader"]

# Margins are sums of logits: far out, more of it says no more.
_STEEPNESS = 16.0


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic regression.

    Attributes:
        weights: By the name of the feature.
    """

    intercept: float
    weights: Mapping[str, float]

    def logit(self, features: Mapping[str, float]) -> float:
        """The logarithm of the odds."""
        return self.intercept + sum(self.weights[name] * features[name] for name in self.weights)


def ranked(hits: Sequence[Hit]) -> list[tuple[Hit, float]]:
    """``hits``, best first, each with the probability in [0, 1] that it answers.

    What a reader has read is ordered by that probability and stands before what it has not. Without
    a reader, retrieval's order stays: it compares passages better than their probabilities do,
    which are calibrated apart for one language and across.
    """
    read = [hit for hit in hits if hit.answer_span is not None]
    rest = [hit for hit in hits if hit.answer_span is None]
    found = sorted(zip(read, probabilities(read), strict=True), key=lambda item: -item[1])
    return [*found, *zip(rest, probabilities(rest), strict=True)]


def probabilities(hits: Sequence[Hit], kind: Kind | None = None) -> list[float]:
    """Of each of ``hits``, all read or none, the probability in [0, 1] that it answers.

    Args:
        kind: The model to ask; the reader's where the hits were read.
    """
    kind = kind or ("reader" if any(hit.answer_span for hit in hits) else "retrieval")
    model = models()[kind]
    return [1 / (1 + math.exp(-model.logit(row))) for row in features(hits)]


def features(hits: Sequence[Hit]) -> list[dict[str, float]]:
    """What the models weigh of each of ``hits``, by name."""
    return [
        {
            "similarity": hit.similarity,
            "sentence": max(hit.sentence_similarities),
            "same_language": float(hit.same_language),
            "lexical_score": hit.same_language * hit.lexical_score,
            "margin": squashed(hit.answer_span.margin) if hit.answer_span else 0.0,
        }
        for hit in hits
    ]


def squashed(margin: float) -> float:
    """A reader's margin, in [-1, 1]."""
    return math.tanh(margin / _STEEPNESS)


@cache
def models() -> dict[Kind, Model]:
    """The fitted models."""
    text = resources.files("qabot.answering").joinpath("confidence.json").read_text("utf-8")
    return {
        kind: Model(item["intercept"], item["weights"]) for kind, item in json.loads(text).items()
    }
