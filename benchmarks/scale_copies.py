"""A large index for ``benchmarks.scale``: ten copies of a smaller one."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.scale_articles import COPIES, DIMENSION, copied
from qabot.encoders.base import normalize
from qabot.index import IndexStore, SegmentStamp
from qabot.index import manifest as files
from qabot.index.manifest import stamps
from qabot.index.vectors import write_codes

# The length of what is added to a vector of length 1.
_NOISE = 0.5
# Of a number of a sentence's vector, of which the largest is 127.
_LARGEST_NOISE = 12


def grow(smaller: Path, folder: Path) -> int:
    """Make an index of ten copies of the next smaller one; return how many passages it has.

    Args:
        smaller, folder: Each holds ``articles`` and ``index``; ``folder/index`` is written.
    """
    index, source = folder / "index", smaller / "index"
    shutil.copytree(source / files.GENERATIONS, index / files.GENERATIONS)
    shutil.copy(source / "CURRENT", index)
    with contextlib.closing(IndexStore(source).open(whole=False)) as generation:
        made, place = generation.manifest, generation.folder.relative_to(source)
    parts: list[SegmentStamp] = []
    for copy in range(COPIES):
        for segment in made.segments:
            parts.append(_copied(smaller, folder, segment, copy, len(parts) + 1))
    larger = replace(
        made,
        sources=(str(folder / "articles"),),
        articles=made.articles * COPIES,
        passages=made.passages * COPIES,
        languages={name: count * COPIES for name, count in made.languages.items()},
        segments=tuple(parts),
    )
    larger.write(index / place)
    return larger.passages


def _copied(
    smaller: Path, folder: Path, made: SegmentStamp, copy: int, number: int
) -> SegmentStamp:
    """Copy a segment under another name, with other ids and noise in its vectors."""
    name = f"{made.name.partition('-')[0]}-{number}"
    target = folder / "index" / files.SEGMENTS / name
    shutil.copytree(smaller / "index" / files.SEGMENTS / made.name, target)
    with contextlib.closing(sqlite3.connect(target / files.DATABASE)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        rows = connection.execute("SELECT row, source FROM article").fetchall()
        for row, source in rows:
            moved = copied(Path(source), smaller / "articles", folder / "articles", copy)
            connection.execute(
                "UPDATE article SET id = ?, source = ? WHERE row = ?",
                (str(moved.relative_to(folder / "articles").with_suffix("")), str(moved), row),
            )
    chance = np.random.default_rng(number)
    vectors = np.load(target / files.VECTORS).astype(np.float32)
    articles = chance.standard_normal((made.articles, DIMENSION), np.float32)
    noise = articles.repeat(-(-made.passages // made.articles), axis=0)[: made.passages]
    noise += chance.standard_normal(vectors.shape, np.float32)
    vectors = normalize(vectors + noise * np.float32(_NOISE / (2 * DIMENSION) ** 0.5))
    np.save(target / files.VECTORS, vectors.astype(np.float16))
    if files.CODES in made.files:
        write_codes(target / files.CODES, vectors.astype(np.float16))
    sentences = np.load(target / files.SENTENCES, mmap_mode="r+")
    for at in range(0, len(sentences), 100_000):
        some = sentences[at : at + 100_000].astype(np.int16)
        some += chance.integers(-_LARGEST_NOISE, _LARGEST_NOISE + 1, some.shape, np.int8)
        sentences[at : at + 100_000] = some.clip(-127, 127)
    sentences.flush()
    return replace(made, name=name, files=stamps(target, tuple(made.files)))
