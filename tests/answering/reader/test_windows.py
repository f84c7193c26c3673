"""The parts of passages that a reader reads, and the offsets of its marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.reader.base import Window
from qabot.answering.reader.windows import MOST_READ, read_hits, window
from qabot.types import AnswerSpan, ArticleInfo, Hit, Passage

INFO = ArticleInfo("space", "Space", "space.md", None, None, "en")


def hit(texts: Sequence[str], similarities: Sequence[float]) -> Hit:
    """A passage of ``texts`` as sentences, a blank between them."""
    ends = list(accumulate(len(text) + 1 for text in texts))
    spans = tuple((end - len(text) - 1, end - 1) for text, end in zip(texts, ends, strict=True))
    text = " ".join(texts)
    passage = Passage("space", 40, 40 + len(text), text, (), spans)
    zeros = (0.0,) * len(texts)
    return Hit(passage, INFO, 1.0, 0.5, tuple(similarities), zeros, 0.0, same_language=True)


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


class LastWord:
    """A reader that marks the last word of every window, and likes long windows."""

    name = "last word"

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.calls: list[Sequence[Window]] = []

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        self.calls.append(windows)
        return [
            AnswerSpan(text.rfind(" ") + 1, len(text), float(len(text.split())), 0.0)
            for _, text in windows
        ]


words = st.lists(st.sampled_from(["a", "rocket", "宇宙", "🚀"]), min_size=1, max_size=30)
passages = st.lists(st.tuples(words.map(" ".join), st.floats(-1, 1)), min_size=1, max_size=9)


@given(passage=passages, longest=st.integers(1, 60))
def test_a_window_is_a_run_of_whole_sentences_that_is_short_enough(passage, longest):
    found = hit([text for text, _ in passage], [score for _, score in passage])
    start, end = window(found, count_words, longest)
    starts = [start for start, _ in found.passage.sentences]
    ends = [end for _, end in found.passage.sentences]
    assert start in starts
    assert end in ends
    number = ends.index(end) - starts.index(start) + 1
    assert number >= 1
    assert number == 1 or len(found.passage.text[start:end].split()) <= longest


@given(passage=passages)
def test_a_short_passage_is_read_whole(passage):
    found = hit([text for text, _ in passage], [score for _, score in passage])
    assert (0, len(found.passage.text)) == window(found, count_words, 1000)


def test_the_sentence_most_like_the_question_is_read():
    texts = [f"{name} {'word ' * 30}end." for name in "ABCDEF"]
    found = hit(texts, [0.1, 0.1, 0.1, 0.1, 0.8, 0.1])
    start, end = window(found, count_words, 40)
    assert texts[4] == found.passage.text[start:end]


@given(found=st.lists(passages, max_size=MOST_READ + 3), batch_size=st.integers(1, MOST_READ + 2))
def test_what_is_marked_stands_where_the_reader_saw_it(found, batch_size):
    hits = [hit([text for text, _ in item], [score for _, score in item]) for item in found]
    reader = LastWord(batch_size)
    read = read_hits(reader, "who?", hits, count_words, patience=math.inf)
    assert [item.passage for item in hits] == [item.passage for item in read]
    assert all(len(windows) <= batch_size for windows in reader.calls)
    windows = [window for windows in reader.calls for window in windows]
    assert len(windows) == min(len(hits), MOST_READ)
    for seen, item in zip(windows, read, strict=False):
        assert item.answer_span is not None
        marked = item.passage.text[item.answer_span.start : item.answer_span.end]
        assert seen.context == "Space"
        assert seen.text.split()[-1] == marked
    assert all(item.answer_span is None for item in read[MOST_READ:])


@pytest.mark.parametrize(
    ("seconds", "patience", "expected"),
    [
        (10.0, math.inf, MOST_READ),
        (0.05, 0.5, MOST_READ),
        (0.25, 0.5, 4),
        (10.0, 0.5, 2),
        # No group is begun that would end too late.
        (0.05, 0.09, 2),
        (0.05, 0.11, 4),
        (0.05, 0.0, 2),
    ],
)
def test_a_slow_reader_reads_fewer_passages(monkeypatch, seconds, patience, expected):
    """By a clock that moves only while the reader reads, two passages at a time."""
    now = 0.0

    class SlowReader(LastWord):
        def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
            nonlocal now
            now += seconds
            return super().read(question, windows)

    monkeypatch.setattr("time.monotonic", lambda: now)
    hits = [hit(["It was 1969."], [0.5])] * (MOST_READ + 1)
    read = read_hits(SlowReader(2), "when?", hits, count_words, patience=patience)
    assert len(hits) == len(read)
    spans = [item.answer_span is not None for item in read]
    assert spans == [True] * expected + [False] * (len(hits) - expected)


def test_in_a_hurry_windows_are_short():
    hits = [hit([f"{name} {'word ' * 20}end." for name in "ABCDEF"], [0.5] * 6)]
    lengths = []
    for patience in (math.inf, 0.0):
        reader = LastWord(1)
        read_hits(reader, "who?", hits, count_words, patience=patience)
        [[seen]] = reader.calls
        lengths.append(len(seen.text.split()))
    assert lengths == [5 * 22, 2 * 22]
