"""Near-topic questions: figures worked by hand, and the command on two articles."""

from __future__ import annotations

import gzip
import json
import sys

import pytest

from benchmarks import near_topic
from benchmarks.near_topic_data import Item, Row, load, sample
from benchmarks.near_topic_figures import Setting

ARTICLES = [
    {
        "id": "mill",
        "language": "en",
        "title": "The old mill",
        "text": "The old mill opens in May.\n\nA ticket costs four euros.",
        "questions": [
            {"q": "When does the old mill open?", "language": "en", "answers": ["in May"]},
            {"q": "Was kostet eine Karte?", "language": "de", "answers": ["four euros"]},
            {"q": "Who built the old mill?", "language": "en", "answers": [], "why": "property"},
        ],
    },
    {
        "id": "pool",
        "language": "en",
        "title": "The pool",
        "text": "The pool is closed on Mondays.",
        "questions": [
            {"q": "When is the pool closed?", "language": "en", "answers": ["on Mondays"]},
            {"q": "Why is the pool closed?", "language": "en", "answers": [], "why": "cause"},
        ],
    },
]


def row(
    confidence: float,
    held: tuple[bool, ...] = (),
    *,
    why: str = "",
    across: bool = False,
    overlap: float = 0.0,
) -> Row:
    """A question with an answer, or without one for the reason ``why``."""
    item = Item("?", "a", "de" if across else "en", "en", () if why else ("x",), why)
    return Row(item, confidence, held, (confidence,) * len(held), overlap, 10 * len(held))


def test_every_figure_worked_by_hand():
    setting = Setting.of(
        [
            row(0.9, (True, False), overlap=0.5),
            row(0.7, (False, True, False), across=True),
            row(0.2),
            row(0.8, (False,), why="detail"),
            row(0.1, why="cause", across=True),
        ]
    )
    assert {
        "questions": 5,
        "answerable": 3,
        # 0.9 beats both, 0.7 and 0.2 beat 0.1 only.
        "auroc": 4 / 6,
        "answered_with": 2 / 3,
        "answered_without": 1 / 2,
        "first": 1 / 3,
        "any": 2 / 3,
        "precision": 2 / 6,
        "quotes": 2,
        "f1": 0.5 / 3,
        "calibration_answerable": (0.1 + 0.3 + 0.8 + 0.8 + 0.1) / 5,
        "calibration_first": (0.1 + 0.7 + 0.8) / 3,
        # Of 0.9 one in two holds an answer, of 0.7 one in three, of 0.8 none.
        "calibration_quotes": (0.8 + 1.1 + 0.8) / 6,
        "median_ms": 10,
    } == pytest.approx(dict(setting.every))
    assert (setting.one_language["auroc"], setting.across_languages["auroc"]) == (1 / 2, 1)
    assert {
        "detail": {"questions": 1, "auroc": 1 / 3, "answered": 1},
        "cause": {"questions": 1, "auroc": 1, "answered": 0},
    } == {kind: pytest.approx(figures) for kind, figures in setting.kinds.items()}


def test_a_part_without_questions_has_no_figures():
    setting = Setting.of([row(0.9, (True,))])
    assert setting.every["auroc"] is None
    assert setting.across_languages["first"] is None


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "dev.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as target:
        target.writelines(json.dumps(article) + "\n" for article in ARTICLES)
    return path


def test_a_sample_is_the_same_for_the_same_seed(file):
    items = [item for article in load(file) for item in article.items]
    assert sample(items, 3, 1) == sample(items, 3, 1) != sample(items, 3, 2)
    assert sorted(sample(items, 9, 1), key=items.index) == items


def test_the_command_asks_in_both_settings(file, tmp_path, real_index, monkeypatch, capsys):
    monkeypatch.setenv("QABOT_CACHE", str(real_index.cache))
    chat = tmp_path / "chat"
    chat.mkdir()
    for name, text, kind in [
        ("noquestion", "thanks a lot", "thanks"),
        ("shortquestion", "old mill opens", "question"),
    ]:
        line = json.dumps({"text": text, "language": "en", "kind": kind})
        (chat / f"{name}.jsonl").write_text(line + "\n")
    figures = tmp_path / "figures.json"
    arguments = ["--no-reader", "--threshold", "0", "--chat", chat, "--json", figures]
    arguments += ["--seeds", tmp_path / "work" / "articles", "--work", tmp_path / "work"]
    monkeypatch.setattr(sys, "argv", ["near_topic", str(file), *map(str, arguments)])
    near_topic.main()
    out, err = capsys.readouterr()
    found = json.loads(figures.read_text())
    # Nothing is refused at a threshold of 0, and each answer stands in its article's only passage.
    for name in ("own", "all"):
        every = found[name]["every"]
        assert (every["questions"], every["answerable"]) == (5, 3)
        assert (every["answered_with"], every["answered_without"]) == (1, 1)
        assert found[name]["across_languages"]["questions"] == 1
    assert (found["own"]["every"]["first"], found["own"]["every"]["any"]) == (1, 1)
    assert list(found["own"]["kinds"]) == ["cause", "property"]
    assert found["retrieval"]["6"] == 1
    # Thanks are not looked up.
    assert found["chat"] == {"noquestion": 0, "thanks": 0, "shortquestion": 1}
    assert "| first quote holds the answer | 1.000 |" in out
    assert "own: 5 of 5\n" in err
