"""The words of segments, opened for reading, and their passages in order of languages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qabot.index.open_file import OpenFile
from qabot.index.vectors import Mask, RowArray
from qabot.index.vocabulary import Numbers, Vocabulary

K1, B = 1.2, 0.75


class SegmentWords:
    """The words of one segment, as ``write_lexical`` wrote them; safe from several threads.

    Args:
        file: The file.
        live: The passages in the index, bool ``(passages,)``; all if not given.

    Raises:
        DamagedIndexError: The file cannot be read; of any call.
        ValueError: It holds something else.
    """

    def __init__(self, file: OpenFile, live: Mask | None = None) -> None:
        self._file = file
        self.live = live
        self.vocabulary = Vocabulary.read(file.read, file.size)

    def __len__(self) -> int:
        return len(self.vocabulary.lengths)

    def read_each(self, begins: list[int], sizes: list[int]) -> list[bytes]:
        """Read the postings of words, given for each by where they begin and their size."""
        return self._file.read_each(begins, sizes)


class PassagesByLanguage:
    """The passages of all segments, numbered through by language.

    Attributes:
        numbers: Of each language.
        languages: The number of each row's language.
        starts: Where the passages of each language begin, with the end.
        firsts: Where those of a language in a segment begin: ``(segments, languages)``.
        rows: The row of each.
        live: Which of them are in the index; ``None`` for all.
        norms: How much their lengths dampen how often they hold a word.
        least: The least of these in each language.
        sizes: How many passages of each language are in the index.
    """

    def __init__(self, parts: Sequence[SegmentWords]) -> None:
        known = [part.vocabulary for part in parts]
        names = sorted({name for words in known for name in words.names})
        self.numbers = {name: number for number, name in enumerate(names)}
        moved = [np.array([self.numbers[name] for name in words.names], "<u2") for words in known]
        codes = np.concatenate(
            [np.zeros(0, "<u2"), *(m[words.codes] for m, words in zip(moved, known, strict=True))]
        )
        self.languages: NDArray[np.uint16] = codes
        lengths = np.concatenate([np.zeros(0, "<u4"), *(words.lengths for words in known)])
        self.rows: RowArray = np.argsort(codes, kind="stable")
        count = len(names)
        self.starts = np.cumsum([0, *np.bincount(codes, minlength=count)])
        held = [
            np.bincount(m[words.codes], minlength=count)
            for m, words in zip(moved, known, strict=True)
        ]
        before = np.cumsum([np.zeros(count, np.int64), *held], axis=0)[:-1]
        self.firsts: Numbers = self.starts[:-1] + before
        self.live: Mask | None = None
        if any(part.live is not None for part in parts):
            masks = [np.ones(len(p), np.bool_) if p.live is None else p.live for p in parts]
            self.live = np.concatenate(masks)[self.rows]
        self.norms = np.empty(len(codes), np.float32)
        self.least = np.zeros(count)
        self.sizes = []
        lengths = lengths[self.rows]
        for number, (first, stop) in enumerate(pairwise(self.starts.tolist())):
            here = slice(first, stop)
            own = lengths[here] if self.live is None else lengths[here][self.live[here]]
            self.sizes.append(len(own))
            relative = lengths[here] / (own.mean() if own.any() else 1.0)
            self.norms[here] = K1 * (1 - B + B * relative)
            self.least[number] = self.norms[here].min(initial=K1)
