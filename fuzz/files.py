"""Files that people write, and that qabot has written itself."""

from __future__ import annotations

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

from fuzz.registry import target, text_of
from qabot.articles.ignore_rules import Excludes
from qabot.errors import QabotError, SettingsError, SourceError, UnusableIndexError, UsageError
from qabot.evaluation import read_questions
from qabot.evaluation.verify import check_answers, read_answers
from qabot.index import Database, Generation, IndexedArticle, write_database
from qabot.index.database import SegmentDatabase
from qabot.index.filters import allowed_rows
from qabot.index.manifest import (
    FORMAT,
    NAME,
    SEGMENT_FILES,
    EncoderStamp,
    Manifest,
    SegmentStamp,
)
from qabot.index.open_file import FileStamp
from qabot.index.rows import Rows
from qabot.indexing.passages import split_article
from qabot.settings import load_settings
from qabot.types import Article, ArticleInfo, Filters

_TEXT = "The bridge was built in 1907. It is long."
_INFO = ArticleInfo("a", "A", "notes/a.md", None, "2021-05", "en", ("news",))
_ARTICLE = Article(_INFO, _TEXT)


def _told(error: QabotError) -> None:
    # What it repeats of the input is made printable where it is printed.
    assert "; " in str(error)


@target(
    'sources = ["a"]\nkeep = 3\n[collections]\nnews = ["b"]',
    "threads = 'x'",
    "max_article_mb = 1e9",
)
def settings(data: bytes) -> None:
    """``qabot.toml``, and each line as a variable."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "qabot.toml").write_bytes(data)
        try:
            load_settings(environment={}, folder=Path(name))
        except SettingsError as error:
            _told(error)
    told = text_of(data)
    for variable in ("SOURCES", "EXCLUDE", "KEEP", "HOME_GUILDS", "THREADS", "RECENCY"):
        try:
            load_settings(environment={f"QABOT_{variable}": told}, folder=Path("/nowhere"))
        except SettingsError as error:
            _told(error)


def _manifest(files: dict[str, FileStamp]) -> Manifest:
    return Manifest(
        generation=1,
        created="2026-01-01T00:00:00Z",
        sources=("notes",),
        collections={"news": ("notes",)},
        encoder=EncoderStamp("e5", "f", 4, "s"),
        chunker=3,
        readers="r",
        articles=1,
        passages=1,
        languages={"en": 1},
        files=files,
        segments=(SegmentStamp("1-1", 1, 1, 2, dict.fromkeys(SEGMENT_FILES, FileStamp(1, "0"))),),
        probe="",
    )


def _written() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        _manifest({"language_subspace.npz": FileStamp(1, "0")}).write(Path(name))
        return (Path(name) / NAME).read_bytes()


@target(_written())
def manifest(data: bytes) -> None:
    """The manifest of a generation, as it stands and with a checksum that fits."""
    for content in (data, _stamped(data)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "1"
            folder.mkdir()
            (folder / NAME).write_bytes(content)
            try:
                Generation(folder).close()
            except UnusableIndexError as error:
                assert "qabot rebuild" in str(error)


def _stamped(data: bytes) -> bytes:
    try:
        content = json.loads(data)
        content.pop("sha256", None)
        content["format"] = FORMAT
        told = json.dumps(content, sort_keys=True).encode()
        content["sha256"] = hashlib.sha256(told).hexdigest()
        return json.dumps(content).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return data


@target(
    '{"question": "q", "quotes": [{"text": "The bridge", "start": 0, "end": 10, "highlights": '
    '[[4, 10]], "article": {"id": "a"}}]}',
    '{"quotes": []}\n{"quotes": [1]}',
)
def answers(data: bytes) -> None:
    """Saved answers."""
    try:
        told = read_answers(text_of(data).splitlines(), "answers.json")
    except UsageError as error:
        _told(error)
        return
    for check in check_answers(told, {"a": _ARTICLE}.get):
        if check.problem is None:
            assert check.article == "a"
        json.dumps(check.as_object())


@target(
    '{"question": "q", "article": "a", "answers": ["b"], "language": "de"}\n\n{"question": "r"}'
)
def labels(data: bytes) -> None:
    """Labelled questions."""
    try:
        assert read_questions(text_of(data).splitlines(), "questions.jsonl")
    except UsageError as error:
        _told(error)


@cache
def _database() -> Database:
    passages = tuple(split_article(_ARTICLE, lambda texts: [1 for _ in texts]))
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "articles"
        write_database(path, [IndexedArticle(_ARTICLE, passages, ("",) * len(passages))])
        # An open file is read further when its name is gone.
        return Database([SegmentDatabase(path)], Rows([len(passages)]))


@target("news\nen\n2021-05\n2022\nnotes", "\nEN-us\n\n\n./notes/", "x\n%_[*]\n2021-13\n0\n'")
def filters(data: bytes) -> None:
    """Filters, one a line: collection, language, since, until, source."""
    given = [line or None for line in text_of(data).split("\n")]
    collection, language, since, until, source = (*given, *[None] * 5)[:5]
    wanted = Filters(collection, since, until, language, source)
    try:
        rows = allowed_rows(wanted, _manifest({}), _database())
    except UsageError as error:
        _told(error)
        return
    assert rows is None or len(rows) == 1


@target("*.md\n!a.md\n**/b/\n[a-z]", "\\\n[\n!")
def exclude(data: bytes) -> None:
    """Patterns of files to leave out, one a line."""
    # They are the user's own: that a hundred stars take for ever is no attack.
    patterns = [line[:16] for line in text_of(data).split("\n")]
    try:
        excludes = Excludes(patterns)
    except SourceError as error:
        _told(error)
        return
    for path in (Path("a.md"), Path("b/c d.txt")):
        excludes(path, path, folder=False)
