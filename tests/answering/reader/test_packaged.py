"""The reader that qabot comes with: what it marks, in every script, and how it fails."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.answering.reader import NONE, open_reader
from qabot.answering.reader.base import Window
from qabot.answering.reader.packaged import PackagedReader
from qabot.encoders.e5.packaged import unpack
from qabot.errors import EncoderError

# Question, text, answer: what the trials of any reader begin with, in eight languages.
ASKED = [
    (
        "When was the telescope launched?",
        "The telescope cost ten billion dollars. It was launched on 25 December 2021 from Kourou.",
        "25 December 2021",
    ),
    (
        "Wie hoch ist der Turm?",
        "Der Turm wurde 1889 eröffnet. Er ist 330 Meter hoch und steht in Paris.",
        "330 Meter",
    ),
    (
        "¿Quién escribió la novela?",
        "La novela, publicada en 1605, fue escrita por Miguel de Cervantes.",
        "Miguel de Cervantes",
    ),
    (
        "Où se trouve le musée ?",
        "Le musée du Louvre se trouve à Paris. Il a été fondé en 1793.",
        "Paris",
    ),
    ("首都はどこですか。", "日本の首都は東京である。人口は約1400万人である。", "東京"),
    ("这座桥有多长？", "这座桥于2018年通车。它全长55公里，连接香港和珠海。", "55公里"),
    (
        "متى افتتحت القناة؟",
        "افتتحت قناة السويس عام 1869. يبلغ طولها نحو 193 كيلومترا.",
        "1869",
    ),
    (
        "Кто первым полетел в космос?",
        "Первым человеком в космосе стал Юрий Гагарин. Полёт состоялся в 1961 году.",
        "Юрий Гагарин",
    ),
]


@pytest.fixture(scope="module")
def reader(model_cache: Path) -> PackagedReader:
    return PackagedReader(unpack(model_cache).folder)


def test_it_marks_answers_in_many_scripts(reader):
    marked = []
    for question, text, answer in ASKED:
        span = reader.read(question, [Window("", text)])[0]
        found = text[span.start : span.end]
        marked.append(found in answer or answer in found)
    # A small model may miss one; what is asked here is easy.
    assert sum(marked) >= len(ASKED) - 1


def test_questions_in_another_language_than_the_text(reader):
    question = "How high is the tower?"
    text = ASKED[1][1]
    span = reader.read(question, [Window("", text)])[0]
    assert "330" in text[span.start : span.end]


def test_a_text_that_answers_is_told_from_one_that_does_not(reader):
    questions, texts = [item[0] for item in ASKED], [item[1] for item in ASKED]
    right = 0
    for number, question in enumerate(questions):
        margins = [
            span.margin for span in reader.read(question, [Window("", text) for text in texts])
        ]
        right += margins[number] == max(margins)
    assert right >= len(ASKED) - 1


@pytest.mark.parametrize("threads", [1, 3])
def test_windows_are_read_alike_alone_and_together(reader, model_cache, threads):
    texts = [text for _, text, _ in ASKED]
    others = PackagedReader(unpack(model_cache).folder, threads=threads)
    alone = [reader.read(ASKED[0][0], [Window("", text)])[0] for text in texts]
    assert others.read(ASKED[0][0], [Window("", text) for text in texts]) == alone


@given(
    question=st.text(min_size=1, max_size=80),
    texts=st.lists(st.text(max_size=200), max_size=5),
)
@settings(max_examples=40)
def test_what_is_marked_in_any_text_lies_inside_it(reader, question, texts):
    spans = reader.read(question, [Window("", text) for text in texts])
    assert len(spans) == len(texts)
    for text, span in zip(texts, spans, strict=True):
        assert 0 <= span.start <= span.end <= len(text)
        marked = text[span.start : span.end]
        assert marked == marked.strip()
        assert math.isfinite(span.margin) or not marked


def test_a_text_and_a_question_that_are_too_long_are_cut(reader):
    span = reader.read("why " * 500, [Window("title " * 200, "word " * 2000 + "the end.")])[0]
    assert 0 <= span.start < span.end <= 5 * 2000


def test_no_windows(reader):
    assert reader.read("who?", []) == []


def test_open_reader(model_cache, tmp_path):
    assert open_reader(NONE, cache=tmp_path) is None
    opened = open_reader("qabot-reader", cache=model_cache)
    assert opened is not None
    assert opened.name == "qabot-reader"


def test_a_damaged_network_is_one_line(model_cache, tmp_path):
    graph = tmp_path / "reader.onnx"
    graph.write_bytes(b"no network")
    with pytest.raises(EncoderError) as caught:
        PackagedReader(unpack(model_cache).folder, graph=graph)
    assert str(graph) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_word_embeddings_are_one_line(model_cache, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(unpack(model_cache).folder, folder, ignore=shutil.ignore_patterns("*_words"))
    with pytest.raises(EncoderError, match="word embeddings cannot be read"):
        PackagedReader(folder)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such call")
def test_it_reads_at_once_only_what_its_cores_take(model_cache: Path):
    """More windows at once than cores would take longer before a busy bot can stop reading."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        reader = PackagedReader(unpack(model_cache).folder)
    finally:
        os.sched_setaffinity(0, allowed)
    assert reader.batch_size == 1
