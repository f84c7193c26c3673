"""Printable text, words and first lines of errors: what every part of qabot shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.follow_up import is_follow_up
from qabot.articles.formats.titles import shortened
from qabot.bot.question_detector import looks_like_question
from qabot.index.terms import content_terms, terms
from qabot.text import (
    described,
    first_line,
    printable,
    printable_line,
    printable_path,
    without_passwords,
)

UNSPACED = {
    "Han": "长征五号火箭发动机",
    "Hiragana": "さくらまつりのおしらせ",
    "Katakana": "コンピューター",
    "halfwidth": "ｺﾝﾋﾟｭｰﾀｰ",
    "Thai": "สร้างขึ้นเมื่อไร",
    "Lao": "ສ້າງຂຶ້ນເມື່ອໃດ",
    "Khmer": "សាងសង់នៅពេលណា",
    "Burmese": "ဘယ်တုန်းကတည်ဆောက်ခဲ့သလဲ",
}


@pytest.mark.parametrize("text", UNSPACED.values(), ids=UNSPACED)
def test_all_parts_know_the_same_scripts_without_spaces(text: str) -> None:
    # One run of letters: words are pairs of characters, a question of one is long enough, and it
    # names something to look up.
    assert {2} == set(map(len, terms(text, "xx")))
    assert looks_like_question(f"{text}?")
    assert not is_follow_up(text)
    # Cut anywhere rather than at a blank.
    assert " " in shortened(f"{text} {text}", len(text) + 3)


@pytest.mark.parametrize("text", ["谁?", "だれ?", "ໃຜ?", "ណា?"])
def test_a_question_of_one_short_word_follows_another(text: str) -> None:
    assert is_follow_up(text)


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("Երևան և Գյումրի", "hy", terms("Երևան Գյումրի", "hy")),
        ("hva er båtene", "no", ["båt"]),
        ("hva er båtene", "nb", ["båt"]),
        ("hva er båtene", "nn", ["båt"]),
        ("the boats", "xx", ["the", "boats"]),
    ],
)
def test_function_words_are_left_out(question: str, language: str, expected: list[str]) -> None:
    assert expected == content_terms(question, language)


@given(text=st.text())
def test_a_line_is_printable_and_otherwise_as_it_was(text: str) -> None:
    line = printable_line(text)
    assert line.isprintable()
    assert len(text) == len(line)
    assert all(
        shown == ("\N{REPLACEMENT CHARACTER}", given)[given.isprintable()]
        for given, shown in zip(text, line, strict=True)
    )


@given(text=st.text())
def test_what_is_printable_keeps_its_lines(text: str) -> None:
    shown = printable(text)
    assert shown == printable(shown)
    assert text.count("\n") == shown.count("\n")
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ftp://me:secret@h/a: no address", "ftp://h/a: no address"),
        ("https://secret@h and https://me:@h", "https://h and https://h"),
        ("http:/me:secret@h, 'https:\\\\me:secret@h'", "http:/h, 'https:\\\\h'"),
        ("field 'me:secret@h/x'", "field 'h/x'"),
        # Neither a place in a path nor a person.
        ("https://h:80/a@b, C:\\a@b, a/me@b.md", "https://h:80/a@b, C:\\a@b, a/me@b.md"),
        ("write to bob@example.org: now", "write to bob@example.org: now"),
    ],
)
def test_passwords_are_cut_out_of_addresses(text: str, shown: str) -> None:
    assert without_passwords(text) == shown


@given(name=st.binary(min_size=1).filter(lambda name: b"\0" not in name))
def test_a_path_of_any_bytes_is_one_line(name: bytes) -> None:
    line = printable_path(Path(os.fsdecode(name)))
    assert line.isprintable()
    line.encode()


@pytest.mark.parametrize(
    ("error", "line", "description"),
    [
        (ValueError("\n  no\nsuch"), "no", "ValueError: no"),
        (ValueError(" "), "ValueError", "ValueError"),
        (OSError(), "OSError", "OSError"),
    ],
)
def test_the_first_line_of_an_error(error: Exception, line: str, description: str) -> None:
    assert (line, description) == (first_line(error), described(error))
