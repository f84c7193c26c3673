"""Files of labelled questions: what they say, and faults named by file and line."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from qabot.articles import read_sources
from qabot.errors import UsageError
from qabot.evaluation import Labelled, check_labels, read_questions
from qabot.types import Article, ArticleInfo

SEEDS = Path(__file__).parents[2] / "seeds"
INFO = ArticleInfo("space", "Space", "space.md", None, None, "en")


def test_labels_are_read_line_by_line():
    lines = [
        '{"question": "Wie groß?", "article": "space", "answers": ["6.5 m"], "language": "de"}',
        "",
        '{"question": "why?", "article": null, "answers": [], "language": "en", "id": 7}',
        '{"question": "when?", "answers": ["2021"]}',
        '{"question": "quando?", "language": "pt-BR"}',
        '{"question": "why?", "why": "cause"}',
    ]
    assert [
        Labelled("Wie groß?", "space", ("6.5 m",), "de", "q.jsonl, line 1"),
        Labelled("why?", None, (), "en", "q.jsonl, line 3"),
        Labelled("when?", None, ("2021",), "und", "q.jsonl, line 4"),
        Labelled("quando?", None, (), "pt", "q.jsonl, line 5"),
        Labelled("why?", None, (), "und", "q.jsonl, line 6", why="cause"),
    ] == read_questions(lines, "q.jsonl")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"question": "why?"', "line 2: not JSON (Expecting ',' delimiter: line 1"),
        ('["why?"]', "line 2: not an object; write "),
        ("{}", "line 2: no question; give its text as question"),
        ('{"question": "  "}', "line 2: no question; give its text as question"),
        ('{"question": 7}', "line 2: no question; give its text as question"),
        ('{"question": "why?", "article": 7}', "line 2: article is 7; give a text, or null"),
        ('{"question": "why?", "article": ""}', "line 2: article is ''; give a text, or null"),
        ('{"question": "why?", "language": []}', "line 2: language is []; give a text, or null"),
        (
            '{"question": "why?", "language": "\\u001b[31m"}',
            "line 2: language is '\\x1b[31m'; give a code, such as 'de'",
        ),
        ('{"question": "why?", "answers": "x"}', "line 2: answers is 'x'; give a list of texts"),
        ('{"question": "why?", "answers": [" "]}', "line 2: answers is [' ']; give a list of"),
        (
            '{"question": "why?", "answer": ["x"]}',
            "line 2: unknown field 'answer'; call it 'answers'",
        ),
        ('{"question": "why?", "why": 7}', "line 2: why is 7; give a text, or null"),
        (
            '{"question": "why?", "article": "x", "why": "detail"}',
            "line 2: why is 'detail', but an answer is labelled; why is for questions without one",
        ),
    ],
)
def test_a_line_that_is_no_labelled_question_is_named(line, complaint):
    with pytest.raises(UsageError) as raised:
        read_questions(['{"question": "why?"}', line], "q.jsonl")
    assert str(raised.value).startswith(f"q.jsonl, {complaint}")


def test_a_file_without_a_question_is_refused():
    with pytest.raises(UsageError, match=r"^q\.jsonl: holds no question; put one JSON object on"):
        read_questions(["", " "], "q.jsonl")


@pytest.mark.parametrize(
    ("article", "answer", "complaint"),
    [
        ("moon", "gold", "q.jsonl, line 1: index holds no article 'moon'; `qabot articles`"),
        (
            "space",
            "silver",
            "q.jsonl, line 1: the answer 'silver' does not stand in the article 'space'; give it",
        ),
    ],
)
def test_a_label_that_no_answer_could_meet_is_named(article, answer, complaint):
    line = json.dumps({"question": "why?", "article": article, "answers": [answer]})
    with pytest.raises(UsageError) as raised:
        check_labels(read_questions([line], "q.jsonl"), {"space": INFO}, lambda _: "gold", "index")
    assert str(raised.value).startswith(complaint)


def test_an_answer_may_be_broken_over_lines_in_the_article():
    line = '{"question": "why?", "article": "space", "answers": ["it is gold"]}'
    questions = read_questions([line], "q.jsonl")
    check_labels(questions, {"space": INFO}, lambda _: "for it\nis  golden", "index")


# --- The questions that come with the seeds -------------------------------------------------------


@pytest.fixture(scope="module")
def seeds() -> dict[str, Article]:
    articles = [item for item in read_sources([SEEDS]) if isinstance(item, Article)]
    return {article.info.id: article for article in articles}


@pytest.fixture(scope="module")
def questions() -> list[Labelled]:
    path = SEEDS / "questions.jsonl"
    return read_questions(path.read_text("utf-8").split("\n"), "questions.jsonl")


def test_the_seeds_questions_are_no_article(seeds):
    assert "questions" not in seeds
    assert all(article.info.source.endswith(".md") for article in seeds.values())


def test_the_seeds_questions_are_answered_in_the_seeds(seeds, questions):
    infos = {name: article.info for name, article in seeds.items()}
    check_labels(questions, infos, lambda name: seeds[name].text, "seeds")
    for question in questions:
        assert bool(question.answers) == (question.article is not None)
    assert {question.article for question in questions} == {*seeds, None}


def test_the_seeds_questions_are_mixed_as_they_should_be(seeds, questions):
    count = len(questions)
    assert len({question.question for question in questions}) == count >= 120
    languages = Counter(question.language for question in questions)
    assert sum(times >= 10 for times in languages.values()) >= 6
    across = [
        question
        for question in questions
        if question.article and seeds[question.article].info.language != question.language
    ]
    assert len(across) >= count / 3
    assert sum(not question.answerable for question in questions) >= count / 4
