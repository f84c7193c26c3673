"""How likely each hit answers the question: logistic models over what was measured; pure.

There is a model for hits that a reader has read, one for others, and one of whether a hit is about
the question's matter at all; ``confidence.json`` holds their weights as
``training/calibrate.py`` fitted them on near-topic questions: half of them are about an article's
very matter, and it does not answer them. What a reader says of a passage counts most; beside it,
how like the question the passage is, its rank among all and in its article, and how far that stands
out from the others. Wording in common counts against a passage there: it makes one about the matter
look alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from qabot.types import Hit

Kind = Literal["retrieval", "reader", "topic"]

# The features of each kind of model.
RETRIEVAL = ("similarity", "sentence", "article_lead", "only_article")
READER = (*RETRIEVAL, "wording", "rank", "article_rank", "margin", "logit", "span_length")
TOPIC = ("similarity", "sentence")
# Scores and what they are ahead by, as far as more of them says more.
_MOST_MARGIN, _MOST_LOGIT, _MOST_LEAD = 16.0, 8.0, 1.0
# A hit this likely to answer needs no further ones to be read.
_CLEAR = 0.6


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


@dataclass(frozen=True, slots=True)
class Confidence:
    """The models for one pair of encoder and reader.

    Attributes:
        models: By kind; an index whose models were fitted by its owner may lack some.
        fitted: They were fitted on what this encoder and this reader measure. Where not, they are
            the packaged models' and only a rough guide.
    """

    models: Mapping[Kind, Model]
    fitted: bool = True

    def ranked(self, hits: Sequence[Hit]) -> list[tuple[Hit, float]]:
        """``hits``, best first, each with the probability in [0, 1] that it answers.

        What a reader has read is ordered by that probability and stands before what it has not.
        Without a reader, retrieval's order stays: it compares passages better than their
        probabilities do, which are calibrated apart for one language and across.
        """
        read = [hit for hit in hits if hit.answer_span is not None]
        rest = [hit for hit in hits if hit.answer_span is None]
        likely = zip(read, self.probabilities(read), strict=True)
        found = sorted(likely, key=lambda item: -item[1])
        return [*found, *zip(rest, self.probabilities(rest), strict=True)]

    def is_clear(self, hits: Sequence[Hit]) -> bool:
        """Tell whether one of ``hits`` answers so clearly that reading more changes nothing."""
        return max(self.probabilities(hits), default=0.0) >= _CLEAR

    def probabilities(self, hits: Sequence[Hit]) -> list[float]:
        """Of each of ``hits``, all read or none, the probability in [0, 1] that it answers."""
        kind: Kind = "reader" if any(hit.answer_span for hit in hits) else "retrieval"
        return _probabilities(self.models[kind], hits)

    def topical(self, hits: Sequence[Hit]) -> list[float]:
        """Of each of ``hits``, the probability in [0, 1] that it is about the question's matter.

        It is 0 where no model tells.
        """
        model = self.models.get("topic")
        return _probabilities(model, hits) if model else [0.0] * len(hits)


def _probabilities(model: Model, hits: Sequence[Hit]) -> list[float]:
    return [1 / (1 + math.exp(-model.logit(row))) for row in features(hits)]


def features(hits: Sequence[Hit]) -> list[dict[str, float]]:
    """Measure each of ``hits``: feature name → value."""
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.article.id] = max(hit.score, best.get(hit.article.id, hit.score))
    return [_features(hit, hits, best) for hit in hits]


def _features(hit: Hit, hits: Sequence[Hit], best: Mapping[str, float]) -> dict[str, float]:
    """Measure ``hit`` among ``hits``.

    Args:
        best: Each article's highest score, by id.
    """
    # A rank among all says much of an index of one article and little of a large one, where the
    # reader has to be free to choose: so that in the article counts, too.
    higher = [other.article.id for other in hits if other.score > hit.score]
    others = [score for article, score in best.items() if article != hit.article.id]
    span = hit.answer_span
    return {
        "similarity": hit.similarity,
        "sentence": max(hit.sentence_similarities),
        "article_lead": _bounded(hit.score - max(others), _MOST_LEAD) if others else 0.0,
        "only_article": float(not others),
        "wording": hit.lexical_score,
        "rank": math.log1p(len(higher)),
        "article_rank": math.log1p(higher.count(hit.article.id)),
        "margin": _bounded(span.margin, _MOST_MARGIN) if span else 0.0,
        "logit": _bounded(span.logit, _MOST_LOGIT) if span else 0.0,
        # At the same scores, a longer span is right more often than a short one.
        "span_length": math.log1p(span.end - span.start) if span else 0.0,
    }


def _bounded(value: float, most: float) -> float:
    return max(-most, min(most, value))


@cache
def packaged(*, fitted: bool = True) -> Confidence:
    """The models for the packaged encoder and reader."""
    text = resources.files("qabot.answering").joinpath("confidence.json").read_text("utf-8")
    return Confidence(models_of(json.loads(text)), fitted)


def models_of(value: Mapping[str, Any]) -> dict[Kind, Model]:
    """The models that a JSON object describes.

    Raises:
        LookupError, TypeError, ValueError: It describes none.
    """
    kinds: tuple[Kind, ...] = ("retrieval", "reader", "topic")
    found: dict[Kind, Model] = {}
    for kind in kinds:
        if kind in value:
            weights = {name: float(weight) for name, weight in value[kind]["weights"].items()}
            found[kind] = Model(float(value[kind]["intercept"]), weights)
    return found


def object_of(models: Mapping[Kind, Model]) -> dict[str, Any]:
    """The JSON object that ``models_of`` reads."""
    return {
        kind: {
            "intercept": round(model.intercept, 3),
            "weights": {name: round(weight, 3) for name, weight in model.weights.items()},
        }
        for kind, model in models.items()
    }
