"""The manifest of a generation: what it is, what made it, and a checksum for each file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qabot.errors import DamagedIndexError, IndexMismatchError
from qabot.index.identity import Identity
from qabot.index.open_file import REMEDY, read_regular
from qabot.types import counted

FORMAT = 5
NAME = "manifest.json"
DATABASE = "articles.sqlite"
VECTORS = "passages.faiss"
SENTENCES = "sentences.npy"
SENTENCE_ROWS = "sentence_rows.npy"
LEXICAL = "lexical.sqlite"
SUBSPACE = "language_subspace.npz"
FILES = (DATABASE, VECTORS, SENTENCES, SENTENCE_ROWS, LEXICAL, SUBSPACE)
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
class FileStamp:
    """Size in bytes and SHA-256 (hex) of a file."""

    size: int
    sha256: str


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
        articles, passages, sentences: How many.
        languages: ISO 639-1 code → number of articles.
        files: Name → size and checksum, for each of ``FILES``.
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
    sentences: int
    languages: dict[str, int]
    files: dict[str, FileStamp]
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

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` into ``folder``, with a checksum of its own."""
        content = asdict(self)
        content[_OWN_CHECKSUM] = _content_checksum(content)
        (folder / NAME).write_text(json.dumps(content, indent=1) + "\n", "utf-8")

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
            content = json.loads(read_regular(path).decode())
            if content["format"] != FORMAT:
                raise IndexMismatchError(
                    f"{path}: index format {content['format']}, not {FORMAT}; {REMEDY}"
                )
            if content.pop(_OWN_CHECKSUM) != _content_checksum(content):
                raise ValueError("changed since it was written")
            content["encoder"] = EncoderStamp(**content["encoder"])
            content["files"] = {k: FileStamp(**v) for k, v in content["files"].items()}
            content["sources"] = tuple(content["sources"])
            content["collections"] = {k: tuple(v) for k, v in content["collections"].items()}
            manifest = cls(**content)
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


def _content_checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def checksum(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
