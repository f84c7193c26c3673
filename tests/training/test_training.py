"""From labelled paragraphs to a reader: examples that are right, and a run from end to end."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from qabot.answering.reader import packaged
from qabot.answering.reader.packaged import PackagedReader
from qabot.encoders.e5.graph import GraphWriter
from qabot.encoders.e5.packaged import open_packaged, unpack, weights_file
from qabot.encoders.e5.ranges import read_ranges
from qabot.encoders.e5.weights import E5Weights
from training.altering import altered_question
from training.data import FIRST, LAST, Encoding, Paragraph, read_paragraphs
from training.rounding import texts_of
from training.sampling import Sampler, held_back
from training.selecting import Selection, choice
from training.shipped import shipped_weights

# Data set → language, title, paragraph, question, answer.
PARAGRAPHS: dict[str, list[tuple[str, str, str, str, str | None]]] = {
    "arcd": [
        (
            "ar",
            "قناة",
            "افتتحت قناة السويس عام 1869. يبلغ طولها نحو 193 كيلومترا.",
            "متى افتتحت القناة؟",
            "1869",
        ),
        (
            "ar",
            "مصر",
            "القاهرة هي عاصمة مصر. يسكنها عشرة ملايين نسمة.",
            "ما عاصمة مصر؟",
            "القاهرة",
        ),
    ],
    "jaquad-train": [
        (
            "ja",
            "塔",
            "塔は高さ330メートルである。1889年に開業した。",
            "塔の高さは？",
            "330メートル",
        ),
    ],
    "squad-v2-train-part": [
        (
            "en",
            "Tower",
            "The tower in Paris is 330 metres high. Gustave Eiffel built it in 1889. "
            "It was the highest tower before the Chrysler Building.",
            "When did Gustave Eiffel build the tower?",
            "1889",
        ),
        (
            "en",
            "Tower",
            "Millions of people visit it every year. Tickets are sold on Mars Field.",
            "Who sold the tower?",
            None,
        ),
        (
            "en",
            "Bridge",
            "The bridge was opened in 2018. It is 55 kilometres long.",
            "How long is the bridge?",
            "55 kilometres",
        ),
    ],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Files as training takes them."""
    folder: Path = tmp_path_factory.mktemp("data")
    for name, rows in PARAGRAPHS.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            for number, (language, title, context, question, answer) in enumerate(rows):
                answers = [{"text": answer, "start": context.index(answer)}] if answer else []
                questions = [{"id": f"{name}-{number}", "question": question, "answers": answers}]
                row = {"language": language, "title": title, "context": context}
                file.write(json.dumps({**row, "questions": questions}, ensure_ascii=False) + "\n")
    return folder


@pytest.fixture(scope="module")
def encoding(model_cache) -> Encoding:
    return Encoding(unpack(model_cache).folder)


@pytest.fixture(scope="module")
def paragraphs(data, encoding) -> list[Paragraph]:
    return list(read_paragraphs(data, encoding))


def test_answers_stand_where_their_tokens_say(paragraphs):
    seen = 0
    for paragraph in paragraphs:
        for question in paragraph.questions:
            if question.span is None:
                continue
            first, stop = question.span
            start, end = paragraph.offsets[first, 0], paragraph.offsets[stop - 1, 1]
            assert question.answers[0] in paragraph.text[start:end]
            seen += 1
    assert seen == 5


def test_sentences_cover_a_paragraph(paragraphs):
    for paragraph in paragraphs:
        assert paragraph.sentences[0][0] == 0
        assert paragraph.sentences[-1][1] == len(paragraph.ids)
        for (_, end), (start, _) in zip(paragraph.sentences, paragraph.sentences[1:], strict=False):
            assert end == start


def test_titles_to_measure_on_are_those_with_unanswerable_questions(paragraphs):
    assert held_back(paragraphs) == {"Tower"}


