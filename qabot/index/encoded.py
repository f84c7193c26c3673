"""Keep what a rebuild has encoded so far: one that is killed goes on from there.

A file of its own beside the generations, for encoding takes hours where all else takes minutes. It
is removed when a rebuild has ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from qabot.index.vectors import HalfArray

NAME = "encoded.sqlite"
# So many seconds of encoding may be lost, and shorter rebuilds write nothing.
SECONDS = 10.0
_SCHEMA = """
CREATE TABLE encoder (stamp TEXT NOT NULL) STRICT;
CREATE TABLE vector (
  text BLOB PRIMARY KEY, numbers BLOB NOT NULL, checksum INTEGER NOT NULL
) STRICT;
"""


class EncodedTexts:
    """Vectors of texts, by the texts' hashes.

    What cannot be read is encoded anew, and if nothing can be written, nothing is kept: neither
    stops a rebuild.

    Args:
        index: The index folder; nothing but the rebuild that holds its lock may use the file.
        stamp: Names the encoder and all that decides its vectors. Those of another are forgotten.
    """

    def __init__(self, index: Path, stamp: str) -> None:
        self._path = index / NAME
        self._stamp = stamp
        self._waiting: list[tuple[bytes, bytes, int]] = []
        self._written = time.monotonic()
        self._connection = self._reopened() if self._path.exists() else None

    def close(self) -> None:
        """Close the file."""
        if self._connection:
            self._connection.close()

    def find(self, texts: Sequence[str]) -> dict[int, HalfArray]:
        """Find vectors: place in ``texts`` → float16 ``(dimension,)``, for those that are kept."""
        if self._connection is None:
            return {}
        keys = [_key(text) for text in texts]
        marks = ", ".join("?" * len(keys))
        query = f"SELECT text, numbers, checksum FROM vector WHERE text IN ({marks})"
        kept: dict[bytes, HalfArray] = {}
        with contextlib.suppress(sqlite3.Error):
            for key, numbers, checksum in self._connection.execute(query, keys):
                if _checksum(key, numbers) == checksum:
                    kept[key] = np.frombuffer(numbers, "<f2")
        return {place: kept[key] for place, key in enumerate(keys) if key in kept}

    def add(self, texts: Sequence[str], vectors: HalfArray) -> None:
        """Keep the vectors of ``texts``: float16 ``(len(texts), dimension)``."""
        for text, vector in zip(texts, vectors, strict=True):
            key, numbers = _key(text), vector.astype("<f2").tobytes()
            self._waiting.append((key, numbers, _checksum(key, numbers)))
        if time.monotonic() - self._written >= SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet; ``find`` finds only what is."""
        with contextlib.suppress(sqlite3.Error, OSError):
            self._write()
        self._waiting.clear()
        self._written = time.monotonic()

    def _write(self) -> None:
        if self._connection is None:
            self._connection = _new(self._path, self._stamp)
        with self._connection:
            insert = "INSERT OR REPLACE INTO vector VALUES (?, ?, ?)"
            self._connection.executemany(insert, self._waiting)

    def _reopened(self) -> sqlite3.Connection | None:
        """Open what a killed rebuild has left, if it fits."""
        connection = sqlite3.connect(self._path)
        with contextlib.suppress(sqlite3.Error):
            if connection.execute("SELECT stamp FROM encoder").fetchall() == [(self._stamp,)]:
                return connection
        connection.close()
        remove_encoded(self._path.parent)
        return None


def remove_encoded(index: Path) -> None:
    """Remove the file, and SQLite's journal of it; if that fails, the next rebuild does it."""
    for path in (index / NAME, index / f"{NAME}-journal"):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _new(path: Path, stamp: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executescript(f"BEGIN; {_SCHEMA}")
            connection.execute("INSERT INTO encoder VALUES (?)", (stamp,))
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _checksum(key: bytes, numbers: bytes) -> int:
    return zlib.crc32(key + numbers)
