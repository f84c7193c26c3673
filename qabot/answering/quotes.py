"""Hits → quotes with a confidence, or "not in the articles"; pure.

What a quote shows is chosen in whole sentences: round the answer that a reader marked, or round the
sentence most like the question where none has read the passage.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from qabot.answering.confidence import Confidence, packaged
from qabot.answering.copies import Statement
from qabot.answering.lists import with_lists
from qabot.types import Answer, ArticleInfo, Hit, Passage, Quote, Span, page_at

# A quote is read at a glance: about this many characters, unless one sentence alone is longer.
_QUOTE_LENGTH = 400
_LONGEST_QUOTE = 600
# How much holding all of the question's words counts beside similarity in choosing a sentence.
_WORDING = 0.3
# A further quote must have at least this share of the first one's probability.
_LEAST_SHARE = 0.4
# Two quotes whose odds of answering are no further apart than this factor answer equally well, if
# they hold the same share of the question's words.
_AS_LIKELY = 2.7
_SAME_WORDING = 1e-3
# What a reader marks with a margin below this is hardly the answer: the quote stands unmarked.
_LEAST_MARGIN = 0.0
# Articles are suggested instead of quotes where they are this likely to be about the matter.
_LEAST_NEAR = 0.5
_MOST_NEAR = 3


def compose(
    question: str,
    hits: Sequence[Hit],
    *,
    limit: int,
    threshold: float,
    generation: int,
    encoder: str,
    elapsed_ms: float,
    confidence: Confidence | None = None,
) -> Answer:
    """The answer to ``question`` out of ``hits``, best first.

    Args:
        limit: The most quotes to show.
        threshold: Confidence in [0, 1] below which nothing is shown.
        confidence: Tells how likely hits answer; as for the packaged models where not given.
    """
    confidence = confidence or packaged()
    found = confidence.ranked(hits)
    highest = found[0][1] if found else 0.0
    answered = bool(found) and highest >= threshold
    return Answer(
        question=question,
        status="answered" if answered else "not_found",
        confidence=highest,
        quotes=_quotes(found, limit, threshold) if answered else (),
        generation=generation,
        encoder=encoder,
        elapsed_ms=elapsed_ms,
        near=() if answered else _near(hits, confidence),
        calibrated=confidence.fitted,
    )


def _near(hits: Sequence[Hit], confidence: Confidence) -> tuple[ArticleInfo, ...]:
    # What a passage is about is retrieval's to say, even where a reader finds no answer in it.
    topical = confidence.topical(hits)
    articles = {
        hit.article.id: hit.article
        for hit, probability in zip(hits, topical, strict=True)
        if probability >= _LEAST_NEAR
    }
    return tuple(articles.values())[:_MOST_NEAR]


class _Found(NamedTuple):
    """A hit with what would be quoted of it, and what that says."""

    hit: Hit
    probability: float
    core: Span
    quote: Quote
    statement: Statement

    @classmethod
    def of(cls, hit: Hit, probability: float) -> _Found:
        core = _core(hit)
        quote = _quote(hit, core, probability)
        shown = quote.start - hit.passage.start, quote.end - hit.passage.start
        key, answer = _span(hit.passage, core), _marked(hit)
        statement = Statement(hit.passage.text, key, shown, answer)
        return cls(hit, probability, core, quote, statement)

    @property
    def published(self) -> str:
        return self.hit.article.published or ""

    def is_copy_of(self, other: _Found) -> bool:
        """Tell whether both say the same: then one of them is enough to show."""
        same_article = self.hit.article.id == other.hit.article.id
        return self.statement.is_copy_of(other.statement, same_article=same_article)

    def supersedes(self, other: _Found) -> bool:
        """Tell whether this is the newer word on the same matter, and answers as well."""
        return (
            self.published > other.published
            and 1 / _AS_LIKELY <= self._odds() / other._odds() <= _AS_LIKELY
            # Of "5 in 2016" and "7 in 2020", the question may name the year.
            and abs(self._wording() - other._wording()) < _SAME_WORDING
            and self.statement.restates(other.statement)
        )

    def _odds(self) -> float:
        bounded = min(max(self.probability, 1e-9), 1 - 1e-9)
        return bounded / (1 - bounded)

    def _wording(self) -> float:
        return max(self.hit.sentence_lexical_scores[slice(*self.core)])


def _quotes(found: Sequence[tuple[Hit, float]], limit: int, threshold: float) -> tuple[Quote, ...]:
    """The hits that pass ``threshold`` by themselves, as quotes.

    One right quote is worth more than three: one that repeats an answer adds nothing.
    """
    quotes: list[Quote] = []
    # Agencies' texts stand in several articles, edited or not; each is shown once.
    copies: list[list[_Found]] = []
    highest = 1.0
    items = [_Found.of(hit, probability) for hit, probability in found]
    least = max(threshold, _LEAST_SHARE * found[0][1])
    for item in _newer_first(items):
        likely = item.probability >= least
        if likely:
            # What is ranked lower is not shown as the likelier answer.
            highest = min(highest, item.probability)
        quote = replace(item.quote, score=highest)
        place = next((n for n, own in enumerate(copies) if all(map(item.is_copy_of, own))), None)
        if place is not None:
            quotes[place] = _merged(quotes[place], quote)
            copies[place].append(item)
        elif likely and len(quotes) < limit and not _repeats(item, copies):
            # A wrong highlight is worse than none: further quotes mostly support the first.
            doubtful = bool(quotes) and not _is_firm(item.hit)
            quotes.append(replace(quote, highlights=()) if doubtful else quote)
            copies.append([item])
    return tuple(quotes)


def _repeats(item: _Found, shown: Sequence[Sequence[_Found]]) -> bool:
    """Tell whether a shown quote gives the same answer."""
    return any(item.statement.answers_like(own[0].statement) for own in shown)


def _newer_first(found: Sequence[_Found]) -> list[_Found]:
    """``found``, but the newest first of those that rank alike, those without a date last.

    So does what says the same of another number or name, and is about as likely: of two prices,
    the newer.
    """
    alike = groupby(found, key=lambda item: (item.hit.score, item.probability))
    ordered: list[_Found] = []
    for _, items in alike:
        for item in sorted(items, key=lambda item: item.published, reverse=True):
            place = next((n for n, old in enumerate(ordered) if item.supersedes(old)), len(ordered))
            ordered.insert(place, item)
    return ordered


def _is_firm(hit: Hit) -> bool:
    return hit.answer_span is None or hit.answer_span.margin >= _LEAST_MARGIN


def _merged(shown: Quote, again: Quote) -> Quote:
    """One quote for two that say the same: the newer article's, which names the other ones."""
    if (again.article.published or "") > (shown.article.published or ""):
        newer, older = replace(again, score=shown.score), shown
    else:
        newer, older = shown, again
    articles = {info.id: info for info in (*shown.also, *again.also, older.article)}
    articles.pop(newer.article.id, None)
    newest_first = sorted(articles.values(), key=lambda info: info.published or "", reverse=True)
    return replace(newer, also=tuple(newest_first))


