"""Questions put to a real engine, and how what comes back is judged."""

from __future__ import annotations

import json

import pytest

from qabot.answering.engine import Engine
from qabot.evaluation import Outcome, ask_all, read_questions
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.support import HashingEncoder, build_index, write_article


@pytest.fixture
def ask(tmp_path):
    """Asks an index of three articles whose vectors count words; labels as keywords."""
    write_article(
        tmp_path / "articles",
        "telescope",
        "The mirror of the telescope is 6.5 metres wide.\n\n## Rocket\n\nThe rocket was an Ariane.",
    )
    write_article(tmp_path / "articles", "volcano", "The volcano threw lava into the sea.")
    write_article(tmp_path / "articles", "mirror", "The mirror of the hall is 6.5 metres wide.")
    build_index(tmp_path / "index", tmp_path / "articles")
    store = IndexStore(tmp_path / "index")

    with Engine(store, HashingEncoder(), Settings(threshold=0.0)) as engine:

        def run(**label: object) -> Outcome:
            questions = read_questions([json.dumps(label)], "q.jsonl")
            (outcome,) = ask_all(engine, questions, where="index")
            return outcome

        yield run


def test_a_right_answer_is_ranked_first_and_quoted(ask):
    outcome = ask(
        question="The rocket was what?", article="telescope", answers=["Ariane"], language="en"
    )
    assert outcome.articles == ("right", *outcome.articles[1:])
    assert set(outcome.articles[1:]) == {"article mirror", "article volcano"}
    assert outcome.passages[0] == "right"
    assert outcome.quotes[0] is True
    assert outcome.answered_in == "en"
    assert outcome.elapsed_ms > 0
    # The highlight is the sentence "The rocket was an Ariane.", of which articles don't count.
    assert (outcome.exact, outcome.f1) == (0.0, 2 * 1 / (3 + 1))


def test_the_same_words_in_another_article_are_not_right(ask):
    question = "The mirror of the hall is how wide?"
    right = ask(question=question, article="mirror", answers=["6.5 metres"])
    wrong = ask(question=question, article="telescope", answers=["6.5 metres"])
    assert (right.articles[0], right.passages[0], right.quotes[0]) == ("right", "right", True)
    assert (wrong.articles[0], wrong.passages[0], wrong.quotes[0]) == (
        "article mirror",
        "passage 1",
        False,
    )
    assert wrong.passages.count("right") == 1


def test_without_an_article_every_passage_with_the_answer_counts_but_only_once(ask):
    outcome = ask(question="The mirror is how wide?", answers=["6.5 metres wide"])
    assert (outcome.articles, outcome.answered_in) == (None, None)
    # The second one holds the answer, too.
    assert outcome.passages[:2] == ("right", "passage 2")
    assert outcome.passages.count("right") == 1
    assert outcome.quotes[0] is True


def test_without_answers_every_quote_of_the_article_is_right(ask):
    outcome = ask(question="The volcano threw what?", article="volcano")
    assert outcome.articles[0] == "right"
    assert outcome.quotes[0] is True
    assert (outcome.passages, outcome.exact, outcome.f1) == (None, None, None)


def test_no_quote_is_right_where_nothing_answers(ask):
    outcome = ask(question="The rocket was what?")
    assert outcome.quotes
    assert not any(outcome.quotes)
    assert 0 <= outcome.confidence <= 1
