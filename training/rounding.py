"""The reader's network in float32, and in int8 with inputs scaled so that rounding costs little.

In int8, all inputs of a matrix product share one scale, so the few channels that reach far leave
the others a handful of levels: every fourth answer had another span than in float32. Dividing each
channel by a factor, and multiplying the matrix's row by it, changes nothing but lets the matrix,
which has a scale for each of its outputs, carry a part of the range (Xiao et al., "SmoothQuant",
2023).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from qabot.encoders.e5_graph import Array, GraphWriter
from qabot.encoders.e5_weights import E5Config
from qabot.encoders.e5_words import WordEmbeddings
from training.data import Paragraph
from training.sampling import example_of

# Name of a matrix product → the highest absolute value of each channel of its input ``(in,)``.
Ranges = Mapping[str, Array]

# How much of a channel's range the matrix takes over; of 0.5 to 0.9, the nearest to float32.
_SHARE = 0.7
# Of a channel that stays at nothing.
_LEAST = 1e-5
# Paragraphs of each data set, and tokens of each, on which ranges are measured.
_PARAGRAPHS, _TOKENS = 10, 150


class FloatGraphWriter(GraphWriter):
    """Writes the network in float32.

    Attributes:
        inputs: Name of each matrix product → the value that it takes.
    """

    def __init__(self, config: E5Config) -> None:
        super().__init__(config)
        self.inputs: dict[str, str] = {}

    def linear(self, name: str, source: str, matrix: Array, bias: Array, output: str) -> str:
        """``source`` times ``matrix`` ``(in, out)``, plus ``bias`` ``(out,)``."""
        self.inputs[name] = source
        product = self.node("MatMul", [source, self.value(f"{name}.w", matrix)], f"{name}.product")
        return self.node("Add", [product, self.value(f"{name}.b", bias)], output)

    def attention(self, name: str, hidden: str, matrix: Array, bias: Array) -> str:
        """Attention over ``hidden``; ``matrix`` ``(in, 3 · out)`` makes queries, keys, values."""
        self.inputs[name] = hidden
        constants = [self.value(f"{name}.w", matrix), self.value(f"{name}.b", bias)]
        inputs = [hidden, *constants, "mask.length"]
        return self.node("Attention", inputs, f"{name}.out", num_heads=self._config.heads)


class SmoothGraphWriter(GraphWriter):
    """Writes the network in int8, each product's input divided by a factor for each channel."""

    def __init__(self, config: E5Config, ranges: Ranges) -> None:
        super().__init__(config)
        self._ranges = ranges

    def linear(self, name: str, source: str, matrix: Array, bias: Array, output: str) -> str:
        """``source`` times ``matrix`` ``(in, out)``, plus ``bias`` ``(out,)``."""
        return super().linear(name, *self._smooth(name, source, matrix), bias, output)

    def attention(self, name: str, hidden: str, matrix: Array, bias: Array) -> str:
        """Attention over ``hidden``; ``matrix`` ``(in, 3 · out)`` makes queries, keys, values."""
        return super().attention(name, *self._smooth(name, hidden, matrix), bias)

    def _smooth(self, name: str, source: str, matrix: Array) -> tuple[str, Array]:
        reach = np.maximum(self._ranges[name], _LEAST)
        factors = reach**_SHARE / np.maximum(np.abs(matrix).max(axis=1), _LEAST) ** (1 - _SHARE)
        factors = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        inverse = self.value(f"{name}.smooth", 1 / factors)
        smooth = self.node("Mul", [source, inverse], f"{name}.smoothed")
        return smooth, matrix * factors[:, None]


def measured_ranges(
    model: onnx.ModelProto,
    inputs: Mapping[str, str],
    words: WordEmbeddings,
    texts: Iterable[NDArray[np.int32]],
) -> Ranges:
    """How far each channel reaches over ``texts``.

    Args:
        model: What a ``FloatGraphWriter`` wrote.
        inputs: The writer's.
        texts: Token ids ``(n,)`` of questions with windows.
    """
    sources = sorted(set(inputs.values()))
    for source in sources:
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, None)
        )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    reach: dict[str, Array] = {}
    for ids in texts:
        row = ids[None].astype(np.int64)
        feed = {"words": words.rows(row), "attention_mask": np.ones_like(row)}
        for source, values in zip(sources, session.run(sources, feed), strict=True):
            highest = np.abs(values[0]).max(axis=0)
            reach[source] = np.maximum(reach.get(source, 0.0), highest)
    return {name: reach[source] for name, source in inputs.items()}


def texts_of(paragraphs: Iterable[Paragraph]) -> list[NDArray[np.int32]]:
    """Questions with the beginning of their paragraph, some of each data set."""
    by_set = defaultdict(list)
    for paragraph in paragraphs:
        if paragraph.questions and len(paragraph.ids):
            by_set[paragraph.dataset].append(paragraph)
    chance = random.Random(7)
    return [
        example_of(question.ids, paragraph, (0, min(len(paragraph.ids), _TOKENS)), None).ids
        for found in by_set.values()
        for paragraph in chance.sample(found, min(len(found), _PARAGRAPHS))
        for question in [chance.choice(paragraph.questions)]
    ]
