"""Tell what is no question to articles: thanks, greetings, reactions, words to another person.

A logistic regression on the question's vector, as the packaged encoder makes it, in some twenty
languages (``training/small_talk.py``). Short and odd questions ("refund?", "error E4", "wann") and
single words that name a matter ("PyTorch") are in what it was fitted on, as questions. Vectors of
another encoder say nothing to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import resources

import numpy as np

from qabot.encoders import PACKAGED, Encoder, FloatArray

WEIGHTS = "small_talk.npy"
# What is this likely to be small talk is not looked up. Far from even: a short question that goes
# unanswered is worse than thanks that are looked up, which the confidence mostly refuses.
THRESHOLD = 0.8


def is_small_talk(text: str, encoder: Encoder, vector: Callable[[], FloatArray]) -> bool:
    """Tell whether ``text`` asks the articles nothing.

    Args:
        vector: Gives what ``encoder`` makes of it, ``(dimension,)``; not called where another
            encoder makes it.
    """
    if not any(map(str.isalnum, text)):
        return True
    return encoder.name == PACKAGED and probability(vector()) >= THRESHOLD


def probability(vector: FloatArray) -> float:
    """Of small talk, in [0, 1], for a text with the packaged encoder's ``vector``."""
    weights = _weights()
    logit = float(vector @ weights[1:] + weights[0])
    return 1 / (1 + math.exp(-logit))


@cache
def _weights() -> FloatArray:
    """The intercept and a weight for each dimension: float32 ``(1 + dimension,)``."""
    with resources.files("qabot.answering").joinpath(WEIGHTS).open("rb") as file:
        weights: FloatArray = np.load(file, allow_pickle=False)
    return weights
