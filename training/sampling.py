"""Paragraphs with questions → training examples: windows that hold the answer, and that don't.

Every question gives one window that holds its answer. On top come windows that don't:

* of the same paragraph, without the answer's sentence;
* of another paragraph that shares much of the question's wording, which is what retrieval would
  rank high (character n-grams, TF-IDF);
* of any other paragraph;
* the right window under a question that was made unanswerable (``training.altering``).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.altering import NAME, altered_question
from training.data import FIRST, LAST, MOST_QUESTION, Encoding, Paragraph, Question

# How often a paragraph's questions are taken in one epoch: Arabic is scarce, and Japanese alone
# would be half of all.
REPEATS = {
    "afriqa-gold": 0.12,
    "amqa": 0.1,
    "arcd": 1.0,
    "cmrc2018-dev": 0.3,
    "cmrc2018-trial": 0.3,
    "condaqa-spans-unknown": 1.0,
    "covid-qa": 0.2,
    "drcd-dev": 0.2,
    "drcd-test": 0.2,
    "enelpi-2020": 0.2,
    "facqa": 0.2,
    "fairytaleqa-verbatim": 0.2,
    "faquad": 0.4,
    "heq": 0.4,
    "iapp-wiki-qa-test": 0.1,
    "iapp-wiki-qa-train": 0.1,
    "iapp-wiki-qa-valid": 0.1,
    "idk-mrc": 0.15,
    "jaquad-dev": 0.0,
    "jaquad-train": 0.04,
    "jsquad-valid-test": 0.1,
    "kazqad-validation": 0.2,
    "mlqa-dev-context-en-question-vi": 1.0,
    "mlqa-dev-context-vi-question-en": 1.0,
    "mlqa-dev-de": 1.0,
    "norquad": 0.2,
    "piaf-v1.0": 0.3,
    "pira": 0.4,
    "policyqa-dev-test": 0.03,
    "pquad-test": 0.1,
    "pquad-validation": 0.1,
    "qamr-dev-test": 0.02,
    "squad-v1.1-pt-sample": 0.3,
    "squad-v1.1-train-part": 0.4,
    "squad-v2-train-part": 0.5,
    "squadshifts-amazon-reviews": 0.12,
    "squadshifts-new-wiki": 0.3,
    "squadshifts-reddit": 0.12,
    "unansq-dev": 0.8,
}
# Of those sets whose questions without an answer are people's own, how often those are taken.
UNANSWERABLE = {
    "condaqa-spans-unknown": 2.0,
    "heq": 1.0,
    "idk-mrc": 0.6,
    "pquad-test": 0.5,
    "pquad-validation": 0.5,
    "unansq-dev": 2.0,
}
# The same for what ``training.crossing`` makes of them: the kind of crossing × the data.
_CROSSED = {"crossed-en-": 1.0, "crossed-es-": 0.8, "crossed-de-": 0.4, "crossed-to-en-": 0.8}
_CROSSED_DATA = {
    "arcd": 2.0,
    "jaquad-train": 0.2,
    "squadshifts-amazon-reviews": 0.4,
    "squadshifts-reddit": 0.5,
}
CROSSED = "crossed-"
# Titles of SQuAD 2.0's training part that are only measured on; every second that has questions
# without an answer.
_HELD_BACK = "squad-v2-train-part"
# How many windows without an answer go with one that has it, by kind.
SAME_PARAGRAPH, SIMILAR, OTHER, ALTERED = 0.16, 0.20, 0.04, 0.10
UNANSWERABLE_REPEATS, CROSSED_UNANSWERABLE_REPEATS = 5, 2
# Of the most similar paragraphs, one of so many is drawn.
_NEAREST = 8
_LEAST_WINDOW, _MOST_WINDOW = 24, 150
# Tokens of title and headings before a window, and how often public sets come without.
MOST_CONTEXT, _BARE = 32, 0.4


@dataclass(slots=True)
class Example:
    """``<s> question </s></s> window </s>``; ``start`` = ``end`` = 0 where there is no answer.

    Attributes:
        ids: Token ids ``(n,)``.
        window: Where the window begins.
        start, end: The answer's first and last token.
    """

    ids: NDArray[np.int32]
    window: int
    start: int
    end: int

    @property
    def answered(self) -> bool:
        """Whether the window answers."""
        return self.end > 0


def held_back(paragraphs: list[Paragraph]) -> set[str]:
    """Titles of SQuAD 2.0's training part that take no part in training."""
    return measured_titles(
        paragraph.title
        for paragraph in paragraphs
        if paragraph.dataset == _HELD_BACK
        and any(question.span is None for question in paragraph.questions)
    )


