"""The confidence that an index's owner fits, and what is said where nobody did."""

from __future__ import annotations

import json
import os

import pytest
from sklearn.metrics import roc_auc_score

from qabot.answering.engine import Engine
from qabot.answering.fitted import FILE, save
from qabot.errors import DamagedIndexError, UsageError
from qabot.evaluation import Labelled, calibrate
from qabot.index import IndexStore
from qabot.render.json import answer_object
from qabot.settings import Settings
from tests.support import HashingEncoder, build_index, write_article

THINGS = ("mirror", "rocket", "volcano", "harbour", "orchard", "glacier", "viaduct")
ASKED = ("How wide is the {}?", "Tell me the width of the {}.", "{} width?")


@pytest.fixture
def store(tmp_path):
    for number, thing in enumerate(THINGS, 2):
        text = f"The width of the {thing} is {number} metres. Many people visit it in summer."
        write_article(tmp_path / "articles", thing, text)
    build_index(tmp_path / "index", tmp_path / "articles")
    return IndexStore(tmp_path / "index")


def engine(store: IndexStore, encoder: HashingEncoder | None = None) -> Engine:
    return Engine(store, encoder or HashingEncoder(), Settings(threshold=0.0))


def questions() -> list[Labelled]:
    asked: list[tuple[str, str | None, tuple[str, ...]]] = [
        (ask.format(thing), thing, (f"{number} metres",))
        for number, thing in enumerate(THINGS, 2)
        for ask in ASKED
    ]
    asked += [(f"Who wrote {number} songs about trains?", None, ()) for number in range(21)]
    return [Labelled(text, name, answers, "en", "q.jsonl") for text, name, answers in asked]


def test_of_another_model_the_confidence_is_said_to_be_uncalibrated_until_it_is_fitted(store):
    with engine(store) as before:
        answer = before.ask("How wide is the volcano?")
        assert not answer.calibrated
        assert answer_object(answer).index.calibrated is False
        models = calibrate(before, questions(), where="index")
        save(store.folder, before.encoder, before.reader, models)
    with engine(store) as after:
        answers = [after.ask(question.question) for question in questions()]
        assert all(answer.calibrated for answer in answers)
    shares = [answer.confidence for answer in answers]
    # 21 of each: what was fitted tells them apart, and means what it says.
    assert roc_auc_score([True] * 21 + [False] * 21, shares) > 0.98
    assert sum(shares) == pytest.approx(21, abs=4)


def test_what_was_fitted_survives_a_rebuild_and_serves_no_other_model(store, tmp_path):
    with engine(store) as fitting:
        save(store.folder, fitting.encoder, None, calibrate(fitting, questions(), where="index"))
    write_article(tmp_path / "articles", "news", "The tunnel is open.")
    build_index(store.folder, tmp_path / "articles")
    with engine(store) as same:
        assert same.ask("How wide is the tunnel?").calibrated
    other = HashingEncoder("other", "a fingerprint of its own")
    build_index(store.folder, tmp_path / "articles", encoder=other)
    with engine(store, other) as another:
        assert not another.ask("How wide is the tunnel?").calibrated


def test_too_few_questions_fit_nothing(store):
    with engine(store) as asked, pytest.raises(UsageError, match="at least 20 of each"):
        calibrate(asked, questions()[:30], where="index")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(store):
    os.mkfifo(store.folder / FILE)
    with pytest.raises(DamagedIndexError) as caught:
        engine(store)
    assert str(caught.value) == (
        f"{store.folder / FILE}: cannot be read (not a regular file); remove it, and fit it again "
        "by `qabot eval FILE --calibrate`"
    )


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"models": {}}', json.dumps({"models": {"retrieval": {"weights": {"x": 1}}}})],
)
def test_a_damaged_file_is_named_with_the_remedy(store, content):
    (store.folder / FILE).write_text(content)
    with pytest.raises(DamagedIndexError, match=r"confidence\.json: cannot be read .*--calibrate"):
        engine(store)
