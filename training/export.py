"""Write trained weights as the networks that ship: fused, int8, without word embeddings.

``python -m training.export RUN/averaged.pt DATA qabot/answering/reader/reader.onnx``, and
for what
``training.questions`` wrote ``python -m training.export RUN/questions.pt DATA
qabot/encoders/e5/question.onnx --questions``.

How far the network's values reach, which rounding has to know, is measured on texts of DATA, the
folder that training read. In place of ``averaged.pt``, a ``reader.onnx`` can be rounded anew. With
``--float32``, nothing is rounded: such a file shows what rounding costs, and is not shipped.
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import platformdirs
import torch
from numpy.typing import NDArray

from qabot.encoders.e5.folder import LINEAR
from qabot.encoders.e5.graph import GraphWriter
from qabot.encoders.e5.packaged import unpack, weights_file
from qabot.encoders.e5.weights import E5Config, E5Weights
from qabot.encoders.e5.words import WordEmbeddings
from training.data import FIRST, LAST, Encoding, read_paragraphs
from training.rounding import FloatGraphWriter, measured_ranges, texts_of
from training.shipped import shipped_weights

# Windows and questions never come near this many tokens; further places would weigh for nothing.
POSITIONS = 320
# Paragraphs of each set that ranges are measured on, and questions of them all.
_ENOUGH, _QUESTIONS = 40, 600


class TrainedWeights:
    """The tensors of a trained reader under the names of ``e5_weights``.

    What training leaves as it is, embeddings among it, is the encoder's.
    """

    def __init__(self, state: dict[str, torch.Tensor], frozen: E5Weights) -> None:
        self._state, self._frozen = state, frozen
        self._names = {
            **{f"{theirs}.w": f"{ours}.weight" for ours, theirs in LINEAR.items()},
            **{f"{theirs}.b": f"{ours}.bias" for ours, theirs in LINEAR.items()},
            "aln.w": "attention.output.LayerNorm.weight",
            "aln.b": "attention.output.LayerNorm.bias",
            "oln.w": "output.LayerNorm.weight",
            "oln.b": "output.LayerNorm.bias",
        }

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Tensor ``name`` as float32, reshaped to ``shape`` (``-1`` allowed)."""
        if name.startswith("emb."):
            values = self._frozen.tensor(name, *shape)
            return values[:POSITIONS] if name == "emb.pos" else values
        layer, part = name.split(".", 1)
        key = f"bert.encoder.layer.{layer[1:]}.{self._names[part]}"
        if key not in self._state:
            return self._frozen.tensor(name, *shape)
        array: NDArray[np.float32] = self._state[key].float().numpy()
        return array.reshape(shape)

    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights ``(hidden, 3)`` and bias ``(3,)`` of the scores of starts, ends and answers."""
        weight, bias = self._state["head.weight"], self._state["head.bias"]
        return weight.float().numpy().T, bias.float().numpy()


def reader_graph(weights: TrainedWeights, graph: GraphWriter, config: E5Config) -> onnx.ModelProto:
    """The network: word embeddings ``(batch, tokens, hidden)`` → scores ``(batch, tokens, 3)``."""
    hidden, inputs = _layers(weights, graph, config)
    matrix, bias = weights.head()
    graph.value("head.w", matrix)
    graph.value("head.b", bias)
    product = graph.node("MatMul", [hidden, "head.w"], "head.product")
    scores = graph.node("Add", [product, "head.b"], "head.sum")
    return graph.model("qabot reader", inputs, {"scores": (scores, matrix.shape[1])})


def question_graph(
    weights: TrainedWeights, graph: GraphWriter, config: E5Config
) -> onnx.ModelProto:
    """The network: word embeddings of questions → states, both ``(batch, tokens, hidden)``."""
    hidden, inputs = _layers(weights, graph, config)
    return graph.model("qabot questions", inputs, {"last_hidden_state": (hidden, config.hidden)})


def _layers(
    weights: TrainedWeights, graph: GraphWriter, config: E5Config
) -> tuple[str, dict[str, list[str | int]]]:
    hidden = graph.embeddings(weights, "words", length_of="attention_mask")
    for layer in range(config.layers):
        hidden = graph.layer(weights, layer, hidden)
    inputs: dict[str, list[str | int]] = {
        "words": ["batch", "tokens", config.hidden],
        "attention_mask": ["batch", "tokens"],
    }
    return hidden, inputs


Graph = Callable[[TrainedWeights, GraphWriter, E5Config], onnx.ModelProto]


def rounded(
    build: Graph,
    weights: TrainedWeights,
    config: E5Config,
    folder: Path,
    texts: Iterable[NDArray[np.int32]],
) -> onnx.ModelProto:
    """The network in int8.

    Args:
        folder: The unpacked folder of the packaged encoder.
        texts: Token ids of what the network reads, to measure how far its values reach.
    """
    graph = FloatGraphWriter(config)
    exact = build(weights, graph, config)
    words = WordEmbeddings(folder, config.hidden)

    def feed(ids: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        row = ids[None].astype(np.int64)
        return {"words": words.rows(row), "attention_mask": np.ones_like(row)}

    ranges = measured_ranges(exact, graph.inputs, map(feed, texts))
    return build(weights, GraphWriter(config, ranges), config)


def _questions(data: Path, encoding: Encoding) -> Iterator[NDArray[np.int32]]:
    prefix = encoding.ids("query:")
    found = [q for p in read_paragraphs(data, encoding, _ENOUGH) for q in p.questions]
    for question in random.Random(7).sample(found, min(len(found), _QUESTIONS)):
        yield np.array([FIRST, *prefix, *question.ids, LAST], np.int32)


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", action="store_true", help="the encoder's, for questions")
    parser.add_argument("--float32", action="store_true", help="don't round")
    options = parser.parse_args()
    folder = unpack(platformdirs.user_cache_path("qabot"), print).folder
    encoder = E5Weights(weights_file())
    if options.weights.suffix == ".onnx":
        state = shipped_weights(options.weights)
    else:
        state = torch.load(options.weights, weights_only=True)
    weights, config = TrainedWeights(state, encoder), encoder.config
    build: Graph = question_graph if options.questions else reader_graph
    encoding = Encoding(folder)
    if options.float32:
        model = build(weights, FloatGraphWriter(config), config)
    elif options.questions:
        model = rounded(build, weights, config, folder, _questions(options.data, encoding))
    else:
        texts = texts_of(read_paragraphs(options.data, encoding, _ENOUGH))
        model = rounded(build, weights, config, folder, texts)
    onnx.save(model, options.out)
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")


if __name__ == "__main__":
    main()
