"""Checking saved answers: what stands verbatim passes, whatever was tampered with is named."""

from __future__ import annotations

import copy
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot import cli
from qabot.answering.engine import Engine
from qabot.errors import UsageError
from qabot.evaluation.verify import check_answers, read_answers
from qabot.index import IndexStore
from qabot.render.json import answer_json
from qabot.settings import Settings
from qabot.types import Article, ArticleInfo
from tests.support import HashingEncoder, build_index, rocket_index, write_article

TEXT = "One. The answer, 🚀 and all! Three."
INFO = ArticleInfo("space", "Space", "space.md", None, None, "en")
ANSWER = {
    "question": "why?",
    "quotes": [
        {
            "text": TEXT[5:27],
            "start": 5,
            "end": 27,
            "highlights": [[5, 15], [17, 27]],
            "article": {"id": "space"},
        }
    ],
}


def find(name: str) -> Article | None:
    return Article(INFO, TEXT) if name == "space" else None


def problem(change) -> str | None:
    """The problems found in the answer after ``change`` was applied to its quote."""
    answer = copy.deepcopy(ANSWER)
    change(answer["quotes"][0])
    (check,) = check_answers([answer], find)
    assert (check.question, check.quote) == ("why?", 1)
    return check.problem


# --- Quotes ---------------------------------------------------------------------------------------


def test_a_verbatim_quote_passes():
    assert problem(lambda quote: None) is None


def test_a_quote_stands_on_the_page_that_it_names():
    saved: Any = copy.deepcopy(ANSWER)
    saved["quotes"][0]["page"] = 2
    elsewhere = "it is not on page 2"
    for pages, expected in (
        ((0, 5), None),
        ((0, 26), None),
        ((0, 27), elsewhere),
        ((0, 3, 5), elsewhere),
        ((), elsewhere),
    ):
        article = Article(INFO, TEXT, pages=pages)
        (check,) = check_answers([saved], {INFO.id: article}.__getitem__)
        assert check.problem == expected


@pytest.mark.parametrize(
    "change",
    [
        {"text": TEXT[5:26] + "?"},
        {"text": TEXT[5:27].upper()},
        {"text": TEXT[5:27].replace(", 🚀", " 🚀")},
        {"text": TEXT[5:27] + " "},
        {"text": "e\u0301".join(TEXT[5:27].split("e"))},
        {"text": ""},
        {"start": 4},
        {"start": 0, "end": 22},
        {"end": 28},
        {"end": 10**30},
        {"start": 27, "end": 5, "text": "", "highlights": []},
        {"start": 7, "end": 7, "text": "", "highlights": []},
        {"start": 5, "end": 999, "text": TEXT[5:]},
    ],
)
def test_another_text_or_place_is_named(change):
    start, end = change.get("start", 5), change.get("end", 27)
    assert f"characters {start} to {end} of the article are different" == (
        problem(lambda quote: quote.update(change))
    )


@pytest.mark.parametrize(
    "highlights", [[[0, 10]], [[5, 28]], [[20, 10]], [[5, 10], [26, 30]], [[28, 30]]]
)
def test_a_highlight_outside_the_quote_is_named(highlights):
    assert (
        problem(lambda quote: quote.update(highlights=highlights))
    ) == "a highlight lies outside the quote"


def test_an_article_that_the_index_lacks_is_named():
    assert (
        problem(lambda quote: quote["article"].update(id="Space"))
    ) == "the index holds no such article"


@pytest.mark.parametrize("field", ["text", "start", "end", "article"])
def test_a_missing_field_is_named(field):
    assert (
        problem(lambda quote: quote.pop(field))
    ) == "lacks text, start, end, highlights or article.id"


@pytest.mark.parametrize(
    "change",
    [
        {"article": {}},
        {"article": "space"},
        {"article": None},
        {"article": ["id"]},
        {"highlights": None},
        {"highlights": [5, 10]},
        {"highlights": [[5]]},
        {"highlights": [[5, 10, 15]]},
    ],
)
def test_a_field_of_another_shape_is_named(change):
    assert (
        problem(lambda quote: quote.update(change))
    ) == "lacks text, start, end, highlights or article.id"


