"""Hits → the windows that a reader looks at, and hits with what it marked there.

A reader costs time by the token, so it gets the part of a passage that is most like the question:
a run of whole sentences. The first passages are read nearly whole; if none of them answers clearly,
as many more get a look at the sentences most like the question.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from qabot.answering.reader.base import Reader, Window
from qabot.types import Hit, Passage, Span

CountTokens = Callable[[Sequence[str]], list[int]]


class Stage(NamedTuple):
    """Passages that are read one after another, and the most tokens of each."""

    passages: int
    tokens: int


STAGES = (Stage(4, 128), Stage(4, 56))
MOST_READ = sum(stage.passages for stage in STAGES)
# With less than this, windows are short: two passages are seen in the time of one.
_HURRY = 0.1
# How sharply sentences that are more like the question are preferred.
_SHARPNESS = 12.0


def read_hits(
    reader: Reader,
    question: str,
    hits: Sequence[Hit],
    count_tokens: CountTokens,
    *,
    is_clear: Callable[[Sequence[Hit]], bool] = lambda hits: False,
    patience: float = math.inf,
    stages: Sequence[Stage] = STAGES,
) -> list[Hit]:
    """``hits``, in their order, the first of them with the answer span that the reader marked.

    Args:
        count_tokens: Tells what the sentences cost; about the reader's own tokens.
        is_clear: Told after each stage what was read; whether that is enough.
        patience: Seconds in which reading is to end: no group is begun, but for the first, that
            would take longer if it took as long as those before it did on average.
        stages: How many passages are read, and how much of each.
    """
    started, groups = time.monotonic(), 0
    fewest = min(stage.tokens for stage in stages)
    read: list[Hit] = []
    for stage in stages:
        part = hits[len(read) : len(read) + stage.passages]
        # Between such groups, time is checked.
        for at in range(0, len(part), reader.batch_size):
            if groups and (time.monotonic() - started) * (groups + 1) / groups > patience:
                return [*read, *hits[len(read) :]]
            groups += 1
            group = part[at : at + reader.batch_size]
            tokens = stage.tokens if patience >= _HURRY else fewest
            read += _read_group(reader, question, group, count_tokens, tokens)
        if is_clear(read):
            break
    return [*read, *hits[len(read) :]]


def _read_group(
    reader: Reader, question: str, hits: Sequence[Hit], count_tokens: CountTokens, longest: int
) -> list[Hit]:
    places = [window(hit, count_tokens, longest) for hit in hits]
    windows = [
        Window(context_of(hit.article.title, hit.passage), hit.passage.text[start:end])
        for hit, (start, end) in zip(hits, places, strict=True)
    ]
    found = []
    for hit, (offset, _), span in zip(hits, places, reader.read(question, windows), strict=True):
        moved = replace(span, start=offset + span.start, end=offset + span.end)
        found.append(replace(hit, answer_span=moved))
    return found


def context_of(title: str, passage: Passage) -> str:
    """The article's title and the section's headings, as they stand before a window."""
    headings = [
        heading
        for heading in passage.headings
        if heading != title and not passage.text.startswith(heading)
    ]
    return " – ".join([title, *headings])


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
    first, last = max(runs(counts, longest), key=lambda run: sum(likeness[run[0] : run[1] + 1]))
    return sentences[first][0], sentences[last][1]


def runs(counts: Sequence[int], longest: int) -> Iterator[Span]:
    """Yield, for each sentence, the longest run from it on, as numbers of first and last sentence.

    Args:
        counts: Tokens of each sentence.
        longest: Tokens that a run may have; one sentence may have more.
    """
    for first in range(len(counts)):
        last, tokens = first, counts[first]
        while last + 1 < len(counts) and tokens + counts[last + 1] <= longest:
            last += 1
            tokens += counts[last]
        yield first, last
