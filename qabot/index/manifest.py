"""The manifest of a generation: what it is, what made it, its segments, and all checksums."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qabot.errors import DamagedIndexError, IndexMismatchError
from qabot.files import read_regular
from qabot.index.identity import Identity
from qabot.index.open_file import REMEDY, FileStamp
from qabot.index.vectors import Mask
from qabot.types import counted

FORMAT = 8
NAME = "manifest.json"
DATABASE = "articles.sqlite"
VECTORS = "passages.npy"
CODES = "passages.faiss"
"""In large segments only."""
SENTENCES = "sentences.npy"
SENTENCE_ROWS = "sentence_rows.npy"
LEXICAL = "words.bin"
SUBSPACE = "language_subspace.npz"
SEGMENT_FILES = (DATABASE, VECTORS, SENTENCES, SENTENCE_ROWS, LEXICAL)
"""The files of each segment."""
FILES = (SUBSPACE,)
"""The files of a generation's own, beside the manifest."""
GENERATIONS, SEGMENTS = "generations", "segments"
_SEGMENT = re.compile("[1-9][0-9]{0,17}-[1-9][0-9]{0,8}")
_OWN_CHECKSUM = "sha256"
# What taking apart JSON that may hold anything can raise.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class EncoderStamp:
    """The model that made the vectors, and the version of their treatment."""

    name: str
    fingerprint: str
    dimension: int
    subspace: str


