"""Any question-answering model of transformers as the reader; here a tiny, random one."""

from __future__ import annotations

from pathlib import Path

import pytest

from qabot.answering.reader import open_reader
from qabot.answering.reader.base import Window
from qabot.answering.reader.transformers import TransformersReader
from qabot.errors import EncoderError
from tests.answering.reader.tiny_bert import write_model

TEXTS = ["The tower is 330 metres high.", "塔は高い。", "", "It was opened in 1889, in spring."]
WINDOWS = [Window("A tower", text) for text in TEXTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    from transformers import BertForQuestionAnswering

    return write_model(tmp_path_factory.mktemp("answering"), BertForQuestionAnswering)


def test_it_marks_spans_of_each_window(folder):
    reader = TransformersReader(str(folder))
    assert reader.name == folder.name
    spans = reader.read("How high is the tower?", WINDOWS)
    assert len(TEXTS) == len(spans)
    for text, span in zip(TEXTS, spans, strict=True):
        assert 0 <= span.start <= span.end <= len(text)
    assert (0, 0) == (spans[2].start, spans[2].end)
    assert reader.read("Why?", []) == []


def test_a_window_is_read_alike_alone_and_together(folder):
    reader = TransformersReader(str(folder))
    together = reader.read("How high is the tower?", WINDOWS)
    for window, span in zip(WINDOWS, together, strict=True):
        alone = reader.read("How high is the tower?", [window])[0]
        assert (alone.start, alone.end) == (span.start, span.end)
        assert alone.margin == pytest.approx(span.margin, abs=1e-3)


def test_a_model_that_is_nowhere_is_one_line_with_the_remedy(tmp_path):
    with pytest.raises(EncoderError) as caught:
        open_reader("no-such/model", cache=tmp_path)
    assert "no such folder, nor a model in the local Hugging Face cache" in str(caught.value)
    assert "--no-reader" in str(caught.value)


def test_a_folder_without_a_model_is_one_line(tmp_path):
    with pytest.raises(EncoderError) as caught:
        open_reader(str(tmp_path), cache=tmp_path)
    assert "no question-answering model" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_that_was_not_trained_to_mark_answers_is_refused(tmp_path):
    from transformers import BertForMaskedLM

    write_model(tmp_path / "words", BertForMaskedLM)
    with pytest.raises(EncoderError) as caught:
        TransformersReader(str(tmp_path / "words"))
    assert "no question-answering model (it lacks qa_outputs.bias)" in str(caught.value)
