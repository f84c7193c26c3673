"""Cut an article into passages and sentences, by offset; the text itself is not changed.

1. *Sections* begin with a heading and carry the path of the headings above them. A heading is the
   first sentence of its section's first passage, because news headings often answer by themselves
   ("On the board: …"). Only the article's own title stands outside all passages.
2. *Paragraphs* are separated by a blank line. One that fits into a passage stays whole; a longer
   one is cut between sentences into the fewest pieces, of balanced size. Small ones are merged with
   their neighbours, preferably the next. Full-sized ones are not: retrieval was measured with
   passages of a paragraph each. A paragraph that ends in a colon, and a question that stands alone,
   count as one with the next: what answers stands there.
3. *Sentences* are found by ``sentences``. One that alone is too long for a passage is cut by
   ``cuts``: at punctuation, else at a space, else anywhere.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

from qabot.indexing.cuts import cut, strip
from qabot.indexing.sentences import sentences_of
from qabot.types import Article, Heading, Passage, Span

CHUNKER_VERSION: int = 7
"""Raise it with every change that can move a boundary."""

TokenCounter = Callable[[Sequence[str]], list[int]]
"""Returns the number of model tokens of each text."""

_BLANK_LINE = re.compile(r"\n\s*\n|\r(?!\n)\s*\r(?!\n)|\u2029")
_LEADS_IN, _QUESTION = (":", "："), ("?", "？", "؟")
_CLOSING = "\"'”’»)]」』）*_ "
# Share of a passage that a piece of a long sentence fills.
_FILL = 0.8
# Paragraphs up to this share of a passage are merged, such as a line of a list or a dialogue. Two
# sentences stay a passage: merging them cost retrieval up to two points.
_SMALL = 1 / 8


class _Unit(NamedTuple):
    """A sentence, or a piece of an overlong one: ``text[start:end]``."""

    start: int
    end: int
    tokens: int


def split_article(
    article: Article, count_tokens: TokenCounter, max_tokens: int = 200
) -> list[Passage]:
    """Cut an article into passages.

    Every character outside the headings that is not white space is in exactly one sentence of one
    passage. Every heading is in the path of a passage or, where nothing stands below it, the text
    of one.

    Args:
        article: The article; its headings are in order and do not overlap.
        count_tokens: Counts the tokens of many texts at once. It is called once with all sentences
            and, if some are too long, once more for each round of cutting those.
        max_tokens: The most tokens of a passage, summed over its sentences. Only a single
            character that alone has more exceeds it.

    Returns:
        The passages, in the order of the text.

    Raises:
        ValueError: ``max_tokens`` is less than 1.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    sections = list(_sections(article))
    sentences = [span for _, paragraphs in sections for spans in paragraphs for span in spans]
    units = _measure(article.text, sentences, count_tokens, max_tokens)
    starts = [unit.start for unit in units]
    passages = []
    done = 0
    for path, paragraphs in sections:
        measured = []
        for spans in paragraphs:
            first, done = done, bisect_left(starts, spans[-1][1], done)
            measured.append(units[first:done])
        passages += [_passage(article, path, group) for group in _pack(measured, max_tokens)]
    return passages


def _passage(article: Article, path: tuple[str, ...], units: list[_Unit]) -> Passage:
    start, end = units[0].start, units[-1].end
    return Passage(
        article_id=article.info.id,
        start=start,
        end=end,
        text=article.text[start:end],
        headings=path,
        sentences=tuple((unit.start - start, unit.end - start) for unit in units),
    )


def _sections(article: Article) -> Iterator[tuple[tuple[str, ...], list[list[Span]]]]:
    """Yield the path of each section and the sentences of each of its paragraphs."""
    text, language = article.text, article.info.language

    def title(heading: Heading) -> str:
        return text[heading.start : heading.end].strip()

    headings = [heading for heading in article.headings if title(heading)]
    ends = [*(heading.start for heading in headings), len(text)]
    if preface := _paragraphs(text, 0, ends[0], language):
        yield (), preface
    above: list[Heading] = []
    for index, heading in enumerate(headings):
        above = [outer for outer in above if outer.level < heading.level]
        path = tuple(map(title, above))
        above.append(heading)
        following = headings[index + 1 : index + 2]
        if paragraphs := _paragraphs(text, heading.end, ends[index + 1], language):
            if title(heading) != article.info.title:
                paragraphs[0].insert(0, strip(text, heading.start, heading.end))
            yield (*path, title(heading)), paragraphs
        elif not (following and following[0].level > heading.level):
            # Nothing below it carries this heading in its path, so it becomes a passage.
            yield path, [[strip(text, heading.start, heading.end)]]