@pytest.mark.parametrize("change", [{"text": 7}, {"text": None}, {"article": {"id": 7}}])
def test_what_should_be_text_is_named(change):
    assert problem(lambda quote: quote.update(change)) == "text and article.id are not text"


@pytest.mark.parametrize(
    "change",
    [
        {"start": -1},
        {"start": "5"},
        {"end": 27.0},
        {"end": None},
        {"start": True},
        {"highlights": [["a", "b"]]},
        {"highlights": [[5.5, 6]]},
        {"highlights": ["ab"]},
    ],
)
def test_what_should_be_an_offset_is_named(change):
    assert (
        problem(lambda quote: quote.update(change))
    ) == "an offset is not a whole number from 0 up"


@pytest.mark.parametrize("quote", [None, 7, "text", [], {}, [[]]])
def test_a_quote_that_is_no_quote_is_named(quote):
    (check,) = check_answers([{"quotes": [quote]}], find)
    assert check.problem == "lacks text, start, end, highlights or article.id"


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30),
    start=st.integers(-3, 35),
    end=st.integers(-3, 35),
    quoted=st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.none(),
)
def test_exactly_the_verbatim_passes(text, start, end, quoted):
    quoted = text[max(start, 0) : max(end, 0)] if quoted is None else quoted
    quote = {"text": quoted, "start": start, "end": end, "article": {"id": "any"}}
    (check,) = check_answers([{"quotes": [quote]}], lambda name: Article(INFO, text))
    verbatim = 0 <= start < end <= len(text) and text[start:end] == quoted
    assert verbatim == (check.problem is None)


# --- Files ----------------------------------------------------------------------------------------


def test_answers_stand_one_a_line_or_over_many():
    pretty = json.dumps(ANSWER, indent=2)
    lines = [json.dumps(ANSWER), "", *pretty.split("\n"), json.dumps(ANSWER) + json.dumps(ANSWER)]
    assert read_answers(lines, "file") == [ANSWER] * 4


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "file: empty"),
        (" \n\t\n", "file: empty"),
        ("garbage", "file, line 1: not JSON"),
        ('{"quotes": []}\n\n{"quotes": [}', "file, line 3: not JSON"),
        ('{"quotes": [', "file, line 1: not JSON"),
        ("[" * 100_000, "file, line 1: not JSON"),
        ("9" * 10_000, "file, line 1: not JSON"),
        ("[]", "file: an answer without the field quotes"),
        ("null", "file: an answer without the field quotes"),
        ('"quotes"', "file: an answer without the field quotes"),
        ("{}", "file: an answer without the field quotes"),
        ('{"quotes": {}}', "file: an answer without the field quotes"),
        ('{"quotes": [], "question": "\\ud800"}', "file: holds half of a surrogate pair"),
    ],
)
def test_a_file_that_holds_no_answers_is_told_in_one_line(content, complaint):
    with pytest.raises(UsageError) as caught:
        read_answers(content.split("\n"), "file")
    message = str(caught.value)
    assert message.startswith(complaint)
    assert message.endswith("; save what `qabot ask --json` prints")
    assert len(message.splitlines()) == 1


@given(st.text(max_size=40))
def test_any_file_is_read_or_refused(content):
    complaint, answers = "file", []
    try:
        answers = read_answers(content.split("\n"), "file")
    except UsageError as error:
        complaint = str(error)
    assert complaint.startswith("file")
    assert all(isinstance(answer["quotes"], list) for answer in answers)


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path) -> Path:
    return rocket_index(tmp_path)


