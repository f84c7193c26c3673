"""A model folder whose vectors can be worked out by hand.

The network gives each token a vector with a single 1, at the token's id. So mean pooling counts the
tokens: "cat dog cat" has √⅐ at [CLS], [SEP] and dog, and twice that at cat.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tokenizers
from onnx import TensorProto, helper, numpy_helper

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "dog", "bird", "ask:", "read:")
PAD, UNK, CLS, SEP = range(4)
NAMES = ("input_ids", "attention_mask")


def write_folder(
    folder: Path,
    *,
    configs: Mapping[str, Any] | None = None,
    graph: str = "onnx/model.onnx",
    inputs: Iterable[str] = NAMES,
    pooled: bool = False,
    size: int | str = len(WORDS),
    table: np.ndarray | None = None,
    external: str | None = None,
) -> Path:
    """Write a model folder.

    Args:
        configs: File name → content, as JSON.
        inputs: What the network takes.
        pooled: The network gives a vector for each text, not for each token.
        size: What the graph says about the size of its vectors: the number or a name.
        table: The tokens' vectors.
        external: The file beside the graph that holds its weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (configs or {}).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content), "utf-8")
    (folder / graph).parent.mkdir(exist_ok=True)
    _write_graph(folder / graph, list(inputs), pooled, size, table, external)
    _tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _write_graph(
    path: Path,
    inputs: list[str],
    pooled: bool,
    size: int | str,
    table: np.ndarray | None,
    external: str | None,
) -> None:
    rows = np.eye(len(WORDS)) if table is None else table
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["states"])]
    # The other inputs are read, and change nothing.
    last = "states"
    for name in inputs[1:]:
        nodes += [
            helper.make_node("Cast", [name], [f"{name}.float"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", [f"{name}.float", "two"], [f"{name}.column"]),
            helper.make_node("Mul", [f"{name}.column", "zero"], [f"{name}.zero"]),
            helper.make_node("Add", [last, f"{name}.zero"], [f"{name}.states"]),
        ]
        last = f"{name}.states"
    if isinstance(size, str):  # ONNX Runtime would find the number out, but for this.
        nodes += [
            helper.make_node("Shape", ["input_ids"], ["shape"]),
            helper.make_node("Concat", ["shape", "rest"], ["states.shape"], axis=0),
            helper.make_node("Reshape", [last, "states.shape"], ["states.again"]),
        ]
        last = "states.again"
    if pooled:
        nodes.append(helper.make_node("ReduceSum", [last, "one"], ["out"], keepdims=0))
    else:
        nodes.append(helper.make_node("Identity", [last], ["out"]))
    shape: list[int | str] = ["batch", size] if pooled else ["batch", "tokens", size]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "tiny",
            [
                helper.make_tensor_value_info(n, TensorProto.INT64, ["batch", "tokens"])
                for n in inputs
            ],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, shape)],
            [
                numpy_helper.from_array(rows.astype(np.float32), "table"),
                numpy_helper.from_array(np.array(0, np.float32), "zero"),
                numpy_helper.from_array(np.array([1], np.int64), "one"),
                numpy_helper.from_array(np.array([2], np.int64), "two"),
                numpy_helper.from_array(np.array([-1], np.int64), "rest"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 21)],
        ir_version=10,
    )
    onnx.save(
        model,
        path,
        save_as_external_data=external is not None,
        location=external,
        size_threshold=64,
    )


def _tokenizer(around: bool = True) -> tokenizers.Tokenizer:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    if around:
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
        )
    # As they come: folders keep the settings of their training, which must not take effect.
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=5)
    return tokenizer


def write_plain_tokenizer(folder: Path) -> None:
    """Put a tokenizer there that adds no special tokens."""
    _tokenizer(around=False).save(str(folder / "tokenizer.json"))


def ids(text: str) -> list[int]:
    """The tokens of a text, without special ones."""
    return [WORDS.index(word) if word in WORDS else UNK for word in text.split()]


def counts(*tokens: int) -> np.ndarray:
    """The vector of these tokens, of length 1."""
    vector = np.bincount(tokens, minlength=len(WORDS)).astype(np.float32)
    return vector / np.linalg.norm(vector)