def _paragraphs(text: str, start: int, end: int, language: str) -> list[list[Span]]:
    paragraphs = []
    for blank in _BLANK_LINE.finditer(text, start, end):
        paragraphs.append(sentences_of(text, start, blank.start(), language))
        start = blank.end()
    paragraphs.append(sentences_of(text, start, end, language))
    return _with_what_they_introduce(text, [sentences for sentences in paragraphs if sentences])


def _with_what_they_introduce(text: str, paragraphs: list[list[Span]]) -> list[list[Span]]:
    """Join a paragraph that leads in what follows, and a question alone, to the next paragraph."""
    joined: list[list[Span]] = []
    open_ended = False
    for sentences in paragraphs:
        if open_ended:
            joined[-1] = joined[-1] + sentences
        else:
            joined.append(sentences)
        last = text[sentences[-1][0] : sentences[-1][1]].rstrip(_CLOSING)
        question = len(sentences) == 1 and last.endswith(_QUESTION)
        open_ended = last.endswith(_LEADS_IN) or (question and not open_ended)
    return joined


def _measure(
    text: str, spans: list[Span], count_tokens: TokenCounter, max_tokens: int
) -> list[_Unit]:
    """Count the tokens of each span; cut those that have more than ``max_tokens``."""
    units = []
    while spans:
        counts = count_tokens([text[start:end] for start, end in spans])
        pieces: list[Span] = []
        for (start, end), tokens in zip(spans, counts, strict=True):
            if tokens <= max_tokens or end - start == 1:
                units.append(_Unit(start, end, tokens))
            else:
                # Not quite full: pieces differ in length and in tokens per character.
                pieces += cut(text, start, end, math.ceil(tokens / (_FILL * max_tokens)))
        spans = pieces
    return sorted(units)


def _pack(paragraphs: list[list[_Unit]], max_tokens: int) -> list[list[_Unit]]:
    """Group the sentences of a section's paragraphs into passages."""
    small = max_tokens * _SMALL

    def is_small(units: list[_Unit]) -> bool:
        return _size(units) < small

    blocks = [
        block for units in paragraphs for block in _even([[unit] for unit in units], max_tokens)
    ]
    groups: list[list[_Unit]] = []
    for are_small, run in groupby(blocks, key=is_small):
        members = list(run)
        groups += _even(members, max_tokens) if are_small else members
    for merges_left in (True, False):
        packed: list[list[_Unit]] = []
        for group in groups:
            mergeable = packed and is_small(packed[-1] if merges_left else group)
            if mergeable and _size(packed[-1]) + _size(group) <= max_tokens:
                packed[-1] = packed[-1] + group
            else:
                packed.append(group)
        groups = packed
    return groups


def _even(parts: list[list[_Unit]], limit: int) -> Iterator[list[_Unit]]:
    """Join the parts into the fewest runs of at most ``limit`` tokens, as equal as can be."""
    count = len(parts)
    total = [0, *accumulate(map(_size, parts))]
    filled = [max(i + 1, bisect_right(total, total[i] + limit) - 1) for i in range(count)]
    fewest = [0] * (count + 1)
    for i in reversed(range(count)):
        fewest[i] = 1 + fewest[filled[i]]
    start = 0
    for left in range(fewest[0], 0, -1):
        target = total[start] + (total[count] - total[start]) / left
        end = min(bisect_left(total, target, start + 1), filled[start])
        if end - 1 > start and target - total[end - 1] < total[end] - target:
            end -= 1
        while fewest[end] >= left:  # the rest would not fit into the runs that are left
            end += 1
        yield [unit for part in parts[start:end] for unit in part]
        start = end


def _size(units: list[_Unit]) -> int:
    return sum(unit.tokens for unit in units)