def _quote(hit: Hit, core: Span, score: float) -> Quote:
    passage = hit.passage
    marked = _marked(hit) or _span(passage, core)
    start, end = _shown(hit, core, marked)
    begin, stop = max(marked[0], start), min(marked[1], end)
    if begin >= stop:  # Only what lies between two sentences was marked.
        begin, stop = start, end
    return Quote(
        text=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
        highlights=((passage.start + begin, passage.start + stop),),
        score=score,
        heading=passage.headings[-1] if passage.headings else None,
        article=hit.article,
        same_language=hit.same_language,
        page=page_at(hit.pages, passage.start + begin),
    )


def _shown(hit: Hit, core: Span, marked: Span) -> Span:
    """The characters of the passage that a quote shows."""
    passage, window = hit.passage, _window(hit, core)
    start, end = _span(passage, window)
    if end - start > _LONGEST_QUOTE:
        return _shortened(passage.text, (start, end), marked)
    return _span(passage, with_lists(passage, window, core))


def _marked(hit: Hit) -> Span | None:
    """Where a reader marked the answer in the passage."""
    span = hit.answer_span
    return (span.start, span.end) if span and span.start < span.end else None


def _core(hit: Hit) -> Span:
    """The sentences that must be quoted, as numbers, half open: those that hold the answer.

    Where none was marked, it is the one most like the question, also in wording.
    """
    marked = _marked(hit)
    if marked:
        starts = [start for start, _ in hit.passage.sentences]
        return max(0, bisect_right(starts, marked[0]) - 1), max(1, bisect_left(starts, marked[1]))
    scores = [
        similarity + _WORDING * lexical
        for similarity, lexical in zip(
            hit.sentence_similarities, hit.sentence_lexical_scores, strict=True
        )
    ]
    best = max(range(len(scores)), key=scores.__getitem__)
    return best, best + 1


def _window(hit: Hit, core: Span) -> Span:
    """The run of sentences round ``core`` that holds most text like the question and stays short.

    Returns:
        Numbers of sentences, half open.
    """
    sentences, similarities = hit.passage.sentences, hit.sentence_similarities
    # The section's heading stands beside every quote: it is quoted only where it is what answers.
    earliest = 1 if core[0] > 0 and _begins_with_heading(hit.passage) else 0

    def likeness(window: Span) -> float:
        return sum(
            similarities[place] * (sentences[place][1] - sentences[place][0])
            for place in range(*window)
        )

    fitting = [
        (first, stop)
        for first in range(earliest, core[0] + 1)
        for stop in range(core[1], len(sentences) + 1)
        if sentences[stop - 1][1] - sentences[first][0] <= _QUOTE_LENGTH
    ]
    return max(fitting, key=likeness, default=core)


def _begins_with_heading(passage: Passage) -> bool:
    return passage.headings[-1:] == (_text(passage, (0, 1)),)


def _shortened(text: str, span: Span, marked: Span) -> Span:
    """``span``, cut at blanks where a single sentence is longer than anyone reads.

    Where ``marked`` begins stays inside, and all of it if it is no longer than a quote.
    """
    start, end = span
    if end - start <= _LONGEST_QUOTE:
        return span
    spare = max(0, _QUOTE_LENGTH - (marked[1] - marked[0]))
    if marked[1] - start > _LONGEST_QUOTE:
        blank = text.rfind(" ", start, max(start, marked[0] - spare // 2) + 1)
        start = blank + 1 if blank > 0 else max(start, marked[0] - spare // 2)
    if end - start <= _LONGEST_QUOTE:
        return start, end
    blank = text.rfind(" ", start + _QUOTE_LENGTH, start + _LONGEST_QUOTE)
    return start, blank if blank > 0 else start + _LONGEST_QUOTE


def _span(passage: Passage, numbers: Span) -> Span:
    """The characters of the passage from one sentence to another, given by numbers, half open."""
    return passage.sentences[numbers[0]][0], passage.sentences[numbers[1] - 1][1]


def _text(passage: Passage, numbers: Span) -> str:
    start, end = _span(passage, numbers)
    return passage.text[start:end]
