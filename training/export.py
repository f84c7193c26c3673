"""Write trained weights as the reader that ships: fused, int8, without word embeddings.

``python -m training.export RUN/averaged.pt qabot/reader/reader.onnx``

With ``--float32``, nothing is rounded: such a file shows what rounding costs, and is not shipped.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import platformdirs
import torch
from numpy.typing import NDArray

from qabot.encoders.e5_folder import LINEAR
from qabot.encoders.e5_graph import Array, GraphWriter
from qabot.encoders.e5_weights import E5Weights
from qabot.encoders.packaged import unpack, weights_file

# Windows and questions never come near this many tokens; further places would weigh for nothing.
POSITIONS = 320


class TrainedWeights:
    """The tensors of a trained reader under the names of ``e5_weights``.

    What is frozen in training, the embeddings, is the encoder's.
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
        array: NDArray[np.float32] = self._state[key].float().numpy()
        return array.reshape(shape)

    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights ``(hidden, 2)`` and bias ``(2,)`` of the scores of starts and ends."""
        weight, bias = self._state["head.weight"], self._state["head.bias"]
        return weight.float().numpy().T, bias.float().numpy()


class FloatGraphWriter(GraphWriter):
    """Writes the same network in float32."""

    def linear(self, name: str, source: str, matrix: Array, bias: Array, output: str) -> str:
        """``source`` times ``matrix`` ``(in, out)``, plus ``bias`` ``(out,)``."""
        product = self.node("MatMul", [source, self.value(f"{name}.w", matrix)], f"{name}.product")
        return self.node("Add", [product, self.value(f"{name}.b", bias)], output)

    def attention(self, name: str, hidden: str, matrix: Array, bias: Array) -> str:
        """Attention over ``hidden``; ``matrix`` ``(in, 3 · out)`` makes queries, keys, values."""
        constants = [self.value(f"{name}.w", matrix), self.value(f"{name}.b", bias)]
        inputs = [hidden, *constants, "mask.length"]
        return self.node("Attention", inputs, f"{name}.out", num_heads=self._config.heads)


def reader_graph(
    weights: TrainedWeights, shape: E5Weights, writer: type[GraphWriter] = GraphWriter
) -> onnx.ModelProto:
    """The network: word embeddings ``(batch, tokens, hidden)`` → scores ``(batch, tokens, 2)``."""
    config = shape.config
    graph = writer(config)
    hidden = graph.embeddings(weights, "words", length_of="attention_mask")
    for layer in range(config.layers):
        hidden = graph.layer(weights, layer, hidden)
    matrix, bias = weights.head()
    graph.value("head.w", matrix)
    graph.value("head.b", bias)
    product = graph.node("MatMul", [hidden, "head.w"], "head.product")
    scores = graph.node("Add", [product, "head.b"], "head.sum")
    return graph.model(
        "qabot reader",
        {
            "words": ["batch", "tokens", config.hidden],
            "attention_mask": ["batch", "tokens"],
        },
        {"scores": (scores, 2)},
    )


def main() -> None:
    """Export as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--float32", action="store_true", help="don't round")
    options = parser.parse_args()
    unpack(platformdirs.user_cache_path("qabot"), print)
    encoder = E5Weights(weights_file())
    state = torch.load(options.weights, weights_only=True)
    writer = FloatGraphWriter if options.float32 else GraphWriter
    onnx.save(reader_graph(TrainedWeights(state, encoder), encoder, writer), options.out)
    digest = hashlib.sha256(options.out.read_bytes()).hexdigest()
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}")


if __name__ == "__main__":
    main()
