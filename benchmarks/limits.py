"""Compare qabot with the limits of the machine."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.comparison import Parallel, evenly
from benchmarks.harness import Document
from benchmarks.ours import Qabot
from qabot.answering.engine import Engine
from qabot.encoders import Encoder
from qabot.index import IndexStore
from qabot.indexing.encoding_plan import passage_input
from qabot.settings import Settings

_QUESTIONS = 100
# About the encoder's feed-forward layer over a batch of passages.
_ROWS, _INNER, _COLUMNS = 2048, 384, 1536
_SECONDS = 3.0


def measure(corpus: Parallel, model: str, command: str, *, documents: int) -> list[str]:
    """Write the section on limits, as lines of Markdown."""
    chosen = evenly(corpus.pool, documents)
    questions = [question.text for part in corpus.questions.values() for question in part]
    asked = evenly(questions, _QUESTIONS)
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        system = Qabot(answering=True)
        texts = [Document(**value) for value in chosen]
        system.build(texts[:8])  # One-time work does not count.
        seconds = _seconds(lambda: system.build(texts))
        system.save(index)
        system.clear()
        with Engine.open(index, settings=Settings(threshold=0.0)) as engine:
            asking, encoding = _question(engine, asked)
            tokens = _tokens(index, engine.encoder)
    work = multiply_adds(tokens, Path(model))
    reached, most = work / seconds, _integer_product()
    return [
        "| what | measured | reproduced by |",
        "|---|---:|---|",
        f"| warm question, median | {asking:.1f} ms | `{command}` |",
        f"| of that, encoding the question | {encoding:.1f} ms, {encoding / asking:.0%} | "
        f"`{command}` |",
        f"| rebuild: tokens encoded, passages and sentences | {sum(tokens)} in {seconds:.1f} s | "
        f"`{command}` |",
        f"| rebuild: multiply-adds per second, reading and writing included | "
        f"{reached / 1e9:.1f} G | `{command}` |",
        f"| integer matrix product alone, {_ROWS} × {_INNER} × {_COLUMNS} | {most / 1e9:.1f} G | "
        f"`{command}` |",
        f"| share of it that the rebuild reaches | {reached / most:.0%} | `{command}` |",
    ]


def multiply_adds(tokens: Iterable[int], model: Path) -> float:
    """Count the multiply-adds of the BERT in ``model/config.json`` for texts of these lengths."""
    shape = json.loads((model / "config.json").read_text("utf-8"))
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    # Per token: queries, keys, values and output; feed forward, in and out. Per pair of tokens:
    # one score and one weighted sum.
    each = 4 * hidden * hidden + 2 * hidden * inner
    return float(
        shape["num_hidden_layers"]
        * sum(count * each + 2 * count * count * hidden for count in tokens)
    )


def _question(engine: Engine, questions: list[str]) -> tuple[float, float]:
    """Measure an answer and the encoding of its question, in turn: median milliseconds."""
    asking, encoding = [], []
    for question in questions[:8]:
        engine.ask(question)
    for question in questions:
        asking.append(_seconds(partial(engine.ask, question)))
        encoding.append(_seconds(partial(engine.encoder.encode_query, [question])))
    return statistics.median(asking) * 1000, statistics.median(encoding) * 1000


def _tokens(index: Path, encoder: Encoder) -> list[int]:
    """Count the tokens of each passage and sentence, as the rebuild encodes them."""
    generation = IndexStore(index).open()
    try:
        texts = []
        for row in generation.rows.tolist():
            passage, info = generation.database.passage(row)
            texts.append(passage_input(info.title, passage))
            texts += [passage.text[start:end] for start, end in passage.sentences]
    finally:
        generation.close()
    return encoder.count_tokens(texts)


def _integer_product() -> float:
    """Measure ONNX Runtime's product of 8-bit integers, in multiply-adds per second."""
    import onnxruntime
    from onnx import TensorProto, helper

    random = np.random.default_rng(0)
    left = random.integers(0, 255, (_ROWS, _INNER), np.uint8)
    right = random.integers(-127, 127, (_INNER, _COLUMNS), np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, left.shape)],
        [helper.make_tensor_value_info("product", TensorProto.INT32, (_ROWS, _COLUMNS))],
        [helper.make_tensor("right", TensorProto.INT8, right.shape, right.tobytes(), raw=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    times = [_seconds(lambda: session.run(None, {"left": left})) for _ in range(5)]
    until = time.perf_counter() + _SECONDS
    while time.perf_counter() < until:
        times.append(_seconds(lambda: session.run(None, {"left": left})))
    return _ROWS * _INNER * _COLUMNS / statistics.median(times)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