def test_examples_hold_their_answers_and_no_others(paragraphs, encoding):
    sampler = Sampler(paragraphs, encoding, seed=1)
    texts = {paragraph.text for paragraph in paragraphs if paragraph.title != "Tower"}
    answers = {
        tuple(encoding.ids(question.answers[0]))
        for paragraph in paragraphs
        for question in paragraph.questions
        if question.answers and paragraph.text in texts
    }
    kinds = set()
    for _ in range(40):
        for example in sampler.epoch():
            ids = example.ids.tolist()
            assert ids[0] == FIRST
            assert ids[-1] == LAST
            head = ids[: example.window]
            assert head[-1] == LAST
            # Question and window are set apart, and between them, mostly, the title.
            titles = [encoding.ids(paragraph.title) for paragraph in paragraphs]
            middle = head[head.index(LAST) :]
            assert middle in [[LAST, LAST], *([LAST, LAST, *title, LAST] for title in titles)]
            kinds.add(example.end > 0)
            if example.end:
                assert example.window <= example.start <= example.end < len(ids) - 1
                marked = ids[example.start : example.end + 1]
                # The same word has another token at the start of a text than within it.
                assert any(
                    len(answer) >= len(marked) - 1 and set(answer[1:]) <= set(marked)
                    for answer in answers
                )
            else:
                assert example.start == 0
    assert kinds == {True, False}


def test_the_same_seed_gives_the_same_examples(paragraphs, encoding):
    one, other = (Sampler(paragraphs, encoding, seed=5).epoch() for _ in range(2))
    assert [example.ids.tolist() for example in one] == [example.ids.tolist() for example in other]


@pytest.mark.parametrize(
    ("question", "context", "kept"),
    [
        ("What happened in 1969?", "In 1969 and 1971 people flew.", "What happened in "),
        ("Which is the largest city?", "Berlin is the largest city.", "Which "),
        ("When did Gustave Eiffel build it?", "In Paris, Gustave Eiffel built it.", "When "),
    ],
)
def test_an_altered_question_is_another_question(question, context, kept):
    chance = random.Random(2)
    altered = {altered_question(question, context, ["Marie Curie"], chance) for _ in range(30)}
    altered.discard(None)
    assert altered
    assert question not in altered
    assert all(text and text.startswith(kept) for text in altered)


def test_a_question_without_anything_to_alter_is_left_alone():
    assert altered_question("Warum?", "Darum.", [], random.Random(1)) is None


@pytest.mark.slow
def test_training_goes_on_where_it_stopped_and_exports_a_reader(data, model_cache, tmp_path):
    import torch

    from training.export import TrainedWeights, reader_graph, rounded
    from training.network import Network

    run = tmp_path / "run"

    def train(steps: int, out: Path = run, start: Path | None = None, *more: str) -> str:
        command = [sys.executable, "-m", "training.train", str(data), "--out", str(out), *more]
        command += ["--start", str(start)] if start else []
        command += ["--epochs", "3", "--steps", str(steps), "--cache", str(model_cache)]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "goes on" not in train(1)
    assert "goes on after step 1" in train(2)
    state = torch.load(run / "averaged.pt", weights_only=True)
    encoder = E5Weights(weights_file())
    graph = tmp_path / "reader.onnx"
    folder = unpack(model_cache).folder
    encoding = Encoding(folder)
    texts = texts_of(read_paragraphs(data, encoding))
    weights, config = TrainedWeights(state, encoder), encoder.config
    model = rounded(reader_graph, weights, config, folder, texts)
    graph.write_bytes(model.SerializeToString())

    # What is exported scores as the float network does, as far as int8 can tell.
    network = Network(folder)
    network.freeze(0)
    network.load_state_dict(state, strict=False)
    network.eval()
    reader = PackagedReader(folder, graph=graph)
    rows = [[0, 5, 100, 2, 2, 77_777, 300, 4000, 2], [0, 900, 2, 2, 55, 66, 2]]
    for row in rows:
        ids = torch.tensor([row])
        with torch.no_grad():
            wanted = network(ids, ids != 1)[0].numpy().T
        found = reader._scores(row)
        assert np.corrcoef(wanted.ravel(), found.ravel())[0, 1] > 0.99

    # And what ships can be trained on from, with smoothed inputs and without.
    again = shipped_weights(graph)
    assert len(again) == 194
    for name, values in again.items():
        assert values.shape == state[name].shape
        assert (values - state[name]).norm() <= state[name].norm() / 10
    plain = reader_graph(
        TrainedWeights(state, encoder), GraphWriter(encoder.config), encoder.config
    )
    graph.write_bytes(plain.SerializeToString())
    again = shipped_weights(graph)
    assert len(again) == 194
    for name, values in again.items():
        assert values.shape == state[name].shape
        assert (values - state[name]).abs().max() <= state[name].abs().max() / 100
    for start in (run / "averaged.pt", graph):
        output = train(1, tmp_path / f"from {start.name}", start)
        assert f"goes on from {start.name}: 194 tensors" in output
    workers = ("--workers", "2", "--threads", "1")
    output = train(2, tmp_path / "selected", graph, "--select", "2", *workers)
    assert f"goes on from {graph.name}: 194 tensors" in output


