"""Groups questions that ask alike, by the vectors of the index's model; not for the event loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from qabot.encoders import Encoder

# The packaged model's cosine of one question in two wordings is about 0.93, that of questions
# about one subject 0.9, and of others below 0.8. A model that spreads texts more makes more groups.
LIKENESS = 0.9
# Encoding is slow, and nobody reads more.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that ask alike.

    Attributes:
        count: How often they were asked.
        last: When one of them was asked last, in seconds since 1970.
        wordings: Each wording once, the most frequent first.
    """

    count: int
    last: float
    wordings: tuple[str, ...]


def grouped(asked: Sequence[tuple[str, float]], encoder: Encoder) -> list[Group]:
    """Group questions, the group that was asked most often first.

    Args:
        asked: Questions and when they were asked, newest first.
    """
    times: dict[str, list[float]] = {}
    spelled: dict[str, str] = {}
    for question, at in asked:
        key = " ".join(question.casefold().split()).rstrip("?？.!。 ")
        times.setdefault(key, []).append(at)
        spelled.setdefault(key, question)
    counts = Counter({key: len(found) for key, found in times.items()})
    keys = [key for key, _ in counts.most_common(_MOST)]
    groups = [
        Group(
            sum(counts[key] for key in members),
            max(times[key][0] for key in members),
            tuple(spelled[key] for key in members),
        )
        for members in _like(keys, [spelled[key] for key in keys], encoder)
    ]
    return sorted(groups, key=lambda group: (-group.count, -group.last))


def _like(keys: Sequence[str], texts: Sequence[str], encoder: Encoder) -> list[list[str]]:
    """Put each key to the first one before it that is like it, or begin a group."""
    if not keys:
        return []
    vectors = encoder.encode_query(texts)
    heads: list[int] = []
    members: list[list[str]] = []
    for number, key in enumerate(keys):
        likeness = vectors[heads] @ vectors[number] if heads else np.zeros(0)
        if likeness.size and likeness.max() >= LIKENESS:
            members[int(likeness.argmax())].append(key)
        else:
            heads.append(number)
            members.append([key])
    return members
