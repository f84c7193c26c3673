"""Which segments are written anew, so that few stay and most of a large index is left alone.

Every rebuild adds one segment with what changed. Segments that are small beside what is written
anyway go into it, so sizes fall by half at least from one to the next: an index of n passages has
about log2(n / SMALL) segments below ``LARGEST``, and each passage is written about as often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# So many passages are rewritten in a tenth of a second: smaller indexes have one segment.
SMALL = 250
# What is written at a time, which bounds memory: a full build of more makes several segments.
LARGEST = 100_000
# Passages of articles that have left take up space and time; above this share they are cleared.
_MOST_LEFT = 0.25


@dataclass(frozen=True, slots=True)
class Size:
    """The passages of a segment: all that it holds, and those that stay in the index."""

    held: int
    stay: int


def dissolved(segments: Sequence[Size], added: int) -> set[int]:
    """Choose the segments whose articles move to the new one.

    Args:
        segments: Those of the live generation, without what changed.
        added: New passages.

    Returns:
        Their places in ``segments``.
    """
    chosen = {
        place
        for place, size in enumerate(segments)
        if size.held - size.stay > (_MOST_LEFT * size.held if size.stay > SMALL else 0)
    }
    total = added + sum(segments[place].stay for place in chosen)
    rest = (place for place in range(len(segments)) if place not in chosen)
    for place in sorted(rest, key=lambda place: segments[place].stay):
        size = segments[place].stay
        if size > max(SMALL, 2 * total) or 2 * size > LARGEST or total == 0:
            break
        chosen.add(place)
        total += size
    return chosen
