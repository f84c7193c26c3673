"""Word embeddings of the unpacked multilingual-e5-small, for networks that share its vocabulary.

Rows are read from the encoder's own files, which are memory-mapped: a look-up touches only the rows
that it needs, and two networks share the memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.encoders.base import FloatArray
from qabot.encoders.e5.graph_files import SCALES, WORDS
from qabot.errors import EncoderError

_BLOCK = 32


class WordEmbeddings:
    """The embedding table of an unpacked model folder.

    Args:
        folder: The model folder.
        hidden: The length of an embedding.

    Raises:
        EncoderError: The files are missing, or their sizes do not fit.
    """

    def __init__(self, folder: Path, hidden: int) -> None:
        try:
            words = np.memmap(folder / "onnx" / WORDS, np.uint8, "r")
            scales = np.memmap(folder / "onnx" / SCALES, np.float32, "r")
            self._words: NDArray[np.uint8] = words.reshape(-1, hidden // 2)
            self._scales: NDArray[np.float32] = scales.reshape(len(self._words), -1)
        except (OSError, ValueError) as error:
            raise EncoderError(
                f"{folder}: its word embeddings cannot be read ({error}); remove the folder"
            ) from error

    def rows(self, ids: NDArray[np.int64]) -> FloatArray:
        """Look up the embeddings of token ids ``(…)``: float32 ``(…, hidden)``."""
        packed = self._words[ids]
        # Four-bit two's complement; the first of a pair is in the lower half.
        pairs = np.stack([packed & 15, packed >> 4], axis=-1).view(np.int8)
        values = ((pairs ^ 8) - 8).reshape(*ids.shape, -1, _BLOCK).astype(np.float32)
        rows: FloatArray = (values * self._scales[ids][..., None]).reshape(*ids.shape, -1)
        return rows
