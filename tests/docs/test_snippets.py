"""Python and JSON in the documentation: snippets run, examples have the fields that are printed."""

from __future__ import annotations

import json
import re
from typing import Any

import platformdirs
import pytest

from qabot.answering.engine import Engine
from qabot.articles import read_sources
from qabot.evaluation.figures import METRICS
from qabot.evaluation.questions import read_questions
from qabot.render.json import answer_json
from qabot.settings import Settings
from qabot.types import Answer, Article, ArticleInfo, Quote
from tests.docs.support import PAGES, blocks, code, name_of, page, rows
from tests.support import ROOT

SNIPPETS = [
    pytest.param(block, id=f"{name_of(path)}-{number}")
    for path in PAGES
    for number, block in enumerate(blocks(path.read_text("utf-8"), "python"), 1)
]


def shape(value: Any) -> Any:
    """``value`` with the kind of each field instead of what it holds."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "text" if value is None or isinstance(value, str) else type(value).__name__


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_python_runs_and_prints_quotes(snippet, real_index, tmp_path, monkeypatch, capsys):
    (tmp_path / "index").symlink_to(real_index.folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: real_index.cache)
    # The seed articles are not indexed here.
    snippet = snippet.replace("how many GitHub projects use PyTorch?", "how wide is the mirror?")
    exec(compile(snippet, "<snippet>", "exec"), {})
    assert "6.5 metres" in capsys.readouterr().out


def test_the_json_example_has_the_fields_of_an_answer(real_index):
    [example] = blocks(page("answers"), "json")
    with Engine.open(real_index.folder, settings=Settings(cache=str(real_index.cache))) as engine:
        answer = engine.ask("How wide is the mirror of the telescope?", limit=1)
    assert answer.quotes[0].heading
    printed = json.loads(answer_json(answer))
    assert shape(json.loads(example)) == shape(printed)
    assert json.dumps(shape(json.loads(example))) == json.dumps(shape(printed))


def test_fields_that_are_not_in_the_example_are_named():
    info = ArticleInfo("a", "A", "a.pdf", None, None, "en", author="Ann")
    quote = Quote("Yes.", 0, 4, (), 0.9, None, info, also=(info,), page=7)
    printed = json.loads(answer_json(Answer("Is it?", "answered", 0.9, (quote,), 1, "e5", 1.0)))
    [example] = blocks(page("answers"), "json")
    [shown], [full] = json.loads(example)["quotes"], printed["quotes"]
    optional = (full.keys() - shown.keys()) | (full["article"].keys() - shown["article"].keys())
    [sentence] = re.findall(
        r"^Fields that exist only.*?\.$", page("answers"), re.DOTALL | re.MULTILINE
    )
    assert set(code(sentence)) == optional == {"page", "also", "author"}


def test_every_figure_of_an_evaluation_is_explained():
    listed = [name for cells in rows(page("measuring"), "figure") for name in code(cells[0])]
    assert sorted(listed) == sorted(METRICS)


def test_labelled_questions_are_such_as_qabot_takes():
    [example] = blocks(page("measuring"), "json")
    first, second = read_questions(example.splitlines(), "questions.jsonl")
    assert (first.article, second.article) == ("jwst-launch.en", None)
    articles = read_sources([ROOT / "seeds"])
    [article] = [
        item for item in articles if isinstance(item, Article) and item.info.id == first.article
    ]
    assert all(answer in article.text for answer in first.answers)
