"""Hits → the windows that a reader looks at, and hits with what it marked there.

A reader costs time by the token, so it gets the part of a passage that is most like the question:
a run of whole sentences. Only so many tokens are read for one question.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from qabot.answering.reader.base import Reader
from qabot.types import AnswerSpan, Hit, Span

CountTokens = Callable[[Sequence[str]], list[int]]

# Passages that are read, and the most tokens of each: the best ones are read nearly whole.
_LONGEST = (160, 160, 128, 128, 96, 96)
MOST_READ = len(_LONGEST)
# Seconds after which no further group is read: a slow machine reads fewer passages.
PATIENCE = 0.4
# How sharply sentences that are more like the question are preferred.
_SHARPNESS = 12.0


def read_hits(
    reader: Reader,
    question: str,
    hits: Sequence[Hit],
    count_tokens: CountTokens,
    patience: float = PATIENCE,
) -> list[Hit]:
    """``hits``, in their order, the first of them with the answer span that the reader marked.

    Args:
        count_tokens: Tells what the sentences cost; about the reader's own tokens.
        patience: Seconds after which no further group of hits is read.
    """
    started = time.monotonic()
    read = []
    # Between such groups, time is checked.
    size = reader.batch_size
    for at in range(0, min(len(hits), MOST_READ), size):
        if at and time.monotonic() - started > patience:
            break
        group = hits[at : min(at + size, MOST_READ)]
        windows = [
            window(hit, count_tokens, longest)
            for hit, longest in zip(group, _LONGEST[at : at + size], strict=False)
        ]
        texts = [hit.passage.text[a:b] for hit, (a, b) in zip(group, windows, strict=True)]
        for hit, (start, _), span in zip(group, windows, reader.read(question, texts), strict=True):
            moved = AnswerSpan(start + span.start, start + span.end, span.margin)
            read.append(replace(hit, answer_span=moved))
    return [*read, *hits[len(read) :]]


def window(hit: Hit, count_tokens: CountTokens, longest: int) -> Span:
    """The run of sentences of at most ``longest`` tokens that is most like the question.

    Returns:
        Half-open characters of the passage. One sentence is returned even if it is longer.
    """
    passage = hit.passage
    sentences = passage.sentences
    counts = count_tokens([passage.text[start:end] for start, end in sentences])
    if sum(counts) <= longest:
        return sentences[0][0], sentences[-1][1]
    highest = max(hit.sentence_similarities)
    likeness = [math.exp(_SHARPNESS * (s - highest)) for s in hit.sentence_similarities]
    best, chosen = -1.0, (0, 0)
    for first in range(len(sentences)):
        last, tokens = first, counts[first]
        while last + 1 < len(sentences) and tokens + counts[last + 1] <= longest:
            last += 1
            tokens += counts[last]
        if tokens <= longest or first == last:
            worth = sum(likeness[first : last + 1])
            if worth > best:
                best, chosen = worth, (first, last)
    return sentences[chosen[0]][0], sentences[chosen[1]][1]
