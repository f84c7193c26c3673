"""Support for all tests: an encoder whose vectors can be worked out by hand, articles, indexes."""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.base import normalize
from qabot.index import IndexStore
from qabot.index.manifest import FILES, SEGMENT_FILES, Manifest, stamps
from qabot.index.store import KEEP
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Summary
from qabot.web import Options

PATIENCE = 300.0
"""Seconds to wait for one thing at most: the machine may do much else."""
ROOT = Path(__file__).parent.parent

TELESCOPE = """The telescope was launched in December 2021 from French Guiana.

Its mirror is 6.5 metres wide. Gold covers the mirror's 18 segments.
"""
VOLCANO = """The volcano on La Palma erupted in September 2021. Lava reached the sea in nine days.

About 7,000 people had to leave their homes.
"""


class HashingEncoder:
    """Counts words: a text's vector is the number of its words in each bucket, of length 1.

    A word is a run of word characters in lower case; its bucket is the sum of its characters' code
    points modulo the dimension: "cat" is (99 + 97 + 116) % 64 = 56. So "Cat, cat!" and "cat" have
    the same vector, with a single 1 at 56; "cat dog" has √½ at 56 and at 58; "?!" has zeros only.

    Args:
        fingerprint: One that belongs to the dimension where not given.
    """

    def __init__(
        self, name: str = "hashing", fingerprint: str | None = None, dimension: int = 64
    ) -> None:
        self.name = name
        self.fingerprint = (
            fingerprint or hashlib.sha256(f"hashing {dimension}".encode()).hexdigest()
        )
        self.dimension = dimension

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        return self._encode(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        return self._encode(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(words(text)) for text in texts]

    def _encode(self, texts: Sequence[str]) -> FloatArray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for word in words(text):
                vectors[row, sum(map(ord, word)) % self.dimension] += 1
        return normalize(vectors)


class RecordingEncoder:
    """Passes everything on to another encoder, and keeps the texts that it was given.

    Attributes:
        documents, queries: The texts, in order.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.documents: list[str] = []
        self.queries: list[str] = []

    @property
    def name(self) -> str:
        return self._encoder.name

    @property
    def fingerprint(self) -> str:
        return self._encoder.fingerprint

    @property
    def dimension(self) -> int:
        return self._encoder.dimension

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        self.queries += texts
        return self._encoder.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        self.documents += texts
        return self._encoder.encode_document(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.count_tokens(texts)


def words(text: str) -> list[str]:
    """The words that ``HashingEncoder`` counts."""
    return re.findall(r"\w+", text.lower())


def write_article(
    folder: Path,
    name: str,
    text: str,
    *,
    title: str | None = None,
    language: str = "en",
    published: str | None = None,
    url: str | None = None,
) -> Path:
    """Write a Markdown file with front matter; makes the folder where it is missing.

    Args:
        name: Without ``.md``: the article's id, if it stands at the top of a source.
        text: The body. Indexed, it has no blank space around it.
        title: ``name`` where not given.
    """
    fields = {
        "title": title or name,
        "language": language,
        "published": published,
        "url": url,
    }
    path = folder / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{field}: "{value}"' for field, value in fields.items() if value is not None]
    path.write_text("\n".join(["---", *lines, "---", "", text, ""]), "utf-8")
    return path


def build_index(
    index: Path,
    *sources: Path | str,
    collections: Mapping[str, Sequence[Path | str]] | None = None,
    only: Sequence[str] = (),
    encoder: Encoder | None = None,
    cache: Path | None = None,
    full: bool = False,
    files_only: bool = False,
    keep: int = KEEP,
    web: Options | None = None,
) -> Summary:
    """Build the index, or bring it up to date.

    Args:
        index: The index folder.
        sources: Files, folders and web addresses.
        collections: Name → the same.
        only: The collections to renew; all where none is named.
        encoder: A ``HashingEncoder`` where not given.
        cache: For the language subspace; one that all tests share where not given.
        keep: How many generations stay.
        web: How web addresses are fetched.
    """
    return rebuild(
        IndexStore(index, keep=keep),
        encoder or HashingEncoder(),
        IndexPlan(
            tuple(map(str, sources)),
            cache or shared_cache(),
            {name: tuple(map(str, group)) for name, group in (collections or {}).items()},
            only=tuple(only),
            full=full,
            files_only=files_only,
            web=web or Options(),
        ),
    )


@functools.cache
def shared_cache() -> Path:
    """A folder for language subspaces: estimating one takes longer than building a small index."""
    folder = tempfile.mkdtemp(prefix="qabot-tests-")
    atexit.register(shutil.rmtree, folder)
    return Path(folder)


def index_files(number: int = 1) -> list[str]:
    """The files of a generation but its manifest, below the index folder.

    Args:
        number: The generation's; it has one segment, which it wrote itself.
    """
    own = [f"generations/{number}/{name}" for name in FILES]
    return [*own, *(f"segments/{number}-1/{name}" for name in SEGMENT_FILES)]


def sign(folder: Path, **changes: Any) -> None:
    """Make the manifest fit the files of a generation, whatever is in them now.

    Args:
        folder: The generation's.
        changes: Other values of the manifest.
    """
    made = Manifest.read(folder)
    parts = folder.parent.parent / "segments"
    segments = tuple(
        replace(segment, files=stamps(parts / segment.name, SEGMENT_FILES))
        for segment in made.segments
    )
    signed = {"files": stamps(folder, FILES), "segments": segments}
    replace(made, **{**signed, **changes}).write(folder)


def small_index(folder: Path, *, encoder: Encoder | None = None) -> Path:
    """An index of two short articles, ``telescope`` and ``volcano``, in ``folder/index``.

    The articles are in ``folder/articles``.
    """
    write_article(folder / "articles", "telescope", TELESCOPE, published="2021-12-25")
    write_article(folder / "articles", "volcano", VOLCANO)
    build_index(folder / "index", folder / "articles", encoder=encoder)
    return folder / "index"


def rocket_index(folder: Path) -> Path:
    """An index of three articles that a ``HashingEncoder`` cannot tell apart, in ``folder/index``.

    A question about the rocket is answered by all of them alike.
    """
    for name, text in (
        ("active", "The rocket flew to Mars."),
        ("inverted", "To Mars flew the rocket."),
        ("exclaimed", "Flew the rocket to Mars!"),
    ):
        write_article(folder / "articles", name, text, title="Rocket")
    build_index(folder / "index", folder / "articles")
    return folder / "index"


@dataclass(frozen=True)
class Result:
    """The output and exit code of a run of ``qabot``."""

    code: int
    out: str
    err: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object that standard output holds, on one line."""
        assert self.out.count("\n") == 1
        assert self.out.endswith("}\n")
        content: dict[str, Any] = json.loads(self.out)
        return content

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one line that an error is."""
        assert self.out == ""
        assert self.err.count("\n") == 1
        assert self.err.startswith("qabot: ")
        return self.err.removeprefix("qabot: ").removesuffix("\n")


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment for a subprocess: no settings of qabot but ``variables``, no colours."""
    outer = {k: v for k, v in os.environ.items() if not k.startswith(("QABOT_", "FORCE_COLOR"))}
    return {**outer, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **variables}


def run_python(
    *arguments: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run this Python with ``arguments`` and wait for it."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(**(environment or {})),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def run_qabot(
    *arguments: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run the command ``qabot`` in a process of its own."""
    return run_python(
        "-c",
        "from qabot.cli import main; main()",
        *arguments,
        cwd=cwd,
        environment=environment,
        stdin=stdin,
    )