@dataclass(frozen=True, slots=True)
class SegmentStamp:
    """A segment, as one generation has it.

    Attributes:
        name: Its folder: the number of the generation that wrote it, and which of its segments.
        articles, passages, sentences: How many it holds, those that have left included.
        files: Name → size and checksum, for each of ``SEGMENT_FILES``, and for ``CODES`` in a large
            segment.
        left: The rows of articles that have left the index: bits in hex digits, the first row
            first; empty if none has.
    """

    name: str
    articles: int
    passages: int
    sentences: int
    files: dict[str, FileStamp]
    left: str = ""

    @property
    def left_rows(self) -> Mask | None:
        """Mark the articles that have left: bool ``(articles,)``; ``None`` if none has."""
        if not self.left:
            return None
        packed = np.frombuffer(bytes.fromhex(self.left), np.uint8)
        return np.unpackbits(packed, count=self.articles).astype(np.bool_)

    def without(self, left: Mask) -> SegmentStamp:
        """The same segment, of which these articles have left: bool ``(articles,)``."""
        bits = np.packbits(left).tobytes().hex() if left.any() else ""
        return replace(self, left=bits)

    def check(self) -> None:
        """Look for anything that no rebuild writes.

        Raises:
            ValueError: There is something.
        """
        if not _SEGMENT.fullmatch(self.name) or self.files.keys() - {CODES} != set(SEGMENT_FILES):
            raise ValueError("no segment")
        if self.left and len(self.left) != 2 * -(-self.articles // 8):
            raise ValueError("marks other articles")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete generation.

    Attributes:
        generation: Its number, counting up from 1.
        id: Random; no other generation has it (``Identity``). Empty until it is published.
        created: When it was published, ISO 8601, UTC.
        sources: What it was built from, as the user named it, apart from collections.
        collections: Name → what that collection was built from.
        chunker, readers: Versions of what cut and what read the articles.
        articles, passages: How many.
        languages: ISO 639-1 code → number of articles.
        files: Name → size and checksum, for each of ``FILES``.
        segments: Where the articles are; rows count on from one to the next.
        probe: What the encoder made of a known question (``qabot.encoders.probe``).
    """

    generation: int
    created: str
    sources: tuple[str, ...]
    collections: dict[str, tuple[str, ...]]
    encoder: EncoderStamp
    chunker: int
    readers: str
    articles: int
    passages: int
    languages: dict[str, int]
    files: dict[str, FileStamp]
    segments: tuple[SegmentStamp, ...]
    probe: str
    id: str = ""
    metric: str = "cosine"
    format: int = FORMAT

    @property
    def identity(self) -> Identity:
        """Its name, as ``CURRENT`` has that of the live one."""
        return Identity(self.generation, self.id)

    @property
    def held(self) -> str:
        """Its numbers of articles and passages, in words."""
        return counted(articles=self.articles, passages=self.passages)

    def paths(self) -> dict[str, FileStamp]:
        """The files of the generation, below the index folder, in the order of the manifest."""
        own = {f"{GENERATIONS}/{self.generation}/{name}": s for name, s in self.files.items()}
        for segment in self.segments:
            own |= {f"{SEGMENTS}/{segment.name}/{name}": s for name, s in segment.files.items()}
        return own

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into ``folder``, with a checksum of its own."""
        (folder / NAME).write_text(json.dumps(self.content(), indent=1) + "\n", "utf-8")

    def content(self) -> dict[str, Any]:
        """All of it as JSON has it, with a checksum of its own."""
        content = asdict(self)
        content[_OWN_CHECKSUM] = _content_checksum(content)
        return content

    @classmethod
    def read(cls, folder: Path, identity: Identity | None = None) -> Manifest:
        """The manifest of the generation in ``folder``.

        Args:
            folder: Its name is the generation's number.
            identity: What ``CURRENT`` says, of the live one.

        Raises:
            DamagedIndexError: It is missing, unreadable, changed, or of another generation.
            IndexMismatchError: It is of another format.
        """
        path = folder / NAME
        try:
            manifest = cls.parse(json.loads(read_regular(path).decode()), str(path))
        except FileNotFoundError as error:
            raise DamagedIndexError(f"{path}: missing; {REMEDY}") from error
        except OSError as error:
            raise DamagedIndexError(
                f"{path}: cannot be read ({error.strerror}); {REMEDY}"
            ) from error
        except _MALFORMED as error:
            raise DamagedIndexError(f"{path}: damaged; {REMEDY}") from error
        if folder.name != str(manifest.generation) or identity not in (None, manifest.identity):
            raise DamagedIndexError(f"{path}: of another generation than its folder; {REMEDY}")
        return manifest

    @classmethod
    def parse(cls, content: Any, place: str) -> Manifest:
        """Read what ``content`` made.

        Args:
            content: Anything; it is used up.
            place: Where it is, as messages name it.

        Raises:
            DamagedIndexError: It is something else, or was changed.
            IndexMismatchError: It is of another format.
        """
        try:
            if content["format"] != FORMAT:
                raise IndexMismatchError(
                    f"{place}: index format {content['format']}, not {FORMAT}; {REMEDY}"
                )
            if content.pop(_OWN_CHECKSUM) != _content_checksum(content):
                raise ValueError("changed since it was written")
            content["encoder"] = EncoderStamp(**content["encoder"])
            content["files"] = _stamps(content["files"])
            content["segments"] = tuple(map(_segment, content["segments"]))
            content["sources"] = tuple(content["sources"])
            content["collections"] = {k: tuple(v) for k, v in content["collections"].items()}
            return cls(**content)
        except _MALFORMED as error:
            raise DamagedIndexError(f"{place}: damaged; {REMEDY}") from error


def _stamps(files: dict[str, Any]) -> dict[str, FileStamp]:
    return {
        name: FileStamp(made["size"], made["sha256"], made["times"] and tuple(made["times"]))
        for name, made in files.items()
    }


def _segment(content: dict[str, Any]) -> SegmentStamp:
    segment = SegmentStamp(**{**content, "files": _stamps(content["files"])})
    segment.check()
    return segment


def stamps(folder: Path, names: tuple[str, ...]) -> dict[str, FileStamp]:
    """Describe files in ``folder`` that are completely written."""
    return {name: FileStamp.of(folder / name) for name in names}


def _content_checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