@pytest.fixture
def verify(capsys, monkeypatch, index):
    """Runs ``qabot verify``; exit code, output and complaint."""

    def run(*arguments: str | Path, stdin: bytes = b"") -> tuple[int, str, str]:
        command = ["qabot", "verify", *map(str, arguments), "--index", str(index)]
        monkeypatch.setattr(sys, "argv", command)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert isinstance(stop.value.code, int)
        return stop.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def saved(index, tmp_path: Path) -> Path:
    """A file with an answer of two quotes."""
    settings = Settings(threshold=0.0, quotes=2)
    with Engine(IndexStore(index), HashingEncoder(), settings) as engine:
        answer = engine.ask("What flew to Mars?")
    assert len(answer.quotes) == 2
    path = tmp_path / "answer.json"
    path.write_text(answer_json(answer), "utf-8")
    return path


def test_what_was_answered_is_verbatim(verify, saved):
    assert verify(saved) == (0, "2 of 2 quotes are verbatim\n", "")
    assert verify("-", stdin=saved.read_bytes()) == (0, "2 of 2 quotes are verbatim\n", "")


def test_tampering_is_named_with_its_place(verify, saved):
    content = json.loads(saved.read_text("utf-8"))
    content["quotes"][1]["start"] += 1
    saved.write_text(json.dumps(content), "utf-8")
    code, out, err = verify(saved)
    named, count = out.splitlines()
    assert (code, err) == (1, "")
    assert named.startswith("'What flew to Mars?', quote 2 (")
    assert named.endswith(" of the article are different")
    assert count == "1 of 2 quotes are verbatim"


def test_json_has_a_line_for_each_quote(verify, saved):
    content = json.loads(saved.read_text("utf-8"))
    content["quotes"][0]["text"] += "!"
    saved.write_text(json.dumps(content), "utf-8")
    code, out, err = verify(saved, "--json")
    first, second = map(json.loads, out.splitlines())
    assert (code, err) == (1, "")
    assert list(first) == ["question", "quote", "article", "problem", "verbatim"]
    assert (
        first["quote"],
        first["verbatim"],
        second["quote"],
        second["verbatim"],
    ) == (1, False, 2, True)
    assert second["problem"] is None


def test_an_article_that_changed_since_is_noticed(verify, saved, index):
    name = json.loads(saved.read_text("utf-8"))["quotes"][0]["article"]["id"]
    write_article(index.parent / "articles", name, "Another text.")
    build_index(index, index.parent / "articles")
    code, out, _ = verify(saved)
    assert code == 1
    assert out.endswith("1 of 2 quotes are verbatim\n")


def test_an_answer_without_quotes_is_no_fault(verify, tmp_path):
    (tmp_path / "none.json").write_text('{"status": "not_found", "quotes": []}')
    assert verify(tmp_path / "none.json") == (0, "0 of 0 quotes are verbatim\n", "")


def test_what_could_steer_a_terminal_is_escaped(verify, tmp_path):
    quote = {"text": "x", "start": 0, "end": 1, "article": {"id": "\x1b[2J\n"}}
    content = {"question": "\x1b]0;owned\x07", "quotes": [quote]}
    (tmp_path / "hostile.json").write_text(json.dumps(content))
    code, out, _ = verify(tmp_path / "hostile.json")
    assert code == 1
    assert out.count("\n") == 2
    assert out.replace("\n", "").isprintable()


def test_a_line_separator_inside_a_quote_is_no_line(verify, tmp_path):
    # Valid in JSON as it is, and a line's end for str.splitlines().
    (tmp_path / "answer.json").write_text('{"question": "a\u2028b", "quotes": []}', "utf-8")
    assert verify(tmp_path / "answer.json")[0] == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\x89PNG\r\n\x1a\n", "not UTF-8 text; convert it"),
        ('{"quotes": []}'.encode("utf-16"), "not UTF-8 text; convert it"),
        (b"", "empty; save what `qabot ask --json` prints"),
        (b"<html>", "not JSON ("),
        (b"\0\0", "not JSON ("),
    ],
)
def test_garbage_is_told_in_one_line(verify, tmp_path, content, complaint):
    path = tmp_path / "garbage"
    path.write_bytes(content)
    code, out, err = verify(path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"qabot: {path}")
    assert complaint in err


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_told_in_one_line(verify, name):
    code, out, err = verify(name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"qabot: {name}: ")
