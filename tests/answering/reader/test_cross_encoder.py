"""A CrossEncoder of sentence-transformers as the reader; here a tiny, random one."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from qabot.answering.engine import Engine
from qabot.answering.reader import open_reader
from qabot.answering.reader.base import Window
from qabot.answering.reader.cross_encoder import CrossEncoderReader
from qabot.errors import EncoderError
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.answering.reader.tiny_bert import write_model
from tests.support import TELESCOPE, HashingEncoder, build_index, write_article

QUESTION = "How high is the tower?"
TEXTS = ["The tower is 330 metres high.", "塔は高い。", " \n", "It was opened in 1889, in spring."]
WINDOWS = [Window("", text) for text in TEXTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    from transformers import BertForSequenceClassification

    # Weights ten times as large as usual: logits differ from text to text.
    shape = {"num_labels": 1, "initializer_range": 0.2}
    return write_model(tmp_path_factory.mktemp("scoring"), BertForSequenceClassification, **shape)


def test_margins_are_the_models_logits(folder):
    from sentence_transformers import CrossEncoder

    reader = open_reader(f"cross-encoder:{folder}", cache=folder)
    assert isinstance(reader, CrossEncoderReader)
    assert reader.name == folder.name
    spans = reader.read(QUESTION, WINDOWS)
    # The library gives probabilities unless it is told otherwise.
    likely = CrossEncoder(str(folder), local_files_only=True).predict(
        [(QUESTION, text) for text in TEXTS]
    )
    for place in (0, 1, 3):
        logit = math.log(likely[place] / (1 - likely[place]))
        assert spans[place].margin == pytest.approx(logit, abs=1e-3)
    assert len({round(spans[place].margin, 3) for place in (0, 1, 3)}) == 3


def test_it_marks_no_span_and_reads_no_blank_window(folder):
    reader = CrossEncoderReader(str(folder))
    spans = reader.read(QUESTION, WINDOWS)
    assert {(span.start, span.end) for span in spans} == {(0, 0)}
    assert spans[2].margin == -math.inf
    assert reader.read(QUESTION, []) == []


def test_a_window_is_read_alike_alone_and_together(folder):
    reader = CrossEncoderReader(str(folder))
    together = [span.margin for span in reader.read(QUESTION, WINDOWS)]
    alone = [reader.read(QUESTION, [window])[0].margin for window in WINDOWS]
    assert alone == pytest.approx(together, abs=1e-4)


def test_answers_mark_the_sentence_most_like_the_question(folder, tmp_path):
    write_article(tmp_path / "articles", "telescope", TELESCOPE)
    build_index(tmp_path / "index", tmp_path / "articles")
    reader = CrossEncoderReader(str(folder))
    settings = Settings(threshold=0.0)
    with Engine(IndexStore(tmp_path / "index"), HashingEncoder(), settings, reader) as engine:
        answer = engine.ask("Its mirror is how many metres wide?")
        [hit] = [hit for hit in engine.search(answer.question, 5) if "mirror" in hit.passage.text]
        text = engine.article("telescope").text
    assert hit.answer_span is not None
    assert math.isfinite(hit.answer_span.margin)
    marked = [text[start:end] for quote in answer.quotes for start, end in quote.highlights]
    assert "Its mirror is 6.5 metres wide." in marked


def test_a_model_that_is_nowhere_is_one_line_with_the_remedy(tmp_path):
    with pytest.raises(EncoderError) as caught:
        open_reader("cross-encoder:no-such/model", cache=tmp_path)
    assert str(caught.value).startswith("reader 'no-such/model': no such folder, nor a model in")
    assert str(caught.value).endswith(
        "name the folder of a cross-encoder with one score, or use --no-reader"
    )


def test_models_that_do_not_give_one_score_are_refused(tmp_path):
    from transformers import BertForQuestionAnswering, BertForSequenceClassification

    three = write_model(tmp_path / "nli", BertForSequenceClassification, num_labels=3)
    other = write_model(tmp_path / "spans", BertForQuestionAnswering)
    for name, reason in [
        (three, "it gives 3 scores"),
        (other, "it was not trained to score"),
        (tmp_path, ""),
    ]:
        with pytest.raises(EncoderError) as caught:
            CrossEncoderReader(str(name))
        assert str(caught.value).startswith(f"{name}: no cross-encoder ({reason}")
        assert "\n" not in str(caught.value)
