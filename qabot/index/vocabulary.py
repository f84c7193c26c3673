"""The file of a segment's words: which passages hold a word, and how often; an inverted index.

A word is known by a hash of its language and itself. The hashes of a segment are one sorted array,
so that all words of a question are looked for at once, in every language: most languages have none
of them, and those cost nothing more. (Where an index has ten million words, two of them have the
same hash with a chance of one in 40,000; they then count as one word.)

Passages are numbered within their language. The postings of a word are records: the step from the
passage before, and how often the passage holds the word. They are as narrow as they can be for a
word: frequent words make small steps, and rare ones mostly stand once in a passage.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Kinds = NDArray[np.intp]
"""How postings are packed."""
Keys = NDArray[np.uint64]
"""Hashes of words. In a file, the last three bits are the kind of the postings."""

MAGIC = b"qwords 1"
# Passages, words, bytes of the names of languages, bytes of postings.
HEADER = struct.Struct("<8sQQQQ")
KIND_BITS = np.uint64(7)
STEP, OFTEN = "step", "often"
# By kind. The first has the passage's number instead of a step, for words of few passages that lie
# far apart; the last one holds anything.
RECORDS = tuple(
    np.dtype(fields)
    for fields in (
        "<u4",
        [(STEP, "u1")],
        [(STEP, "u1"), (OFTEN, "u1")],
        [(STEP, "<u2")],
        [(STEP, "<u2"), (OFTEN, "u1")],
        [(STEP, "<u4"), (OFTEN, "<u4")],
    )
)
APART, ANYTHING = 0, 5
SIZES = np.array([record.itemsize for record in RECORDS])
ONCE = np.array([record.names == (STEP,) for record in RECORDS])
"""Kinds of words that no passage holds twice."""
# Of the number and the count in one record, the bits of the count.
COUNT_BITS = 8
MOST_COUNT, MOST_NUMBER = (1 << COUNT_BITS) - 1, (1 << 32 - COUNT_BITS) - 1


def keys_of(words: Iterable[tuple[str, str]]) -> Keys:
    """Hash words, each given after its language."""
    digests = [
        blake2b(f"{language} {word}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        for language, word in words
    ]
    return np.frombuffer(b"".join(digests), "<u8") & ~KIND_BITS


@dataclass(frozen=True, slots=True)
class Places:
    """Where words that were looked for are in a file.

    Attributes:
        which: The words, by their place among those that were wanted.
        kinds, begins, sizes: Of the postings of each: the kind, and the bytes.
    """

    which: Kinds
    kinds: Kinds
    begins: Numbers
    sizes: Numbers

    @property
    def held(self) -> Numbers:
        """How many passages hold each."""
        held: Numbers = self.sizes // SIZES[self.kinds]
        return held


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A file of words, without the postings.

    Attributes:
        names: Languages.
        codes, lengths: Of each passage its language, as a place in ``names``, and how many words.
        keys: Of each word, rising; each has its kind in it.
        bounds: Where the postings of each begin, with the end: bytes from ``postings`` on.
        postings: Where they begin in the file.
    """

    names: list[str]
    codes: NDArray[np.uint16]
    lengths: NDArray[np.uint32]
    keys: Keys
    bounds: NDArray[np.uint32]
    postings: int

    @classmethod
    def read(cls, read: Callable[[int, int], bytes], size: int) -> Vocabulary:
        """Read it.

        Args:
            read: Gives bytes of the file: from where, and how many.
            size: Of the file.

        Raises:
            ValueError: It is something else.
        """
        at = HEADER.size
        if size < at:
            raise ValueError("holds no words")
        magic, passages, words, named, packed = HEADER.unpack(read(0, at))
        kinds = ((named, "u1"), (passages, "<u2"), (passages, "<u4"), (words, "<u8"))
        parts = []
        for count, kind in (*kinds, (words + 1, "<u4")):
            length = count * np.dtype(kind).itemsize
            if magic != MAGIC or at + length > size:
                raise ValueError("holds no words")
            parts.append(np.frombuffer(read(at, length), kind))
            at += length
        names, codes, lengths, keys, bounds = parts
        if at + 2 * words + packed != size:
            raise ValueError("has another size than its words")
        known = names.tobytes().decode("ascii").split()
        return cls(known, codes, lengths, keys, bounds, size - packed)

    def by_language(self) -> tuple[Numbers, Numbers]:
        """Number the passages within their languages.

        Returns:
            The passages in order of their languages; where each language begins, with the end.
        """
        order = np.argsort(self.codes, kind="stable")
        return order, self.codes[order].searchsorted(np.arange(len(self.names) + 1))

    def find(self, wanted: Keys) -> Places:
        """Look for words by their keys, which rise."""
        if not len(self.keys):
            nothing = np.zeros(0, np.int64)
            return Places(nothing, nothing, nothing, nothing)
        places = self.keys.searchsorted(wanted)
        places[places == len(self.keys)] = 0
        which = np.flatnonzero((self.keys[places] ^ wanted) <= KIND_BITS)
        places = places[which]
        begins = self.bounds[places].astype(np.int64)
        kinds = (self.keys[places] & KIND_BITS).astype(np.intp)
        return Places(which, kinds, begins + self.postings, self.bounds[places + 1] - begins)


@dataclass(frozen=True, slots=True)
class Postings:
    """The postings of some words, one word after the other.

    Attributes:
        words: Which words, by their place among those given; rising.
        held: How many passages hold each.
        places: The passages.
        counts: How often each holds the word.
    """

    words: Kinds
    held: Numbers
    places: Numbers
    counts: NDArray[np.integer[Any]]


def unpack(packed: Sequence[bytes], kinds: Kinds, firsts: Numbers) -> list[Postings]:
    """Read the postings of words, given for each; those of one kind are together.

    Args:
        firsts: The place of the first passage in the language of each word; the others follow it.

    Raises:
        ValueError: They are none.
    """
    found = []
    # Not np.unique: by itself, it loads numpy.ma, a fiftieth of the time to a first answer.
    for kind in sorted(set(kinds.tolist())):
        words = np.flatnonzero(kinds == kind)
        mine = [packed[word] for word in words.tolist()]
        held = np.fromiter(map(len, mine), np.int64, len(mine)) // SIZES[kind]
        records = np.frombuffer(b"".join(mine), RECORDS[kind])
        if kind == APART:
            wide = records.astype(np.int64)
            places = (wide >> COUNT_BITS) + np.repeat(firsts[words], held)
            found.append(Postings(words, held, places, wide & MOST_COUNT))
            continue
        # The first step of a word leads there from the last passage of the word before.
        places = records[STEP].astype(np.int64)
        begins = np.cumsum(held) - held
        lasts = firsts[words] + np.add.reduceat(places, begins)
        places[begins] += firsts[words]
        places[begins[1:]] -= lasts[:-1]
        np.cumsum(places, out=places)
        counts = np.broadcast_to(np.uint8(1), len(records)) if ONCE[kind] else records[OFTEN]
        found.append(Postings(words, held, places, counts))
    return found
