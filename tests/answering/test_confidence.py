"""How hits are ordered and how sure an answer is, with a reader and without."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.confidence import features, packaged
from qabot.types import AnswerSpan, ArticleInfo, Hit, Passage

INFO = ArticleInfo("space", "Space", "space.md", None, None, "en")


def hit(similarity: float = 0.5, margin: float | None = None, text: str = "It was 1969.") -> Hit:
    passage = Passage("space", 0, len(text), text, (), ((0, len(text)),))
    span = None if margin is None else AnswerSpan(7, 11, margin, margin / 3)
    return Hit(passage, INFO, 2 * similarity, similarity, (similarity,), (0.0,), 0.5, True, span)


cosines = st.floats(-1, 1)
margins = st.floats(-30, 30)


@given(similarities=st.lists(cosines, max_size=8))
def test_without_a_reader_the_order_of_retrieval_stays(similarities):
    hits = [hit(similarity) for similarity in similarities]
    assert hits == [found for found, _ in packaged().ranked(hits)]


@given(found=st.lists(st.tuples(cosines, margins), max_size=8), unread=st.integers(0, 3))
def test_what_was_read_is_ordered_by_its_probability_and_stands_first(found, unread):
    hits = [hit(similarity, margin) for similarity, margin in found]
    rest = [hit(0.9)] * unread
    order = packaged().ranked([*hits, *rest])
    shown = [probability for _, probability in order[: len(hits)]]
    assert sorted(shown, reverse=True) == shown
    assert [item for item, _ in order[len(hits) :]] == rest
    assert all(0 <= probability <= 1 for _, probability in order)


@given(similarity=cosines, margin=st.floats(-16, 15), more=st.floats(0.5, 1))
def test_a_reader_that_is_surer_raises_the_probability(similarity, margin, more):
    low, high = (packaged().probabilities([hit(similarity, m)])[0] for m in (margin, margin + more))
    assert low < high or math.isclose(low, high, abs_tol=1e-9)


def test_a_reader_that_finds_nothing_at_all_does_not_break_the_sum():
    assert 0 <= packaged().probabilities([hit(0.5, -math.inf), hit(0.4, 3.0)])[0] <= 1


@pytest.mark.parametrize("kind", ["retrieval", "reader"])
def test_the_fitted_models_know_their_features(kind):
    row = features([hit(margin=1.0)])[0]
    model = packaged().models[kind]
    assert set(model.weights) <= set(row)
    assert math.isfinite(model.logit(row))
