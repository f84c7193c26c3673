"""Articles with questions → the windows that a reader learns from."""

from __future__ import annotations

import gzip
import hashlib
import json
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from qabot.encoders.e5.packaged import unpack
from qabot.encoders.language_subspace import LanguageSubspace
from tests.support import HashingEncoder
from training.collection import (
    SHA_DIGITS,
    WRITTEN,
    WRITTEN_ANEW,
    Collection,
    asked_anew,
    gather,
    near_topic,
)
from training.data import LAST, Encoding
from training.near_topic import CollectionSampler

CLUB = (
    "The club was founded in 1921. Its rooms are in Mill Street. Ada Brown leads it today. "
    "Members pay 40 euros a year. Children pay nothing. The library opens on Fridays."
)
BRIDGE = "The bridge is 55 metres long. It was opened in 1890. Iron came from Wales."
ANSWERS = {"Who is in charge?": "Ada Brown", "How much is it?": "40 euros", "Length?": "55 metres"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One near-topic article, and a paragraph of a public set with written questions."""
    asked = [
        {"q": question, "language": "en", "answers": [ANSWERS[question]]}
        for question in ("Who is in charge?", "How much is it?")
    ]
    asked.append({"q": "Who founded it?", "language": "en", "answers": [], "why": "other"})
    row = {"id": "club", "language": "en", "title": "A club", "text": CLUB, "questions": asked}
    with gzip.open(tmp_path / "articles.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    public = {"language": "en", "title": "Bridge", "context": BRIDGE, "questions": []}
    with gzip.open(tmp_path / "public.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps(public) + "\n")
    sha = hashlib.sha256(BRIDGE.encode()).hexdigest()[:SHA_DIGITS]
    new = [{"q": "Length?", "language": "en", "answers": ["55 metres"]}]
    rows = [{"set": "public", "sha": sha, "questions": new}]
    rows.append({"set": "public", "sha": "0" * SHA_DIGITS, "questions": new})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "questions.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def encode(collection: Collection) -> None:
    """Encode it without a model."""
    encoder = HashingEncoder()
    nothing = np.zeros(encoder.dimension, np.float32)
    none = np.zeros((0, encoder.dimension), np.float32)
    languages = np.array([], str)
    collection.encode(
        encoder, LanguageSubspace(nothing, nothing, none, languages, np.zeros((0, 0), np.float32))
    )


def test_windows_hold_the_answer_or_stand_beside_it(data, model_cache):
    folder = unpack(model_cache).folder
    encoding, tokenizer = Encoding(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    anew = asked_anew(data / "questions.jsonl.gz", data)
    collection = gather(chain(near_topic(data / "articles.jsonl.gz"), anew), [], 0)
    assert [q.text for q in collection.questions] == [
        *list(ANSWERS)[:2],
        "Who founded it?",
        "Length?",
    ]
    encode(collection)
    sampler = CollectionSampler(collection, encoding, seed=3)
    seen = set()
    for _ in range(30):
        for example in sampler.epoch():
            ids = example.ids.tolist()
            question = tokenizer.decode(ids[1 : ids.index(LAST)])
            window = tokenizer.decode(ids[example.window : -1])
            answer = ANSWERS.get(question)
            marked = tokenizer.decode(ids[example.start : example.end + 1]) if example.end else None
            assert marked in (None, answer)
            assert (answer is not None and answer in window) == (marked is not None)
            seen.add((question, marked is not None, window in CLUB, window in BRIDGE))
    # The answer is there, or beside it, or the window is of the other article.
    for question in ("Who is in charge?", "How much is it?"):
        assert {answered for q, answered, *_ in seen if q == question} == {True, False}
        assert (question, False, True, False) in seen
    assert not any(answered for q, answered, *_ in seen if q == "Who founded it?")


def test_the_articles_written_last_are_taken_more_often(data, model_cache):
    written = near_topic(data / "articles.jsonl.gz", WRITTEN_ANEW)
    collection = gather(chain(near_topic(data / "articles.jsonl.gz"), written), [], 0)
    encode(collection)
    sampler = CollectionSampler(collection, Encoding(unpack(model_cache).folder), seed=3)
    # Each of two questions has one window with its answer, each time.
    for latest, times, answered in ((0, 3, 4), (1, 3, 8), (2, 3, 8)):
        found = sampler.epoch(latest=latest, times=times)
        assert sum(example.answered for example in found) == answered


def test_what_is_written_for_training_has_its_answers():
    """Articles that come with the code: each answer stands in its text, and half have none."""
    collection = gather(near_topic(WRITTEN / "articles.jsonl.gz"), [], 0)
    assert len(collection.articles) > 300
    assert len({article.info.id for article in collection.articles}) == len(collection.articles)
    with gzip.open(WRITTEN / "articles.jsonl.gz", "rt", encoding="utf-8") as file:
        asked = sum(len(json.loads(line)["questions"]) for line in file)
    # A question is dropped where its answer is not in the text as it is read.
    assert len(collection.questions) > 0.99 * asked
    answered = np.mean([bool(question.spans) for question in collection.questions])
    assert 0.45 < answered < 0.6
