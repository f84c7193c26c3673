"""Rebuilds that find little or nothing changed: what they leave out, and that they miss nothing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from qabot.index import IndexStore
from qabot.index.seen import NAME as SEEN
from qabot.indexing.summary import Summary
from tests.support import (
    TELESCOPE,
    VOLCANO,
    HashingEncoder,
    RecordingEncoder,
    build_index,
    run_python,
    run_qabot,
    sign,
    write_article,
)

# What is only needed to read or encode something.
UNNEEDED = (
    "faiss",
    "onnxruntime",
    "sentencepiece",
    "yaml",
    "markdown_it",
    "trafilatura",
    "lxml",
    "py3langid",
    "charset_normalizer",
    "rich",
)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """Articles of each format, and one file that is none."""
    folder = tmp_path / "articles"
    write_article(folder, "telescope", TELESCOPE, published="2021-12-25")
    write_article(folder, "volcano", VOLCANO)
    (folder / "bridge.txt").write_text("date 1907-05\n\nThe bridge was opened by the mayor.")
    (folder / "river.html").write_text(
        "<html lang=en><head><title>The river</title></head><body><article>"
        "<h1>The river</h1><p>The river froze in January of that year, and the ferry could not "
        "run for six weeks. People walked across the ice to the market.</p></article></body></html>"
    )
    (folder / "broken.txt").write_bytes(b"\x00\x01")
    return folder


@pytest.fixture
def index(tmp_path: Path, articles: Path) -> Path:
    build_index(tmp_path / "index", articles)
    return tmp_path / "index"


def contents(index: Path) -> dict[str, Any]:
    """All that an index holds, but for the number and the time."""
    with contextlib.closing(IndexStore(index).open()) as generation:
        database = generation.database
        return {
            "articles": [database.article(info.id) for info in database.infos()],
            "stored": database.stored(),
            "counts": database.passage_counts(),
            "vectors": generation.vectors.vectors(generation.rows).tolist(),
            "sentences": generation.sentences.of(generation.rows)[0].tolist(),
            "sources": generation.manifest.sources,
        }


def counts(summary: Summary) -> dict[str, Any]:
    """The articles in a summary, without encoding and time."""
    left_out = {"generation", "changed", "reused", "encoded", "removed", "seconds"}
    return {name: value for name, value in asdict(summary).items() if name not in left_out}


# --- Nothing changed ------------------------------------------------------------------------------


def test_the_summary_is_that_of_reading_everything(index, articles):
    first = build_index(index, articles, full=True)
    again = build_index(index, articles)
    assert counts(first) == counts(again)
    assert [item.source for item in again.skipped] == [str(articles / "broken.txt")]
    assert (2, False, again.passages, 0, 0) == (
        again.generation,
        again.changed,
        again.reused,
        again.encoded,
        again.removed,
    )


def test_the_model_is_neither_asked_nor_opened(tmp_path, articles, real_index):
    def copied(source: str, target: str) -> None:
        # What is damaged or written below must be a file of its own.
        own = source.endswith((".onnx_data", "qabot.json"))
        (shutil.copy2 if own else os.symlink)(source, target)

    cache = tmp_path / "cache"
    no_locks = shutil.ignore_patterns("*.lock")
    shutil.copytree(real_index.cache, cache, copy_function=copied, ignore=no_locks)
    run = {"cwd": tmp_path, "environment": {"QABOT_CACHE": str(cache)}}
    assert run_qabot("rebuild", articles, "--json", **run).returncode == 2  # One is skipped.
    (weights,) = cache.rglob("*.onnx_data")
    before = weights.stat()
    weights.write_bytes(bytes(before.st_size))
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    summary = json.loads(run_qabot("rebuild", articles, "--json", **run).stdout)
    assert (False, 4, 0) == (summary["changed"], summary["articles"], summary["encoded"])
    # What is encoded is stored, so then every file is looked at, and the model mended.
    write_article(articles, "volcano", "A text that must be encoded.")
    summary = json.loads(run_qabot("rebuild", articles, "--json", **run).stdout)
    assert (True, 4, 1) == (summary["changed"], summary["articles"], summary["encoded"])
    assert any(weights.read_bytes()[:1000])


def test_nothing_is_imported_that_only_reading_or_encoding_needs(tmp_path, articles, real_index):
    (articles / "broken.txt").unlink()
    program = (
        "import sys\nfrom qabot.cli import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {UNNEEDED} if name in sys.modules], file=sys.stderr)\n"
    )

    def rebuild() -> Any:
        return run_python(
            "-c",
            program,
            "rebuild",
            articles,
            cwd=tmp_path,
            environment={"QABOT_CACHE": str(real_index.cache)},
        )

    assert "'trafilatura'" in rebuild().stderr
    result = rebuild()
    assert result.stdout.startswith("Nothing changed: 4 articles, ")
    assert result.stderr.splitlines()[-1] == "[]"


# --- Something changed ----------------------------------------------------------------------------


def touch(folder: Path) -> None:
    os.utime(folder / "volcano.md", (0, 0))


def edit(folder: Path) -> None:
    write_article(folder, "volcano", VOLCANO.replace("nine", "ten"))


def edit_in_secret(folder: Path) -> None:
    """Of the same size, at the same time."""
    path = folder / "volcano.md"
    before = path.stat()
    path.write_text(path.read_text().replace("nine", "five"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (before.st_size, before.st_mtime_ns) == (path.stat().st_size, path.stat().st_mtime_ns)


def edit_front_matter(folder: Path) -> None:
    write_article(folder, "volcano", VOLCANO, published="2021-09", language="de")


def rename(folder: Path) -> None:
    (folder / "volcano.md").rename(folder / "eruption.md")


def move(folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "river.html").rename(folder / "old/river.html")


def change_format(folder: Path) -> None:
    (folder / "volcano.md").rename(folder / "volcano.txt")


def exchange(folder: Path) -> None:
    one, other = folder / "volcano.md", folder / "telescope.md"
    texts = one.read_text(), other.read_text()
    other.write_text(texts[0])
    one.write_text(texts[1])


def copy(folder: Path) -> None:
    shutil.copy(folder / "volcano.md", folder / "twin.md")


def add(folder: Path) -> None:
    write_article(folder, "harbour", "The harbour was closed in 1911.")


def delete(folder: Path) -> None:
    (folder / "bridge.txt").unlink()


def spoil(folder: Path) -> None:
    (folder / "bridge.txt").write_bytes(b"\x00")


def repair(folder: Path) -> None:
    (folder / "broken.txt").write_text("It is mended now.")


CHANGES = [
    touch,
    edit,
    edit_in_secret,
    edit_front_matter,
    rename,
    move,
    change_format,
    exchange,
    copy,
    add,
    delete,
    spoil,
    repair,
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("settled", [False, True])
def test_every_change_is_seen_as_by_reading_everything(
    tmp_path, index, articles, monkeypatch, change, settled
):
    now = time.time_ns
    if settled:  # Files were written to a while ago, so that what was in them is remembered.
        monkeypatch.setattr(time, "time_ns", lambda: now() + 3_000_000_000)
        assert not build_index(index, articles).changed
        assert (index / SEEN).exists()
    change(articles)
    summary = build_index(index, articles)
    fresh = build_index(tmp_path / "fresh", articles)
    assert (change is not touch) == summary.changed
    assert counts(fresh) == counts(summary)
    assert contents(tmp_path / "fresh") == contents(index)
    again = build_index(index, articles)
    assert not again.changed
    assert counts(fresh) == counts(again)


@pytest.mark.parametrize("change", [rename, move, exchange, copy])
def test_what_only_has_another_name_is_not_encoded_again(index, articles, change):
    encoder = RecordingEncoder(HashingEncoder())
    change(articles)
    summary = build_index(index, articles, encoder=encoder)
    # The title is part of what is encoded; here the front matter names it.
    assert (True, 0, []) == (summary.changed, summary.encoded, encoder.documents)


# --- What was read by others ----------------------------------------------------------------------


def misread(index: Path) -> None:
    """As if the readers had made another title of an article."""
    folder = index / "generations/1"
    path = index / "segments/1-1/articles.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE article SET title = 'Misread' WHERE id = 'river'")
    sign(folder)


def title(index: Path) -> str:
    with contextlib.closing(IndexStore(index).open()) as generation:
        article = generation.database.article("river")
    assert article
    return article.info.title


def test_unchanged_files_are_not_read_again(index, articles):
    misread(index)
    assert not build_index(index, articles).changed
    assert title(index) == "Misread"


def in_full(index: Path, articles: Path) -> Summary:
    return build_index(index, articles, full=True)


def by_other_readers(index: Path, articles: Path) -> Summary:
    sign(index / "generations/1", readers="older")
    return build_index(index, articles)


@pytest.mark.parametrize("build", [in_full, by_other_readers])
def test_they_are_read_again(index, articles, build: Callable[[Path, Path], Summary]):
    misread(index)
    assert build(index, articles).changed
    assert title(index) == "The river"
    assert not build_index(index, articles).changed
