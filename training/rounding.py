"""The networks in float32, and how far the inputs of their matrix products reach.

That is what ``qabot.encoders.e5.graph`` needs to know to round them with little loss: with all
channels of an input rounded alike, every fourth answer had another span than in float32.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from qabot.encoders.e5.graph import Array, GraphWriter, Ranges
from qabot.encoders.e5.weights import E5Config
from training.data import Paragraph
from training.sampling import example_of

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


def measured_ranges(
    model: onnx.ModelProto,
    inputs: Mapping[str, str],
    feeds: Iterable[Mapping[str, NDArray[np.generic]]],
) -> Ranges:
    """How far each channel reaches.

    Args:
        model: What a ``FloatGraphWriter`` wrote.
        inputs: The writer's.
        feeds: What to run the model on, one text at a time.
    """
    sources = sorted(set(inputs.values()))
    for source in sources:
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(source, onnx.TensorProto.FLOAT, None)
        )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    reach: dict[str, Array] = {}
    for feed in feeds:
        for source, values in zip(sources, session.run(sources, dict(feed)), strict=True):
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
