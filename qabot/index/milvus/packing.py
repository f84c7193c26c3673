"""Numbers as text: Milvus stores no bytes beside its vectors, but text of up to 65,535 bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qabot.index.sentences import Packed, pack
from qabot.index.vectors import FloatArray

LONGEST = 65_535
"""Bytes of a text, at most."""
_PIECE = LONGEST // 4
_WORDS_KEPT = 1 << 16
_PAIRS = np.dtype([("key", "<u4"), ("count", "<u4")])
_FEW = np.dtype([("key", "<u4"), ("count", "u1")])


def pieces(value: Any) -> list[str]:
    """A value as JSON, in pieces that Milvus can store."""
    text = json.dumps(value, ensure_ascii=False)
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


def tag(kind: str, value: str) -> int:
    """A number for a value to filter by: of 63 bits, so that two hardly ever have the same."""
    digest = hashlib.blake2b(f"{kind} {value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@lru_cache(_WORDS_KEPT)
def term_key(language: str, term: str) -> int:
    """A number of 32 bits for a term of a language."""
    digest = hashlib.blake2b(f"{language} {term}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def pack_terms(language: str, terms: Sequence[str]) -> str:
    """The terms of a passage, and how often each stands there, up to 255 times."""
    counts = Counter(term_key(language, term) for term in terms)
    pairs = np.array([(key, min(255, n)) for key, n in sorted(counts.items())], _FEW)
    return base64.b64encode(pairs.tobytes()).decode()


def unpack_terms(
    packed: Iterable[str],
) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.int64]]:
    """Read what ``pack_terms`` wrote for some passages.

    Returns:
        The keys of all, those of each passage rising; their counts; and where those of each passage
        begin, with the end.
    """
    parts = [base64.b64decode(some) for some in packed]
    pairs = np.frombuffer(b"".join(parts), _FEW)
    starts = np.cumsum([0, *(len(part) // _FEW.itemsize for part in parts)], dtype=np.int64)
    return pairs["key"], pairs["count"], starts


def pack_counts(counts: Mapping[int, int]) -> str:
    """How many passages hold each of some terms."""
    pairs = np.array(sorted(counts.items()), _PAIRS)
    return base64.b64encode(pairs.tobytes()).decode()


def unpack_counts(packed: str) -> dict[int, int]:
    """Read what ``pack_counts`` wrote."""
    pairs = np.frombuffer(base64.b64decode(packed), _PAIRS)
    return dict(zip(pairs["key"].tolist(), pairs["count"].tolist(), strict=True))


def columns(dimension: int, sentences: int) -> int:
    """How many texts take up so many sentence vectors."""
    return -(-(-(-sentences * dimension // 3) * 4) // LONGEST)


def pack_sentences(vectors: FloatArray) -> str:
    """Sentence vectors of one passage, in 8 bits."""
    return base64.b64encode(pack(vectors).tobytes()).decode()


def unpack_sentences(packed: Iterable[str], dimension: int) -> Packed:
    """Read what ``pack_sentences`` wrote, perhaps cut up: int8 ``(sentences, dimension)``."""
    data = base64.b64decode("".join(packed))
    return np.frombuffer(data, np.int8).reshape(-1, dimension)


def day(written: str, least: int) -> int:
    """A date of which day or month may be missing, as a number: "2022-03" → 20220300 or 20220399.

    Args:
        least: What stands for a month or a day that is missing.
    """
    year, month, date = [*map(int, written.split("-")), least, least][:3]
    return 10_000 * year + 100 * month + date
