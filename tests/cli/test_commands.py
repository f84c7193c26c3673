"""The command line: what it prints, and the exit code of everything that can go wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import typer

import qabot
from qabot import cli, errors
from qabot.bot.store.state import State, state_path
from qabot.text import UNPRINTABLE
from tests.bot.test_state import RECORD
from tests.support import (
    build_index,
    clean_environment,
    run_python,
    run_qabot,
    write_article,
)

COMMANDS = {"rebuild", "ask", "repl", "bot", "feedback"}
COMMANDS |= {"articles", "show", "verify", "eval", "rollback", "doctor", "mcp"}
HEAVY = ("numpy", "faiss", "onnxruntime", "torch", "sentence_transformers", "discord", "watchfiles")
LAUNCH = "When was the James Webb telescope launched?"
OFF_TOPIC = "Which spices belong in a Thai green curry?"


@pytest.fixture
def ask(call, real_index, monkeypatch):
    """Asks the index that the packaged model made."""
    monkeypatch.setenv("QABOT_CACHE", str(real_index.cache))

    def run(*arguments: str | Path, stdin: bytes = b"") -> Any:
        return call("ask", *arguments, "--index", real_index.folder, stdin=stdin)

    return run


def texts_of(call, index: Path) -> dict[str, str]:
    """Article id → text, as ``show --json`` prints it."""
    names = [line["id"] for line in call("articles", "--json", "--index", index).objects]
    return {name: call("show", name, "--json", "--index", index).object["text"] for name in names}


def assert_contract(answer: dict[str, Any], texts: dict[str, str]) -> None:
    """The exact output that other programs rely on."""
    assert list(answer) == ["question", "status", "confidence", "quotes", "index", "elapsed_ms"]
    assert answer["status"] in {"answered", "not_found"}
    assert (answer["status"] == "answered") == bool(answer["quotes"])
    assert 0 <= answer["confidence"] <= 1
    assert answer["index"] == {"generation": 1, "encoder": "multilingual-e5-small"}
    assert answer["elapsed_ms"] > 0
    for quote in answer["quotes"]:
        assert list(quote) == ["text", "start", "end", "highlights", "score", "heading", "article"]
        article = quote["article"]
        assert list(article) == ["id", "title", "source", "url", "published", "language"]
        assert texts[article["id"]][quote["start"] : quote["end"]] == quote["text"]
        assert 0 <= quote["score"] <= 1
        for start, end in quote["highlights"]:
            assert quote["start"] <= start < end <= quote["end"]


# --- ask ------------------------------------------------------------------------------------------


def test_ask_json_keeps_the_contract(ask, call, real_index):
    result = ask("--json", LAUNCH)
    assert (result.code, result.err) == (0, "")
    assert_contract(result.object, texts_of(call, real_index.folder))
    assert result.object["question"] == LAUNCH
    assert result.object["quotes"][0]["article"]["id"] == "jwst.en"


def test_ask_json_says_not_found(ask, call, real_index):
    result = ask("--json", OFF_TOPIC)
    assert (result.code, result.err) == (1, "")
    assert_contract(result.object, texts_of(call, real_index.folder))
    assert (result.object["status"], result.object["quotes"]) == ("not_found", [])


def test_questions_are_answered_across_languages(ask, call, real_index):
    expected = {
        "Wann startete das James-Webb-Weltraumteleskop?": "jwst.en",
        "When were the last German nuclear power plants shut down?": "atom.de",
        "小惑星リュウグウの試料は何グラムでしたか？": "hayabusa.ja",
        "¿Cuándo entró en erupción el volcán de La Palma?": "volcan.es",
        "When did the volcano on La Palma erupt?": "volcan.es",
    }
    result = ask("--batch", "-", stdin="\n".join(expected).encode())
    assert (result.code, result.err) == (0, "")
    texts = texts_of(call, real_index.folder)
    for answer in result.objects:
        assert_contract(answer, texts)
    assert expected == {
        answer["question"]: answer["quotes"][0]["article"]["id"] for answer in result.objects
    }


def test_ask_prints_the_quote_and_where_it_is_from(ask):
    result = ask(LAUNCH)
    assert (result.code, result.err) == (0, "")
    assert "launched on 25 December 2021 from Kourou in French Guiana." in result.out
    assert "A telescope for the infrared" in result.out
    assert "https://example.org/jwst" in result.out
    assert "2021-12-25" in result.out
    assert "\x1b" not in result.out


def test_ask_prints_that_nothing_was_found(ask):
    result = ask(OFF_TOPIC)
    assert (result.code, result.err) == (1, "")
    assert result.out.startswith("The articles don't answer that.")


def test_a_question_need_not_be_quoted(ask):
    result = ask("--json", *LAUNCH.split())
    assert result.object["question"] == LAUNCH


def test_a_batch_answers_line_by_line(ask, call, real_index, tmp_path):
    (tmp_path / "questions.txt").write_text(f"\ufeff{LAUNCH}\r\n\r\n{OFF_TOPIC}\n", "utf-8")
    result = ask("--batch", tmp_path / "questions.txt")
    assert (result.code, result.err) == (0, "")
    texts = texts_of(call, real_index.folder)
    for answer in result.objects:
        assert_contract(answer, texts)
    assert [(answer["question"], answer["status"]) for answer in result.objects] == [
        (LAUNCH, "answered"),
        (OFF_TOPIC, "not_found"),
    ]


def test_a_batch_from_standard_input_goes_on_after_a_bad_question(ask):
    result = ask("--batch", "-", stdin=f"{'x' * 2001}\n{LAUNCH}\n".encode())
    assert result.code == 2
    assert (
        result.err
    ) == "qabot: -, question 1: the question has 2001 characters; shorten it to 2000\n"
    bad, good = result.objects
    assert (bad["status"], bad["quotes"]) == ("error", [])
    assert good["status"] == "answered"


def test_what_a_batch_prints_can_be_verified(ask, call, real_index, tmp_path):
    batch = ask("--batch", "-", stdin=f"{LAUNCH}\n{'x' * 2001}\n{OFF_TOPIC}\n".encode())
    (tmp_path / "answers.jsonl").write_text(batch.out, "utf-8")
    result = call("verify", tmp_path / "answers.jsonl", "--index", real_index.folder)
    assert result.code == 0
    assert re.fullmatch(r"([1-9]) of \1 quotes are verbatim\n", result.out)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "the question is empty; type one"),
        (("",), "the question is empty; type one"),
        ((" \t\n",), "the question is empty; type one"),
        (("a" * 10_000,), "the question has 10000 characters; shorten it to 2000"),
        (("caf\udce9?",), "the question is not valid UTF-8 text; check the terminal"),
        (
            ("--batch", "missing.txt"),
            "missing.txt: No such file or directory; name a text file",
        ),
        (("--batch", "."), ".: Is a directory; name a text file"),
        (("--batch", "empty.txt"), "empty.txt: no question in it; put one on each line"),
        (("--batch", "binary.txt"), "binary.txt: not UTF-8 text; convert it"),
        (
            ("why?", "--batch", "-"),
            "a question and --batch were given; give one of them",
        ),
        (("--verbose", "why?"), "No such option: --verbose; see `qabot --help`"),
    ],
)
def test_bad_questions_are_told_in_one_line(ask, tmp_path, arguments, complaint):
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\x00\x80")
    result = ask(*arguments)
    assert (2, complaint) == (result.code, result.complaint)


# --- The other commands ---------------------------------------------------------------------------


def test_articles_lists_ids_titles_and_passages(call, real_index):
    lines = call("articles", "--json", "--index", real_index.folder).objects
    assert [line["id"] for line in lines] == ["atom.de", "hayabusa.ja", "jwst.en", "volcan.es"]
    assert {
        "id": "jwst.en",
        "title": "A telescope for the infrared",
        "source": str(real_index.articles / "jwst.en.md"),
        "url": "https://example.org/jwst",
        "published": "2021-12-25",
        "language": "en",
        "collections": [],
        "passages": 2,
    } == lines[2]


def test_articles_prints_a_line_for_each(call, real_index):
    result = call("articles", "--index", real_index.folder)
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == [
        "id",
        "atom.de",
        "hayabusa.ja",
        "jwst.en",
        "volcan.es",
    ]
    assert "はやぶさ2の帰還" in result.out


def test_show_prints_the_whole_text(call, real_index):
    result = call("show", "atom", "--index", real_index.folder)
    text = texts_of(call, real_index.folder)["atom.de"]
    assert (result.code, result.err) == (0, "")
    assert result.out.endswith(f"\n\n{text}\n")
    assert result.out.splitlines()[0] == "Das Ende der Atomkraft (as of 2023-04, de)"


def test_show_json_gives_text_and_headings(call, real_index):
    article = call("show", "jwst.en", "--json", "--index", real_index.folder).object
    assert [[article["text"][start:end], level] for start, end, level in article["headings"]] == [
        ["Mirror", 2]
    ]


def test_show_takes_the_place_that_a_quote_names(call, real_index):
    told = call("articles", "--json", "--index", real_index.folder).objects
    places = [info["source"] for info in told] + [info["url"] for info in told if info["url"]]
    for place in places:
        shown = call("show", place, "--json", "--index", real_index.folder).object
        assert place in (shown["source"], shown["url"])
        assert call("show", f"{place}:12–40", "--json", "--index", real_index.folder).code == 0


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nothing", "no article 'nothing'; `qabot articles` lists them"),
        ("seeds/nothing.md", "no article 'seeds/nothing.md'; `qabot articles` lists them"),
        ("https://[x", "no article 'https://[x'; `qabot articles` lists them"),
        ("\udcff", "no article '\\udcff'; `qabot articles` lists them"),
        ("", "several articles begin with '': atom.de, hayabusa.ja, jwst.en, volcan.es; name one"),
    ],
)
def test_show_of_no_article_is_refused(call, real_index, name, complaint):
    result = call("show", name, "--index", real_index.folder)
    assert (2, complaint) == (result.code, result.complaint)


def test_rebuild_asks_and_rebuilds_again(call, model_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars in February 2021.")
    built = call("rebuild")
    assert built.code == 0
    assert "1 article, 1 passage (1 encoded, 0 reused) in " in built.out
    assert built.out.endswith(" s → index, generation 1\n")
    assert built.out.count("\n") == 1
    for line in built.err.splitlines():
        assert re.fullmatch(r"(Reading articles|Preparing|Encoding|Writing).*: \d+ %.*", line)
    # On a busy machine, stages may take long enough to be told: then each ends with its last line.
    stages = [line.split(": ", 1) for line in built.err.splitlines()]
    for name in {name for name, _ in stages}:
        shares = [share[:5] for other, share in stages if other == name]
        assert len(shares) > 1
        assert shares[-1] == "100 %"
    assert "probe" in call("ask", "When did the probe Hope reach Mars?").out
    again = call("rebuild")
    assert again.code == 0
    assert again.out.startswith("Nothing changed: 1 article, 1 passage")
    (tmp_path / "seeds" / "image.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    skipped = call("rebuild", "--full", "--json")
    assert (skipped.code, skipped.err) == (2, "")
    summary = skipped.object
    assert tuple(
        summary[name] for name in ("generation", "changed", "articles", "encoded", "reused")
    ) == (2, True, 1, 1, 0)
    assert [item["source"] for item in summary["skipped"]] == ["seeds/image.txt"]


@pytest.mark.parametrize("arguments", [["b\udcffd"], ["seeds", "--index", "b\udcffd"]])
def test_a_name_that_is_not_utf_8_is_refused_before_an_index_is_built(call, tmp_path, arguments):
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars in February 2021.")
    write_article(tmp_path / "b\udcffd", "probe", "The probe Hope reached Mars in February 2021.")
    result = call("rebuild", *arguments)
    assert result.code == 2
    assert "is not UTF-8: 'b\\udcffd'; rename it, or name its folder" in result.complaint
    assert not (tmp_path / "index").exists()


def test_rebuild_names_what_it_skips(call, real_index, monkeypatch, tmp_path):
    monkeypatch.setenv("QABOT_CACHE", str(real_index.cache))
    shutil.copytree(real_index.folder, tmp_path / "index")
    (tmp_path / "archive.txt").write_bytes(b"PK\x03\x04")
    result = call("rebuild", real_index.articles, "archive.txt")
    assert result.code == 2
    assert "4 articles" in result.out
    complaints = [line for line in result.err.splitlines() if line.startswith("qabot: ")]
    assert complaints == [
        "qabot: skipped archive.txt: not a text file (looks like a ZIP archive or an Office "
        "document); rename it to .docx, .odt or .epub if it is one"
    ]


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("missing", "missing: no such file or folder; check the path"),
        ("empty", "empty: no article in this folder; "),
        ("blank.md", "no article could be read: blank.md is empty; remove it or add text"),
        ("draft.md", "no article could be read: draft.md is a draft by its front matter; set "),
        ("", "SOURCE: sources must be a name or path, not ''; correct it or leave it out"),
    ],
)
def test_a_source_without_articles_is_told_in_one_line(
    call, model_cache, monkeypatch, tmp_path, source, complaint
):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank.md").write_text("\n")
    (tmp_path / "draft.md").write_text("---\ndraft: true\n---\nIt reached Mars.")
    result = call("rebuild", source, "--json")
    assert result.code == 2
    assert result.complaint.startswith(complaint)
    assert call("articles").code == 3


def test_another_rebuild_has_an_exit_code_of_its_own(call, model_cache, monkeypatch, tmp_path):
    from qabot.index import IndexStore

    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars.")
    with IndexStore(tmp_path / "index").rebuild():
        result = call("rebuild", "--json")
    assert (
        result.code,
        result.complaint,
    ) == (4, "index: another rebuild is running; wait for it to end")


# --- The index ------------------------------------------------------------------------------------

READING = [("ask", "why?"), ("articles",), ("show", "x"), ("verify", "answer.json"), ("repl",)]


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
@pytest.mark.parametrize("options", [(), ("--index", "other")], ids=["default", "named"])
def test_without_an_index_every_command_says_so(call, tmp_path, command, options):
    (tmp_path / "answer.json").write_text('{"quotes": []}')
    result = call(*command, *options)
    folder = options[-1] if options else "index"
    assert (3, f"{folder}: no index here; run `qabot rebuild`") == (result.code, result.complaint)
    assert [path.name for path in tmp_path.iterdir()] == ["answer.json"]


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("command", READING[1:4], ids=lambda command: command[0])
@pytest.mark.parametrize("damage", [flip_a_byte, Path.unlink], ids=["changed", "removed"])
@pytest.mark.parametrize(
    "name",
    ["segments/1-1/articles.sqlite", "segments/1-1/sentences.npy", "generations/1/manifest.json"],
)
def test_a_damaged_file_is_named(call, tmp_path, index, command, damage, name):
    (tmp_path / "answer.json").write_text('{"quotes": []}')
    damage(index / name)
    result = call(*command)
    assert result.code == 3
    assert result.complaint.startswith(f"index/{name}: ")
    assert result.complaint.endswith("; run `qabot rebuild --full`")


def test_ask_names_a_damaged_file_too(ask, call, real_index, tmp_path):
    shutil.copytree(real_index.folder, tmp_path / "index")
    flip_a_byte(tmp_path / "index/segments/1-1/passages.npy")
    result = call("ask", "why?")
    assert (result.code, result.complaint) == (
        3,
        "index/segments/1-1/passages.npy: changed since it was written; run `qabot rebuild --full`",
    )


def test_an_index_of_another_model_is_not_asked(call, index, model_cache, monkeypatch):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    result = call("ask", "why?")
    assert (result.code, result.complaint) == (
        3,
        "index/generations/1: the index was made by hashing, not by multilingual-e5-small; "
        "run `qabot rebuild` to renew it, or ask with --encoder hashing",
    )


def test_another_model_does_not_ask_the_index(ask, model_cache):
    (model,) = (path for path in model_cache.iterdir() if path.is_dir())
    result = ask("why?", "--encoder", model)
    assert result.code == 3
    assert result.complaint.startswith("/")
    assert (
        f"the index was made by multilingual-e5-small, not by {model.name}; run `qabot rebuild` to "
        "renew it, or ask with --encoder multilingual-e5-small"
    ) in result.complaint


def test_an_index_below_a_file_is_told_in_one_line(call, model_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    (tmp_path / "file").write_text("")
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars.")
    result = call("rebuild", "--json", "--index", "file/index")
    assert (result.code, result.complaint) == (
        2,
        "file: is not a folder; name another one with --index, or move it away",
    )
    assert call("ask", "why?", "--index", "file/index").code == 3


# --- Everything else that can go wrong ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nonsense",), "No such command 'nonsense'; see `qabot --help`"),
        (("--version",), "No such option: --version; see `qabot --help`"),
        (("show",), "Missing argument 'ARTICLE'; see `qabot --help`"),
        (("verify",), "Missing argument 'FILE'; see `qabot --help`"),
        (("verify", "missing"), "missing: No such file or directory; name a text file"),
        (("ask", "--batch"), "Option '--batch' requires an argument; see `qabot --help`"),
        (
            ("ask", "why?", "--index", ""),
            "--index: index must be a name or path, not ''; correct it or leave it out",
        ),
        (("rebuild", "--index"), "Option '--index' requires an argument; see `qabot --help`"),
    ],
)
def test_bad_usage_is_told_in_one_line(call, arguments, complaint):
    result = call(*arguments)
    assert (2, complaint) == (result.code, result.complaint)


def test_a_wrong_settings_file_stops_every_command(call, tmp_path):
    (tmp_path / "qabot.toml").write_text("treshold = 0.3")
    (tmp_path / "answer.json").write_text('{"quotes": []}')
    for command in [*READING, ("rebuild",)]:
        result = call(*command)
        assert result.code == 2
        assert result.complaint.startswith("qabot.toml: Object contains unknown field `treshold`;")


def test_a_name_with_control_characters_stays_one_line(call):
    result = call("articles", "--index", "a\nb\x1b[31m")
    assert (
        result.code,
        result.complaint,
    ) == (3, "a\ufffdb\ufffd[31m: no index here; run `qabot rebuild`")


def test_no_line_of_a_success_obeys_a_name(call, tmp_path, index):
    name = "i\x1b[31m\u202ex"
    index.rename(tmp_path / name)
    for command in (["rebuild", "articles"], ["rollback"], ["doctor"]):
        result = call(*command, "--index", name)
        assert not UNPRINTABLE.search(result.out + result.err)
    told = call("doctor", "--json", "--index", name)
    assert not UNPRINTABLE.search(told.out)
    assert told.object["checks"][0]["detail"].startswith(f"index {name}, encoder ")


def test_json_escapes_what_a_terminal_would_obey(call, tmp_path):
    title = "Up\u202e down \u2066\x7f\x9b"
    write_article(tmp_path / "articles", "up", "It is \u202e upside down. 東京 é", title=title)
    build_index(tmp_path / "index", tmp_path / "articles")
    shown = call("show", "up", "--json")
    assert not UNPRINTABLE.search(shown.out)
    assert "\\u202e" in shown.out
    assert "東京 é" in shown.out
    assert shown.object["text"] == "It is \u202e upside down. 東京 é"
    listed = call("articles", "--json")
    assert not UNPRINTABLE.search(listed.out)
    assert listed.objects[0]["title"].startswith("Up\u202e down")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_pipe_in_the_place_of_the_settings_is_not_waited_for(call, tmp_path):
    os.mkfifo(tmp_path / "qabot.toml")
    result = call("articles")
    assert (2, "qabot.toml: not a regular file; correct it or remove the file") == (
        result.code,
        result.complaint,
    )


def test_the_encoder_must_exist(call, monkeypatch, tmp_path):
    monkeypatch.setenv("QABOT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("QABOT_CACHE", str(tmp_path / "blocked" / "cache"))
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars.")
    result = call("rebuild", "--json")
    assert result.code == 2
    assert result.complaint.startswith(f"{tmp_path / 'blocked' / 'cache'}: ")
    assert not (tmp_path / "index").exists()


# --- feedback -------------------------------------------------------------------------------------


@pytest.fixture
def rated(tmp_path) -> Path:
    """An index beside which a bot has kept feedback."""
    with State(state_path(tmp_path / "index")) as state:
        for number, helpful in ((1, True), (2, False)):
            answer_id = state.save_answer(replace(RECORD, question=f"q\x1b{number}?"))
            state.save_feedback(answer_id, 7, helpful, now=1_700_000_000.0 + number)
        state.save_answer(RECORD)
        old = state.save_answer(replace(RECORD, created=1.0))
        state.save_feedback(old, 7, helpful=True, now=1_700_000_100.0)
        state.prune(older_than=500.0)
    index: Path = tmp_path / "index"
    return index


def test_feedback_json_is_one_object_for_each_opinion(call, rated):
    first, second, third = call("feedback", "--json", "--index", rated).objects
    assert (first["question"], first["helpful"]) == ("q\x1b1?", True)
    assert (second["question"], second["helpful"]) == ("q\x1b2?", False)
    assert {**third, "answer": "-"} == {
        "answer": "-",
        "at": "2023-11-14T22:15:00+00:00",
        "helpful": True,
        "question": None,
        "status": "answered",
        "confidence": 0.91,
        "generation": 3,
        "encoder": "e5",
        "locale": "de",
        "quotes": [["rocket.en", 10, 25]],
    }


def test_feedback_for_people_is_a_line_each_and_a_sum(call, rated):
    result = call("feedback", "--index", rated)
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "2023-11-14 22:13  helpful      q1?",
        "2023-11-14 22:13  not helpful  q2?",
        "2023-11-14 22:15  helpful      (question forgotten)",
        "2 helpful, 1 not helpful",
    ]


def test_feedback_without_a_bot_is_one_line_and_makes_no_file(call, tmp_path):
    result = call("feedback")
    assert result.code == 2
    path = tmp_path / "index.bot.sqlite"
    assert result.complaint == (
        f"{path}: no bot has run with this index; start one with `qabot bot`"
    )
    assert not path.exists()


def test_feedback_needs_no_discord_and_no_model(tmp_path, rated):
    assert heavy_modules(tmp_path, "feedback", "--index", rated) == (0, [])


# --- Help -----------------------------------------------------------------------------------------


def test_the_commands_are_pinned():
    assert set(cast(typer.core.TyperGroup, typer.main.get_command(cli.app)).commands) == COMMANDS


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_every_command_shows_an_example(call, command):
    result = call(command, "--help")
    assert (result.code, result.err) == (0, "")
    example = result.out.partition("Example:")[2]
    assert f"qabot {command}" in " ".join(example.split())


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_takes_an_index(call, command):
    assert "--index DIR" in call(command, "-h").out


@pytest.mark.parametrize("command", sorted(COMMANDS - {"bot", "mcp", "repl"}))
def test_commands_that_print_data_take_json(call, command):
    assert "--json" in call(command, "-h").out


def test_help_lists_the_commands(call):
    result = call("--help")
    assert (result.code, result.err) == (0, "")
    assert all(re.search(rf"^  {command} ", result.out, re.MULTILINE) for command in COMMANDS)


def test_without_a_command_the_help_is_shown(call):
    result = call()
    assert (2, "", call("--help").out) == (result.code, result.err, result.out)


# --- In a process of its own ----------------------------------------------------------------------


def heavy_modules(cwd: Path, *arguments: str | Path, environment=None) -> tuple[int, list[str]]:
    """The exit code of ``qabot``, and which heavy libraries it imported."""
    program = (
        "import sys\n"
        "from qabot.cli import main\n"
        "try: main()\n"
        f"finally: print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)\n"
    )
    result = run_python("-c", program, *arguments, cwd=cwd, environment=environment)
    return result.returncode, json.loads(result.stderr.splitlines()[-1].replace("'", '"'))


def test_help_imports_nothing_heavy(tmp_path):
    assert heavy_modules(tmp_path, "--help") == (0, [])
    assert heavy_modules(tmp_path, "ask", "--help") == (0, [])


def test_importing_the_package_imports_nothing_heavy(tmp_path):
    program = f"import qabot, qabot.cli, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run_python("-c", program, cwd=tmp_path).stdout == "[]\n"


def test_asking_imports_no_torch(tmp_path, real_index):
    code, heavy = heavy_modules(
        tmp_path,
        "ask",
        LAUNCH,
        "--index",
        real_index.folder,
        environment={"QABOT_CACHE": str(real_index.cache)},
    )
    assert (code, heavy) == (0, ["numpy", "onnxruntime"])


def test_listing_articles_loads_no_model(tmp_path, real_index):
    code, heavy = heavy_modules(tmp_path, "articles", "--index", real_index.folder)
    assert code == 0
    assert not {"onnxruntime", "torch", "sentence_transformers"} & set(heavy)


def test_a_pipe_gets_one_json_object_and_nothing_else(tmp_path, real_index):
    result = run_qabot(
        "ask",
        "--json",
        "¿Cuándo entró en erupción el volcán de La Palma?",
        "--index",
        real_index.folder,
        cwd=tmp_path,
        environment={"QABOT_CACHE": str(real_index.cache)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    assert "19 de septiembre de 2021" in json.loads(result.stdout)["quotes"][0]["text"]


def test_a_pipe_gets_no_colours_and_whole_lines(tmp_path, real_index):
    result = run_qabot("show", "jwst.en", "--index", real_index.folder, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    # One line of the article, longer than any terminal is wide.
    assert "25 December 2021 from Kourou in French Guiana. An Ariane 5 rocket carried it.\n" in (
        result.stdout
    )


def test_output_that_cannot_encode_the_text_gets_utf_8(tmp_path, real_index):
    result = run_qabot(
        "show",
        "hayabusa.ja",
        "--json",
        "--index",
        real_index.folder,
        cwd=tmp_path,
        environment={"PYTHONIOENCODING": "ascii"},
    )
    assert (result.returncode, json.loads(result.stdout)["title"]) == (0, "はやぶさ2の帰還")


@pytest.mark.parametrize("command", [("articles",), ("articles", "--json"), ("show", "telescope")])
def test_a_reader_that_stops_early_is_no_error(tmp_path, index, command):
    process = subprocess.Popen(
        [sys.executable, "-c", "from qabot.cli import main; main()", *command],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), complaint) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("arguments", [["articles"], ["articles", "--json"], ["doctor"]])
def test_a_full_disk_behind_standard_output_is_told(tmp_path, index, arguments):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-c", "from qabot.cli import main; main()", *arguments],
            cwd=tmp_path,
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (process.returncode, process.stderr) == (
        2,
        "qabot: the output: cannot be written (No space left on device); free space, or name "
        "another disk\n",
    )


def test_a_broken_disk_below_qabots_own_files_is_one_line(tmp_path):
    program = (
        "import os; from qabot import cli\n"
        "def read(*arguments): raise OSError(5, os.strerror(5), 'confidence.json')\n"
        "cli.app.command('read')(lambda: read()); cli.main()"
    )
    result = run_python("-c", program, "read", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        2,
        "qabot: confidence.json: cannot be read or written (Input/output error); check the disk\n",
    )


def test_an_unforeseen_error_is_one_line_and_debug_shows_where(tmp_path):
    program = "from qabot import cli; cli.app.command('divide')(lambda: 1 / 0); cli.main()"
    result = run_python("-c", program, "divide", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        2,
        "qabot: unexpected ZeroDivisionError: division by zero; run it with --debug for the "
        "details\n",
    )
    result = run_python("-c", program, "divide", "--debug", cwd=tmp_path)
    assert "Traceback" in result.stderr


# --- The library ----------------------------------------------------------------------------------


def test_the_public_names_are_pinned():
    names = "Answer Article ArticleInfo Engine Filters Passage Quote Request __version__"
    assert names.split() == qabot.__all__
    for name in qabot.__all__:
        assert getattr(qabot, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'engine_of_another_kind'"):
        _ = qabot.engine_of_another_kind


TREE_LINE = re.compile(
    r"^    (?P<branch>(?:[│ ]   )*(?:[├└]── )?)(?P<name>\w+Error) +(?P<code>\d)  "
)


def test_the_error_tree_is_as_drawn():
    assert errors.__doc__ is not None
    lines = [match for line in errors.__doc__.splitlines() if (match := TREE_LINE.match(line))]
    drawn: dict[str, tuple[str, int]] = {}
    above: list[str] = []
    for match in lines:
        depth = len(match["branch"]) // 4
        above = [*above[:depth], match["name"]]
        drawn[match["name"]] = (above[-2] if depth else "Exception", int(match["code"]))
    defined = {
        name: (kind.__bases__[0].__name__, kind.exit_code)
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.QabotError)
    }
    assert drawn == defined
    assert {2, 3, 4} == {code for _, code in defined.values()}
