"""The reader and the network for questions that ship, as weights to train on from.

Its matrices are int8 with a scale for each output; what training then changes is far more than what
the rounding took away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from qabot.encoders.e5.folder import LINEAR

_BODY = "bert.encoder.layer"
_NORMS = {"middle.norm": "attention.output.LayerNorm", "out.norm": "output.LayerNorm"}


def shipped_weights(path: Path) -> dict[str, torch.Tensor]:
    """What ``training.export`` wrote, under the names of ``training.network.Network``.

    Args:
        path: A ``reader.onnx`` or ``question.onnx``.

    Returns:
        Float32 tensors of the layers, and of a reader's head.
    """
    graph = onnx.load(path).graph
    names = {theirs: ours for ours, theirs in LINEAR.items()}
    values = {value.name: numpy_helper.to_array(value) for value in graph.initializer}
    layers = sum(name.endswith(".attention.w") for name in values)
    found: dict[str, NDArray[np.float32]] = {}
    if "head.w" in values:
        found = {"head.weight": values["head.w"].T, "head.bias": values["head.b"]}
    for layer in range(layers):
        ours, theirs = f"layer.{layer}", f"{_BODY}.{layer}"
        joined = np.split(_matrix(values, f"{ours}.attention"), 3, axis=1)
        biases = np.split(values[f"{ours}.attention.b"], 3)
        for part, matrix, bias in zip("qkv", joined, biases, strict=True):
            found[f"{theirs}.{names[part]}.weight"] = matrix.T
            found[f"{theirs}.{names[part]}.bias"] = bias
        for part in ("ao", "fi", "fo"):
            found[f"{theirs}.{names[part]}.weight"] = _matrix(values, f"{ours}.{part}").T
            found[f"{theirs}.{names[part]}.bias"] = values[f"{ours}.{part}.b"]
        for name, norm in _NORMS.items():
            found[f"{theirs}.{norm}.weight"] = values[f"{ours}.{name}.w"]
            found[f"{theirs}.{norm}.bias"] = values[f"{ours}.{name}.b"]
    return {name: torch.from_numpy(np.array(array)) for name, array in found.items()}


def _matrix(values: dict[str, NDArray[np.generic]], name: str) -> NDArray[np.float32]:
    """An int8 matrix ``(in, out)`` as float32, for inputs that are not smoothed."""
    matrix: NDArray[np.float32] = values[f"{name}.w"].astype(np.float32)
    matrix *= values[f"{name}.w.scale"].astype(np.float32)
    if (smooth := values.get(f"{name}.smooth")) is not None:
        matrix *= smooth.astype(np.float32)[:, None]
    return matrix
