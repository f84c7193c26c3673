"""Choosing the best span of a window, and trimming it to the answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from qabot.answering.reader.base import LONGEST_SPAN, best_span, blocks_of, trimmed

logits = st.floats(-15, 15, width=32)


@given(
    scores=st.integers(4, 60).flatmap(lambda n: arrays.arrays(np.float32, (n, 2), elements=logits)),
    data=st.data(),
)
def test_no_other_span_of_a_block_scores_higher(scores, data):
    first = data.draw(st.integers(1, len(scores) - 1))
    stop = data.draw(st.integers(first + 1, len(scores)))
    blocks = sorted(
        data.draw(st.lists(st.integers(0, 3), min_size=stop - first, max_size=stop - first))
    )
    start, end, margin = best_span(scores, first, blocks)
    every = {
        (a, b): scores[a, 0] + scores[b - 1, 1]
        for a in range(first, stop)
        for b in range(a + 1, min(stop, a + LONGEST_SPAN) + 1)
        if blocks[a - first] == blocks[b - 1 - first]
    }
    assert (start, end) in every
    assert max(every.values()) == every[start, end]
    assert margin == pytest.approx(every[start, end] - scores[0, 0] - scores[0, 1], abs=1e-4)


def test_headings_and_paragraphs_are_blocks_of_their_own():
    text = "A heading\n\nA line\nthat goes on.\n \nAnother."
    places = [text.index(word) for word in ("A h", "heading", "A line", "that", "Another")]
    assert [0, 0, 1, 1, 2] == blocks_of(text, places)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" 1960. ", "1960"),
        ("“Apollo”", "“Apollo”"),
        ("“Apollo", "Apollo"),
        ("the crew (three men)", "the crew (three men)"),
        ("(three men), and", "(three men), and"),
        ("three men),", "three men"),
        ("-5 °C", "-5 °C"),
        ("– the crew", "the crew"),
        ("50 %", "50 %"),
        ("$ 3.5", "$ 3.5"),
        ("「はやぶさ２」。", "「はやぶさ２」"),
        ("『はやぶさ", "はやぶさ"),
        ("؟مصر،", "مصر"),
        ("»Ja«", "»Ja«"),
        ("C++", "C++"),
        ("...", ""),
        ("", ""),
    ],
)
def test_blanks_and_marks_round_an_answer_go(text, answer):
    start, end = trimmed(text, 0, len(text))
    assert answer == text[start:end]


@given(text=st.text(st.sampled_from(" .,()“”«»'\"-–ab1宇مé\n"), max_size=30), data=st.data())
def test_what_is_trimmed_lies_inside_and_is_trimmed_for_good(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    begin, stop = trimmed(text, start, end)
    assert start <= begin <= stop <= end
    assert (begin, stop) == trimmed(text, begin, stop)
    # No letter or digit is ever lost.
    lost = text[start:begin] + text[stop:end]
    assert not any(character.isalnum() for character in lost)
    assert text[begin:stop] == text[begin:stop].strip()
