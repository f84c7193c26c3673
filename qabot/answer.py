"""Hits → quotes with a confidence, or "not in the articles"; pure.

The confidence is a logistic regression over what retrieval measured for a passage, fitted on
XQuAD-R in all pairs of five languages, with half of the articles left out of the index, so that
half of the questions have no answer there (``benchmarks/retrieval.py --calibrate`` prints the
weights). Words count only within a language: there, a passage that shares none of the question's
words hardly answers it, while across languages that says nothing.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from qabot.types import Answer, ArticleInfo, Hit, Passage, Quote, Span

_INTERCEPT, _SIMILARITY, _SENTENCE = -20.7, 20.4, 23.2
_SAME_LANGUAGE, _COVERAGE = -4.4, 16.1
# A quote is read at a glance: about this many characters, unless one sentence alone is longer.
_QUOTE_LENGTH = 400
_LONGEST_QUOTE = 600
# How much holding all of the question's words counts beside similarity in choosing a sentence.
_WORDING = 0.3
# Further quotes must have at least this share of the first one's probability.
_LEAST_SHARE = 0.25
# Articles are suggested instead of quotes where one would have this share of the threshold.
_LEAST_NEAR = 0.4
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
) -> Answer:
    """The answer to ``question`` out of ``hits``, best first.

    Args:
        limit: The most quotes to show.
        threshold: Confidence in [0, 1] below which nothing is shown.
    """
    confidence = probability(hits[0]) if hits else 0.0
    found = bool(hits) and confidence >= threshold
    return Answer(
        question=question,
        status="answered" if found else "not_found",
        confidence=confidence,
        quotes=_quotes(hits, limit, confidence * _LEAST_SHARE) if found else (),
        generation=generation,
        encoder=encoder,
        elapsed_ms=elapsed_ms,
        near=() if found else _near(hits, threshold * _LEAST_NEAR),
    )


def probability(hit: Hit) -> float:
    """The probability, in [0, 1], that the passage answers the question."""
    logit = _INTERCEPT + _SIMILARITY * hit.similarity + _SENTENCE * max(hit.sentence_similarities)
    if hit.same_language:
        logit += _SAME_LANGUAGE + _COVERAGE * hit.coverage
    return 1 / (1 + math.exp(-logit))


def _near(hits: Sequence[Hit], least: float) -> tuple[ArticleInfo, ...]:
    articles = {hit.article.id: hit.article for hit in hits if probability(hit) >= least}
    return tuple(articles.values())[:_MOST_NEAR]


def _quotes(hits: Sequence[Hit], limit: int, least: float) -> tuple[Quote, ...]:
    quotes: list[Quote] = []
    seen: set[str] = set()
    highest = 1.0
    for hit in hits:
        score = probability(hit)
        if len(quotes) == limit:
            break
        if score < least:
            continue
        # Retrieval compares passages better than their probabilities do, which are calibrated apart
        # for one language and across: what it ranks lower is not the likelier answer.
        highest = min(highest, score)
        quote = _quote(hit, highest)
        # Agencies' texts stand in several articles; the same words are shown once.
        key = _folded(quote.text)
        if key not in seen:
            seen.add(key)
            quotes.append(quote)
    return tuple(quotes)


def _quote(hit: Hit, score: float) -> Quote:
    passage = hit.passage
    key = _key_sentence(hit)
    start, end = _shortened(passage.text, _window(hit, key))
    begin, stop = passage.sentences[key]
    highlight = (passage.start + begin, passage.start + min(stop, end))
    return Quote(
        text=passage.text[start:end],
        start=passage.start + start,
        end=passage.start + end,
        highlights=(highlight,),
        score=score,
        heading=passage.headings[-1] if passage.headings else None,
        article=hit.article,
        same_language=hit.same_language,
    )


def _key_sentence(hit: Hit) -> int:
    """The sentence most like the question, in meaning and in wording."""
    scores = [
        similarity + _WORDING * coverage
        for similarity, coverage in zip(
            hit.sentence_similarities, hit.sentence_coverages, strict=True
        )
    ]
    return max(range(len(scores)), key=scores.__getitem__)


def _window(hit: Hit, key: int) -> Span:
    """The run of sentences round ``key`` that holds most text like the question and stays short."""
    sentences, similarities = hit.passage.sentences, hit.sentence_similarities
    # The section's heading stands beside every quote: it is quoted only where it is what answers.
    earliest = 1 if key > 0 and _begins_with_heading(hit.passage) else 0

    def likeness(first: int, last: int) -> float:
        return sum(
            similarities[place] * (sentences[place][1] - sentences[place][0])
            for place in range(first, last + 1)
        )

    fitting = [
        (first, last)
        for first in range(earliest, key + 1)
        for last in range(key, len(sentences))
        if sentences[last][1] - sentences[first][0] <= _QUOTE_LENGTH
    ]
    first, last = max(fitting, key=lambda window: likeness(*window), default=(key, key))
    return sentences[first][0], sentences[last][1]


def _begins_with_heading(passage: Passage) -> bool:
    start, end = passage.sentences[0]
    return passage.headings[-1:] == (passage.text[start:end],)


def _shortened(text: str, span: Span) -> Span:
    """``span``, cut at a blank where a single sentence is longer than anyone reads."""
    start, end = span
    if end - start <= _LONGEST_QUOTE:
        return span
    blank = text.rfind(" ", start + _QUOTE_LENGTH, start + _LONGEST_QUOTE)
    return start, blank if blank > 0 else start + _LONGEST_QUOTE


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
