"""Questions and paragraphs in two languages: answers stay where they are said to be."""

from __future__ import annotations

import base64
import gzip
import random
import re

from hypothesis import given
from hypothesis import strategies as st

from training.dictionaries import cedict, freedict, reversed_dictionary
from training.exchanging import exchanged, exchanged_row, segmented
from training.marking import translated_rows

WORDS = {"city": "Stadt", "how many": "wie viele", "begin": "beginnen", "old": "alt", "a": "ein"}
FREQUENT = {"Haus": 5.0, "Geschlecht": 3.0, "Spiel": 5.0, "Wild": 4.0, "城市": 5.0, "都市": 4.0}

texts = st.lists(
    st.sampled_from(
        ["city", "Cities", "how", "many", "old", "Rome", "a", "三", "été", "12", "\n", "!"]
    )
    | st.text(max_size=4),
    max_size=12,
).map(" ".join)


@given(text=texts, share=st.sampled_from([0.0, 0.5, 1.0]), seed=st.integers(0, 99), data=st.data())
def test_answers_follow_their_words(text, share, seed, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    answer = {"text": text[start:end], "start": start}
    row = {"context": text, "questions": [{"question": "?", "answers": [answer]}]}
    made = exchanged_row(row, WORDS, "de", share, random.Random(seed))
    for question in made["questions"]:
        (found,) = question["answers"]
        assert made["context"][found["start"] :].startswith(found["text"])
    if share == 0:
        assert made["context"] == text


def test_words_are_exchanged_and_names_stay():
    chance = random.Random(0)
    assert exchanged("How many old cities?", WORDS, 1.0, chance) == "wie viele alt Stadt?"
    assert exchanged("how many Old things", WORDS, 1.0, chance) == "wie viele Old things"
    assert exchanged("It begins in A city", WORDS, 1.0, chance) == "It beginnen in A Stadt"


def test_the_longest_words_are_taken_where_none_are_separated():
    words = {"東京": "Tokyo", "東": "east", "都": "capital", "は": "as for"}
    assert segmented("東京都は?", words) == "Tokyo capital は?"


def test_answers_are_found_again_in_a_translation():
    def translate(lines):
        # As a translator would that moves what is marked, and cuts one mark in two.
        (line,) = lines
        first, second = re.findall(r"<b id=.*?</b>", line)
        first = first.replace("tower", '</b>torre<b id="0">')
        return [f"Antes {second} y {first}."]

    questions = [
        {"question": "what?", "answers": [{"text": "the tower here", "start": 4}]},
        {"question": "when?", "answers": [{"text": "1889", "start": 22}]},
        {"question": "why?", "answers": []},
    ]
    row = {"language": "en", "context": "See the tower here in 1889.", "questions": questions}
    (made,) = translated_rows([row], translate, "es")
    assert made["context"] == "Antes 1889 y the torre here."
    answers = [question["answers"] for question in made["questions"]]
    assert answers == [
        [{"text": "the torre here", "start": 13}],
        [{"text": "1889", "start": 6}],
        [],
    ]


def test_a_freedict_dictionary_gives_the_most_frequent_sense(tmp_path):
    entries = [
        ("house", "house /haʊs/\n1. Geschlecht <neut>, Haus <neut>\n   Synonyms: {home}\n"),
        ("game", "game\n - Wild <neut> [zool.]\n2. Spiel (Sport)\n"),
        ("see", "see\n see: {look}\n"),
    ]
    data, index = b"", []
    for word, entry in entries:
        raw = entry.encode()
        index.append(f"{word}\t{number(len(data))}\t{number(len(raw))}")
        data += raw
    (tmp_path / "freedict-eng-deu.index").write_text("\n".join(index), "utf-8")
    (tmp_path / "freedict-eng-deu.dict.dz").write_bytes(gzip.compress(data))
    words = freedict(tmp_path, "eng-deu", lambda word: FREQUENT.get(word, 0.0))
    assert words == {"house": "Haus", "game": "Spiel"}


def number(value: int) -> str:
    """``value`` in the digits of dictd, which are those of Base64."""
    digits = base64.b64encode(bytes([value << 2 & 0xFC]))[:1] if value < 64 else b""
    return digits.decode() or number(value // 64) + number(value % 64)


def test_chinese_words_are_found_both_ways(tmp_path):
    path = tmp_path / "cedict.txt.gz"
    lines = [
        "# CC-CEDICT",
        "城市 城市 [cheng2 shi4] /city/town/CL:座[zuo4]/",
        "都市 都市 [du1 shi4] /city/metropolis/",
        "開始 开始 [kai1 shi3] /to begin/beginning/",
    ]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    words = cedict(path)
    assert words == {"城市": "city", "都市": "city", "開始": "begin", "开始": "begin"}
    back = reversed_dictionary(words, lambda word: FREQUENT.get(word, 0.0))
    assert back["city"] == "城市"