def test_a_reader_finds_examples_as_hard_as_training_does(paragraphs, encoding, model_cache):
    import torch

    from training.network import Network, loss_of

    folder = unpack(model_cache).folder
    graph = Path(packaged.__file__).with_name("reader.onnx")
    network = Network(folder)
    network.freeze(0)
    network.load_state_dict(shipped_weights(graph), strict=False)
    network.eval()
    examples = Sampler(paragraphs, encoding, seed=1).epoch()
    losses = Selection(graph, folder, sure=1.0).losses(examples)
    with torch.no_grad():
        wanted = [float(loss_of(network, [example])) for example in examples]
    assert np.corrcoef(losses, wanted)[0, 1] > 0.95


def test_hard_examples_are_kept_and_the_mean_loss_stays():
    chance = np.random.default_rng(5)
    losses = chance.exponential(0.5, 200).astype(np.float32)
    losses[:100] /= 50
    counts, means = [], []
    for _ in range(400):
        places, weights = choice(losses, 1.0, chance)
        assert set(np.flatnonzero(losses >= 1.0)) <= set(places)
        counts.append(len(places))
        means.append(weights @ losses[places])
    assert np.mean(counts) < 0.5 * len(losses)
    assert abs(np.mean(means) / losses.mean() - 1.0) < 0.02
    # One at least is kept, however easy all are.
    assert all(len(choice(losses[:2], 9.0, chance)[0]) for _ in range(30))


def test_the_network_for_questions_can_be_trained_on(model_cache):
    import torch

    from training.network import Network

    folder = unpack(model_cache).folder
    path = str(resources.files("qabot.encoders.e5").joinpath("question.onnx"))
    weights = shipped_weights(Path(path))
    network = Network(folder)
    network.freeze(0)
    lacking, unknown = network.load_state_dict(weights, strict=False)
    assert not unknown
    assert not [name for name in lacking if ".encoder.layer." in name]
    network.eval()
    ids = Encoding(folder).ids("query: How high is the tower?")
    with torch.no_grad():
        states = network.hidden(
            torch.tensor([[FIRST, *ids, LAST]]), torch.ones(1, len(ids) + 2) > 0
        )
    vector = states[0].mean(0).numpy()
    (shipped,) = open_packaged(model_cache).encode_query(["How high is the tower?"])
    assert vector @ shipped / np.linalg.norm(vector) > 0.97


def test_the_encoder_ships_with_how_far_it_reaches():
    from training.ranges import measure, texts

    shipped = read_ranges()
    some = list(texts())[:40:13]
    measured = measure(some)
    assert measured.keys() == shipped.keys()
    for name, reach in measured.items():
        assert reach.shape == shipped[name].shape
        # The shipped ones are those of all texts, in half precision.
        assert np.all(reach <= shipped[name] * 1.001 + 1e-4)
        assert np.median(reach / np.maximum(shipped[name], 1e-6)) > 0.1


def test_a_folder_without_data_is_told(encoding, tmp_path):
    with pytest.raises(SystemExit, match=r"no NAME\.jsonl\.gz in it"):
        list(read_paragraphs(tmp_path, encoding))
