"""A collection → training examples: the windows that retrieval shows for each question.

Every question comes with windows of its own article and of others, chosen as the product chooses
them: passages by the similarity of their vectors, and in them the run of sentences that is most
like the question. That is what a reader has to tell apart, so that is what it is trained on:

* a question that its article answers: the window with the answer, another window of the same
  article, one of the same passage beside the answer, and one of another article that retrieval
  ranks high;
* a question that its article does not answer: the windows of it that look most like an answer, and
  one of another article.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from qabot.answering.reader.windows import context_of, runs
from qabot.types import Passage, Span
from training.collection import Collection, Question
from training.data import MOST_QUESTION, Encoding, token_span
from training.sampling import Example, with_context

# Tokens of a window: small ones are read of many passages, large ones of the best.
LIMITS = (40, 56, 56, 72, 96, 128)
# How many other windows go with a question that is answered: of other passages of its article, of
# the answer's passage, and of other articles.
SAME_ARTICLE, SAME_PASSAGE, OTHER_ARTICLE = 0.5, 0.3, 0.5
# The windows of its article that a question gets which that does not answer, and how often one of
# another article comes on top.
UNANSWERED, UNANSWERED_ELSEWHERE = (1, 2), 0.35
# A window of another article is one of so many that retrieval ranks first there.
_NEAREST = 16
_SHARPNESS = 12.0
# How often windows come without title and headings, so that a reader does not lean on them.
_BARE = 0.15
# How often an answer stands at random in its window, not in the run of sentences most like the
# question: as windows without one are cut.
_ANYWHERE = 0.4


@dataclass(slots=True)
class _Choice:
    """A window to make an example of."""

    question: int
    passage: int
    limit: int
    answered: bool


class CollectionSampler:
    """Draws one epoch's examples after another from a collection."""

    def __init__(self, collection: Collection, encoding: Encoding, seed: int) -> None:
        self.collection = self._collection = collection
        self._encoding = encoding
        self._random = random.Random(seed)
        self._of_article: dict[int, list[int]] = defaultdict(list)
        for row, owner in enumerate(collection.owners.tolist()):
            self._of_article[owner].append(row)
        clusters = {name: number for number, name in enumerate(dict.fromkeys(collection.clusters))}
        self._cluster = np.array([clusters[name] for name in collection.clusters])
        texts = [p.text[a:b] for p in collection.passages for a, b in p.sentences]
        self._tokens = np.array([len(e.ids) for e in encoding.batch(texts)], np.int64)
        self._questions = [
            e.ids[:MOST_QUESTION] for e in encoding.batch([q.text for q in collection.questions])
        ]
        self._contexts = [
            context_of(collection.articles[owner].info.title, passage)
            for owner, passage in zip(collection.owners.tolist(), collection.passages, strict=True)
        ]
        self._context_ids = [e.ids for e in encoding.batch(self._contexts)]

    def epoch(
        self, known: float = 1.0, paragraphs: float = 1.0, latest: int = 0, times: int = 1
    ) -> list[Example]:
        """The examples of one pass over the questions, shuffled.

        Args:
            known: Share of the near-topic data's questions to take.
            paragraphs: Share of the public sets' paragraphs whose questions are taken, so that
                pairs stay together.
            latest: How many of the articles that were written last are taken more than once.
            times: How often their questions are taken, in other windows each time.
        """
        choices = []
        articles = range(len(self._collection.articles))
        written = [number for number in articles if self._collection.is_written(number)]
        again = set(written[max(0, len(written) - latest) :])
        left_out = {
            number
            for number in articles
            if self._collection.is_paragraph(number) and self._random.random() >= paragraphs
        }
        for number, question in enumerate(self._collection.questions):
            if question.article in left_out or self._collection.is_held_back(question.article):
                continue
            if self._collection.is_known(question.article) and self._random.random() >= known:
                continue
            for _ in range(times if question.article in again else 1):
                choices += list(self._choices(number, question))
        self._random.shuffle(choices)
        return list(self.examples(choices))

    def all_windows(self, number: int, limit: int) -> list[_Choice]:
        """One window of each passage of a question's article."""
        question = self._collection.questions[number]
        return [
            _Choice(number, row, limit, self._answer(question, row) is not None)
            for row in self._of_article[question.article]
        ]

    def examples(self, choices: list[_Choice], bare: float = _BARE) -> Iterator[Example]:
        """Examples of ``choices``, in order."""
        windows = [self._window(choice) for choice in choices]
        passages = [self._collection.passages[choice.passage] for choice in choices]
        encoded = self._encoding.batch(
            [p.text[start:end] for p, (start, end) in zip(passages, windows, strict=True)]
        )
        for choice, passage, window, ids in zip(choices, passages, windows, encoded, strict=True):
            question = self._collection.questions[choice.question]
            span = None
            answer = self._answer(question, choice.passage) if choice.answered else None
            offsets = np.array(ids.offsets, np.int32).reshape(-1, 2)
            if answer is not None:
                begin = answer[0] - passage.start - window[0]
                span = token_span(offsets, begin, begin + answer[1] - answer[0])
            context = [] if self._random.random() < bare else self._context_ids[choice.passage]
            yield with_context(
                self._questions[choice.question], context, np.array(ids.ids, np.int32), span
            )

    def _choices(self, number: int, question: Question) -> Iterator[_Choice]:
        mine = self._of_article[question.article]
        order = sorted(mine, key=lambda row: -self._score(number, row))
        right = [row for row in mine if self._answer(question, row) is not None]
        limit = self._random.choice
        if not question.spans:
            most = self._random.choice(UNANSWERED)
            for row in order[:most]:
                yield _Choice(number, row, limit(LIMITS), False)
            if self._random.random() < UNANSWERED_ELSEWHERE:
                yield _Choice(number, self._elsewhere(number, question), limit(LIMITS), False)
            return
        if not right:
            return
        yield _Choice(number, right[0], limit(LIMITS), True)
        if self._random.random() < SAME_PASSAGE and any(
            self._beside(question, right[0], LIMITS[0])
        ):
            yield _Choice(number, right[0], limit(LIMITS), False)
        others = [row for row in order if row not in right]
        if others and self._random.random() < SAME_ARTICLE:
            chosen = others[0] if self._random.random() < 0.6 else self._random.choice(others)
            yield _Choice(number, chosen, limit(LIMITS), False)
        if self._random.random() < OTHER_ARTICLE:
            yield _Choice(number, self._elsewhere(number, question), limit(LIMITS), False)

    def _elsewhere(self, number: int, question: Question) -> int:
        found = self._collection.vectors @ self._collection.queries[number]
        cluster = self._cluster[question.article]
        found[self._cluster[self._collection.owners] == cluster] = -1.0
        nearest = np.argsort(-found)[:_NEAREST]
        return int(self._random.choice(nearest.tolist()))

    def _score(self, number: int, row: int) -> float:
        query = self._collection.queries[number]
        return float(self._collection.vectors[row] @ query + self._likeness(number, row).max())

    def _likeness(self, number: int, row: int) -> NDArray[np.float32]:
        first, last = self._collection.bounds[row : row + 2]
        found: NDArray[np.float32] = (
            self._collection.sentences[first:last] @ self._collection.queries[number]
        )
        return found

    def _answer(self, question: Question, row: int) -> Span | None:
        """The first answer that lies in a passage of the question's article."""
        passage = self._collection.passages[row]
        if self._collection.owners[row] != question.article:
            return None
        for start, end in question.spans:
            if passage.start <= start and end <= passage.end:
                return start, end
        return None

    def _beside(self, question: Question, row: int, limit: int) -> Iterator[Span]:
        """Yield runs of sentences of a passage, by number, that touch no answer."""
        passage = self._collection.passages[row]
        mine = self._collection.owners[row] == question.article
        taken = {number for span in question.spans for number in _touched(passage, span) if mine}
        counts = self._counts(row)
        for free, block in groupby(range(len(counts)), key=lambda number: number not in taken):
            numbers = list(block)
            if free:
                for first, last in runs([counts[number] for number in numbers], limit):
                    yield numbers[first], numbers[last]

    def _counts(self, row: int) -> list[int]:
        """Tokens of each sentence of a passage."""
        first, last = self._collection.bounds[row : row + 2]
        found: list[int] = self._tokens[first:last].tolist()
        return found

    def _window(self, choice: _Choice) -> Span:
        """The run of sentences most like the question; with the answer, or beside it."""
        question = self._collection.questions[choice.question]
        row, passage = choice.passage, self._collection.passages[choice.passage]
        answer = self._answer(question, row) if choice.answered else None
        # An answer's sentence is not always the one most like the question, and a reader must not
        # learn from its place in the window that it answers.
        anywhere = answer is not None and self._random.random() < _ANYWHERE
        likeness = np.exp(_SHARPNESS * (self._likeness(choice.question, row) - 1.0)).tolist()

        def worth(run: Span) -> float:
            return self._random.random() if anywhere else sum(likeness[run[0] : run[1] + 1])

        if answer is None:
            found, otherwise = list(self._beside(question, row, choice.limit)), (0, 0)
        else:
            touched = _touched(passage, answer)
            otherwise = touched[0], touched[-1]
            found = [
                (first, last)
                for first, last in runs(self._counts(row), choice.limit)
                if first <= touched[0] and touched[-1] <= last
            ]
        first, last = max(found, key=worth, default=otherwise)
        return passage.sentences[first][0], passage.sentences[last][1]


def _touched(passage: Passage, span: Span) -> list[int]:
    """Numbers of the sentences of ``passage`` that characters of its article touch."""
    start, end = span[0] - passage.start, span[1] - passage.start
    return [i for i, (a, b) in enumerate(passage.sentences) if a < end and b > start]
