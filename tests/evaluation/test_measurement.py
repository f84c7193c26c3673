"""Outcomes → figures, worked by hand; their intervals; two measurements side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.errors import UsageError
from qabot.evaluation import METRICS, compare, measure, read_bounds
from tests.evaluation.support import ANSWERABLE, answerable, unanswerable

LABEL = ANSWERABLE.label


def values(outcomes, threshold=0.5):
    return {name: figure.value for name, figure in measure(outcomes, threshold).figures.items()}


def test_every_figure_worked_by_hand():
    outcomes = [
        answerable(),
        answerable(
            articles=("x", "y", "right"),
            passages=("a", "right"),
            quotes=(False, True),
            exact=0.0,
            f1=0.5,
            confidence=0.6,
        ),
        # Right, but not shown.
        answerable(confidence=0.4),
        # Nothing right anywhere.
        answerable(articles=("x",), passages=(), quotes=(), exact=0.0, f1=0.0, confidence=0.7),
        unanswerable(),
        unanswerable(confidence=0.8),
    ]
    assert {
        "article_recall@1": 2 / 4,
        "article_recall@3": 3 / 4,
        "article_recall@10": 3 / 4,
        "article_mrr@10": (1 + 1 / 3 + 1) / 4,
        "passage_recall@1": 2 / 4,
        "passage_recall@3": 3 / 4,
        "passage_recall@10": 3 / 4,
        "passage_mrr@10": (1 + 1 / 2 + 1) / 4,
        "quote_hit@1": 1 / 4,
        "quote_hit@3": 2 / 4,
        # Of the second one, both quotes are shown.
        "quote_precision": (1 + 1) / (1 + 2 + 1),
        "highlight_exact": 1 / 4,
        "highlight_f1": (1 + 0.5) / 4,
        # 0.8 beats all but 0.9, 0.2 beats none.
        "auroc": (4 + 1) / 8,
        "accuracy": 4 / 6,
        "answered": 3 / 4,
        "rejected": 1 / 2,
        "wrongly_answered": 1 / 2,
        # Right down to 0.9; then 0.8 and 0.7 are wrong, 0.6 and 0.4 right, 0.2 wrong.
        "risk_area": (0 + 1 / 2 + 2 / 3 + 2 / 4 + 2 / 5 + 3 / 6) / 6,
        # One question a bin: 0.9, 0.6, 0.4 and 0.7 are so, 0.2 and 0.8 are not.
        "calibration_error": (0.1 + 0.4 + 0.6 + 0.3 + 0.2 + 0.8) / 6,
    } == pytest.approx(values(outcomes))


def test_a_quote_is_shown_for_its_own_score():
    outcome = answerable(quotes=(False, True, True), scores=(0.9, 0.6, 0.4))
    assert (0.0, 1.0, 1 / 2) == tuple(
        values([outcome])[name] for name in ("quote_hit@1", "quote_hit@3", "quote_precision")
    )
    # The second one holds an answer, but only the first is shown.
    assert (0.0, 0.0) == tuple(
        values([outcome], threshold=0.7)[name] for name in ("quote_hit@3", "quote_precision")
    )


def test_quotes_have_no_precision_where_none_is_shown():
    figure = measure([answerable(confidence=0.1)], 0.5).figures["quote_precision"]
    assert (figure.value, figure.low, figure.high, figure.count) == (None, None, None, 0)


def test_ranks_beyond_ten_count_as_nothing():
    ranked = tuple(f"x{number}" for number in range(9))
    tenth = answerable(articles=(*ranked, "right"))
    assert (1.0, 0.1) == (
        values([tenth])["article_recall@10"],
        values([tenth])["article_mrr@10"],
    )


def test_what_labels_do_not_tell_is_left_open():
    only_article = answerable(label=replace(LABEL, answers=()), passages=None, exact=None, f1=None)
    only_answers = answerable(label=replace(LABEL, article=None), articles=None)
    measured = measure([only_article, only_answers], 0.5)
    assert {name: figure.count for name, figure in measured.figures.items()} == {
        **dict.fromkeys(METRICS, 2),
        **{name: 1 for name in METRICS if name.startswith(("article_", "passage_", "highlight_"))},
        "rejected": 0,
        "wrongly_answered": 0,
    }
    rejected = measured.figures["rejected"]
    assert (None, None, None) == (rejected.value, rejected.low, rejected.high)
    assert measured.figures["auroc"].value is None


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.1, 0.45, 0.5, 0.8, 1.0]), st.booleans()),
        min_size=1,
        max_size=15,
    )
)
def test_figures_lie_in_their_intervals_and_between_0_and_1(rows):
    outcomes = [
        (answerable if has_answer else unanswerable)(confidence=confidence, quotes=(right,))
        for has_answer, confidence, right in rows
    ]
    measured = measure(outcomes, 0.5)
    for figure in measured.figures.values():
        if figure.value is not None:
            assert figure.low is not None
            assert figure.high is not None
            assert 0 <= figure.low <= figure.high <= 1
            assert 0 <= figure.value <= 1
    assert measured.risk[-1].coverage == 1
    assert sum(part.count for part in measured.calibration) == len(rows)


def test_the_interval_of_a_share_is_about_that_of_the_normal_distribution():
    outcomes = [answerable(quotes=(number % 4 > 0,)) for number in range(400)]
    figure = measure(outcomes, 0.5).figures["quote_hit@1"]
    half = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert figure.value == 0.75
    assert pytest.approx([0.75 - half, 0.75 + half], abs=0.006) == [figure.low, figure.high]


def test_the_same_outcomes_give_the_same_figures():
    outcomes = [answerable(), answerable(quotes=(False,)), unanswerable()]
    one, two = measure(outcomes, 0.5), measure(outcomes, 0.5)
    assert one.figures == two.figures
    assert one.groups == two.groups


def test_questions_are_grouped_by_their_languages():
    outcomes = [
        answerable(),
        answerable(label=replace(LABEL, language="de"), quotes=(False,)),
        answerable(label=replace(LABEL, language="de"), answered_in="ja"),
        answerable(label=replace(LABEL, language="de")),
        unanswerable(),
    ]
    assert [
        ("one language", 1, 1.0),
        ("across languages", 3, pytest.approx(2 / 3)),
        ("no article", 1, None),
        ("de → en", 2, 0.5),
        ("de → ja", 1, 1.0),
        ("en → en", 1, 1.0),
        ("en → none", 1, None),
    ] == [
        (group.name, group.count, group.figures["quote_hit@1"].value)
        for group in measure(outcomes, 0.5).groups
    ]


def test_questions_without_an_answer_are_grouped_by_kind():
    def of(why, confidence):
        label = replace(unanswerable().label, why=why)
        return unanswerable(label=label, confidence=confidence)

    outcomes = [
        answerable(confidence=0.7),
        answerable(confidence=0.9),
        of("detail", 0.8),
        of("detail", 0.3),
        of("cause", 0.4),
        unanswerable(confidence=0.95),
    ]
    # "detail" loses to 0.9 twice and to 0.7 once.
    assert [("cause", 1, 1.0, 0.0), ("detail", 2, 3 / 4, 1 / 2)] == [
        (
            kind.name,
            kind.count,
            kind.figures["auroc"].value,
            kind.figures["wrongly_answered"].value,
        )
        for kind in measure(outcomes, 0.5).kinds
    ]
    assert measure([answerable(), unanswerable()], 0.5).kinds == ()


# --- Two measurements -----------------------------------------------------------------------------


def test_a_difference_in_every_question_is_more_than_chance():
    worse = measure([answerable(quotes=(False,), f1=0.4)] * 20 + [unanswerable()] * 5, 0.5)
    better = measure([answerable(f1=0.6)] * 20 + [unanswerable()] * 5, 0.5)
    differences = compare(worse, better)
    hit, agreement = differences["quote_hit@1"], differences["highlight_f1"]
    assert (1.0, 1.0, 1.0, True) == (hit.value, hit.low, hit.high, hit.significant)
    assert pytest.approx(0.2) == agreement.value
    same = differences["article_recall@1"]
    assert (0.0, 0.0, 0.0, 1.0, False) == (
        same.value,
        same.low,
        same.high,
        same.p,
        same.significant,
    )


def test_differences_are_paired():
    # One question in ten got better and none worse: over independent resamples of figures that vary
    # from 0.3 to 0.7, that would be lost in the noise.
    def run(right):
        return measure([answerable(quotes=(number in right,)) for number in range(60)], 0.5)

    difference = compare(run(range(30)), run(range(36)))["quote_hit@1"]
    assert pytest.approx(0.1) == difference.value
    assert difference.low is not None
    assert difference.low > 0
    assert difference.significant


def test_as_many_gains_as_losses_are_chance():
    def run(right):
        return measure([answerable(quotes=(number in right,)) for number in range(40)], 0.5)

    difference = compare(run(range(20)), run(range(20, 40)))["quote_hit@1"]
    assert difference.value == 0
    assert difference.p is not None
    assert difference.p > 0.5
    assert not difference.significant


def test_a_figure_that_one_side_lacks_has_no_difference():
    alone, both = measure([answerable()], 0.5), measure([unanswerable()], 0.5)
    assert compare(alone, both)["rejected"].value is None


def test_resamples_are_drawn_with_replacement():
    samples = measure([answerable(f1=0.0), answerable(f1=1.0)], 0.5).samples["highlight_f1"]
    assert [0.0, 0.5, 1.0] == np.unique(samples).tolist()


# --- Bounds ---------------------------------------------------------------------------------------


def test_a_bound_is_met_by_what_is_not_below_it():
    figures = measure([answerable(), answerable(quotes=(False,))], 0.5).figures
    met, missed = read_bounds(["quote_hit@1=0.5", "quote_hit@1 = .51"])
    assert met.problem(figures) is None
    assert missed.problem(figures) == "quote_hit@1 is 0.5000, below 0.51"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("auroc", "--min auroc: no value; write METRIC=VALUE, such as auroc=0.8"),
        ("recall=1", "--min recall=1: no such metric; there are article_recall@1, "),
        ("=1", "--min =1: no such metric; there are article_recall@1, "),
        ("auroc=high", "--min auroc=high: 'high' is not a number; write one, such as 0.8"),
        ("auroc=nan", "--min auroc=nan: 'nan' is not a number; write one, such as 0.8"),
        ("auroc=", "--min auroc=: '' is not a number; write one, such as 0.8"),
        ("risk_area=1", "--min risk_area=1: less is better there; bound one of article_recall@1"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused(text, complaint):
    with pytest.raises(UsageError) as raised:
        read_bounds([text])
    assert str(raised.value).startswith(complaint)


def test_a_bound_on_what_no_question_tells_is_refused():
    (bound,) = read_bounds(["auroc=0.5"])
    with pytest.raises(UsageError, match="--min auroc: no question defines this figure"):
        bound.problem(measure([answerable()], 0.5).figures)