def measured_titles(titles: Iterable[str]) -> set[str]:
    """Of the titles that have questions without an answer, those that are only measured on."""
    return set(sorted(set(titles))[::2])


class Sampler:
    """Draws one epoch's examples after another."""

    def __init__(
        self, paragraphs: list[Paragraph], encoding: Encoding, seed: int, crossed: float = 1.0
    ) -> None:
        self._random = random.Random(seed)
        self._encoding = encoding
        self._crossed = crossed
        measured = held_back(paragraphs)
        self._paragraphs = [p for p in paragraphs if p.title not in measured and len(p.ids) > 0]
        self._by_language: dict[str, list[Paragraph]] = defaultdict(list)
        for paragraph in self._paragraphs:
            self._by_language[paragraph.language].append(paragraph)
        self._titles: dict[str, list[int]] = {}
        self._names: dict[str, list[str]] = defaultdict(list)
        for paragraph in self._paragraphs:
            if paragraph.language == "en":
                self._names[paragraph.dataset] += NAME.findall(paragraph.text)

    def epoch(self, share: float = 1.0) -> list[Example]:
        """The examples of one pass over the questions, or over a ``share`` of them, shuffled."""
        chosen = [
            (paragraph, question)
            for paragraph in self._paragraphs
            for question in paragraph.questions
            if self._random.random() < share
            for _ in range(self._times(paragraph, question))
        ]
        examples: list[Example] = []
        wanting: dict[str, list[tuple[Paragraph, Question]]] = defaultdict(list)
        for paragraph, question in chosen:
            window = self._window(paragraph, question.span)
            examples.append(self._example(question.ids, paragraph, window, question.span))
            if question.span is None:
                continue
            if self._random.random() < SAME_PARAGRAPH:
                examples += self._same_paragraph(paragraph, question)
            if self._random.random() < OTHER:
                examples += self._elsewhere(
                    question, paragraph, self._random.choice(self._by_language[paragraph.language])
                )
            if self._random.random() < ALTERED * (2 if paragraph.language == "en" else 1):
                examples += self._altered(paragraph, question)
            if self._random.random() < SIMILAR:
                wanting[paragraph.language].append((paragraph, question))
        for language, pairs in wanting.items():
            examples += self._similar(language, pairs)
        self._random.shuffle(examples)
        return examples

    def _times(self, paragraph: Paragraph, question: Question) -> int:
        crossed = paragraph.dataset.startswith(CROSSED)
        wanted = _repeats(paragraph.dataset)
        if question.span is None:
            repeats = UNANSWERABLE.get(paragraph.dataset, UNANSWERABLE_REPEATS)
            wanted = CROSSED_UNANSWERABLE_REPEATS if crossed else repeats
        if crossed:
            wanted *= self._crossed
        return int(wanted) + (self._random.random() < wanted % 1)

    def _window(self, paragraph: Paragraph, span: tuple[int, int] | None) -> tuple[int, int]:
        """A run of whole sentences round ``span``, of a random length, placed at random."""
        room = self._random.randint(_LEAST_WINDOW, _MOST_WINDOW)
        sentences = paragraph.sentences
        if span is None:
            at = self._random.randrange(len(paragraph.ids))
            span = (at, at + 1)
            room = max(room, _MOST_WINDOW * 2 // 3)
        held = [i for i, (a, b) in enumerate(sentences) if a < span[1] and b > span[0]]
        first, last = held[0], held[-1]
        start, end = sentences[first][0], sentences[last][1]
        if end - start > _MOST_WINDOW:
            spare = max(0, _MOST_WINDOW - (span[1] - span[0]))
            start = max(start, span[0] - self._random.randint(0, spare))
            return start, min(end, max(span[1], start + _MOST_WINDOW))
        while True:
            options = []
            if first > 0 and end - sentences[first - 1][0] <= room:
                options.append(-1)
            if last + 1 < len(sentences) and sentences[last + 1][1] - start <= room:
                options.append(1)
            if not options:
                return start, end
            if self._random.choice(options) < 0:
                first -= 1
            else:
                last += 1
            start, end = sentences[first][0], sentences[last][1]

    def _same_paragraph(self, paragraph: Paragraph, question: Question) -> list[Example]:
        assert question.span is not None
        start, end = question.span
        sides = [
            (0, max((a for a, _ in paragraph.sentences if a <= start), default=0)),
            (
                min((b for _, b in paragraph.sentences if b >= end), default=len(paragraph.ids)),
                len(paragraph.ids),
            ),
        ]
        sides = [(a, b) for a, b in sides if b - a >= _LEAST_WINDOW // 2]
        if not sides:
            return []
        a, b = max(sides, key=lambda side: side[1] - side[0])
        at = self._random.randrange(a, b)
        window = self._window(paragraph, (at, at + 1))
        window = (max(a, window[0]), min(b, window[1]))
        return self._without_answer(question, paragraph, window)

    def _elsewhere(self, question: Question, right: Paragraph, other: Paragraph) -> list[Example]:
        if other is right:
            return []
        return self._without_answer(question, other, self._window(other, None))

    def _without_answer(
        self, question: Question, paragraph: Paragraph, window: tuple[int, int]
    ) -> list[Example]:
        text = paragraph.text[
            paragraph.offsets[window[0], 0] : paragraph.offsets[window[1] - 1, 1]
        ].casefold()
        if any(answer.casefold() in text for answer in question.answers):
            return []
        return [self._example(question.ids, paragraph, window, None)]

    def _example(
        self,
        question: list[int],
        paragraph: Paragraph,
        window: tuple[int, int],
        span: tuple[int, int] | None,
    ) -> Example:
        context: list[int] = []
        if paragraph.title and self._random.random() > _BARE:
            title = " ".join(paragraph.title.replace("_", " ").split())
            if title not in self._titles:
                self._titles[title] = self._encoding.ids(title)
            context = self._titles[title]
        return example_of(question, paragraph, window, span, context)

    def _similar(self, language: str, pairs: list[tuple[Paragraph, Question]]) -> list[Example]:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

        others = self._by_language[language]
        vectorizer = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(2, 4),
            n_features=2**18,
            norm=None,
            alternate_sign=False,
            dtype=np.float32,
        )
        weights = TfidfTransformer(sublinear_tf=True)
        documents = weights.fit_transform(vectorizer.transform([p.text for p in others])).T.tocsr()
        examples = []
        for at in range(0, len(pairs), 512):
            part = pairs[at : at + 512]
            queries = weights.transform(vectorizer.transform([q.text for _, q in part]))
            scores = (queries @ documents).toarray()
            best = np.argsort(-scores, axis=1)[:, :_NEAREST]
            for (right, question), rows in zip(part, best, strict=True):
                other = others[int(self._random.choice(rows.tolist()))]
                examples += self._elsewhere(question, right, other)
        return examples

    def _altered(self, paragraph: Paragraph, question: Question) -> list[Example]:
        text = altered_question(
            question.text, paragraph.text, self._names[paragraph.dataset], self._random
        )
        if text is None:
            return []
        ids = self._encoding.ids(text)[:MOST_QUESTION]
        window = self._window(paragraph, question.span)
        return [self._example(ids, paragraph, window, None)]


def _repeats(dataset: str) -> float:
    for kind, share in _CROSSED.items():
        if dataset.startswith(kind):
            return share * _CROSSED_DATA.get(dataset.removeprefix(kind), 1.0)
    return REPEATS[dataset]


def example_of(
    question: list[int],
    paragraph: Paragraph,
    window: tuple[int, int],
    span: tuple[int, int] | None,
    context: Sequence[int] = (),
) -> Example:
    """The example of a question, given by its ids, and the paragraph's tokens in ``window``."""
    if span is not None:
        span = (span[0] - window[0], min(span[1], window[1]) - window[0])
    return with_context(question, context, paragraph.ids[window[0] : window[1]], span)


def with_context(
    question: Sequence[int],
    context: Sequence[int],
    window: NDArray[np.int32],
    span: tuple[int, int] | None,
) -> Example:
    """``<s> question </s></s> context </s> window </s>``; without a context, no ``</s>`` of its.

    Args:
        context: Token ids of the article's title and the section's headings; cut where long.
        span: The answer's tokens in the window, half open; ``None`` where there is none.
    """
    head = [FIRST, *question, LAST, LAST]
    if len(context):
        head += [*context[:MOST_CONTEXT], LAST]
    ids = np.concatenate([head, window, [LAST]]).astype(np.int32)
    start = end = 0
    if span is not None:
        start, end = len(head) + span[0], len(head) + span[1] - 1
    return Example(ids, len(head), start, end)
