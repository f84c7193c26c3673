"""Files that nobody has written to are not read again, and no change is missed for that."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import pytest

from faults.disk import Write, watched
from qabot.articles import Limits
from qabot.index import IndexStore
from qabot.index.seen import NAME
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Summary
from tests.indexing import failing_reads as reads
from tests.support import (
    TELESCOPE,
    VOLCANO,
    HashingEncoder,
    RecordingEncoder,
    build_index,
    shared_cache,
    write_article,
)

_LATER_NS = 3_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two articles and a draft."""
    folder = tmp_path / "articles"
    write_article(folder, "telescope", TELESCOPE)
    write_article(folder, "volcano", VOLCANO)
    (folder / "plan.md").write_text("---\ntitle: Plan\ndraft: true\n---\n\nWe plan a bridge.\n")
    return folder


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is ahead of that of the files: they were written to a while ago."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + _LATER_NS)


@pytest.fixture
def index(tmp_path: Path, folder: Path, later: None) -> Path:
    """An index of the articles."""
    built(tmp_path / "index", folder)
    return tmp_path / "index"


def built(index: Path, folder: Path, **settings: object) -> Summary:
    plan = IndexPlan((str(folder),), shared_cache())
    return rebuild(IndexStore(index), HashingEncoder(), replace(plan, **settings))  # type: ignore[arg-type]


def opened(folder: Path, build: Callable[[], object]) -> int:
    """How many files of the articles a rebuild opens."""
    names: Counter[str] = Counter()
    with reads.watched(lambda name: names.update([name]), folder):
        build()
    return names["open"]


def held(index: Path) -> Collection[str]:
    generation = IndexStore(index).open()
    try:
        return [info.id for info in generation.database.infos()]
    finally:
        generation.close()


def text(index: Path, name: str) -> str:
    generation = IndexStore(index).open()
    try:
        article = generation.database.article(name)
    finally:
        generation.close()
    assert article
    return article.text


# --- What is read ---------------------------------------------------------------------------------


def test_unchanged_files_are_not_opened(index, folder):
    # The draft is no article, and has to be looked at again.
    assert opened(folder, lambda: built(index, folder)) == 1
    write_article(folder, "volcano", VOLCANO.replace("nine", "five"))
    assert opened(folder, lambda: built(index, folder)) == 2
    assert "five" in text(index, "volcano")
    assert opened(folder, lambda: built(index, folder)) == 1


def test_files_that_were_just_written_are(tmp_path, folder):
    index = tmp_path / "index"
    built(index, folder)
    assert not (index / NAME).exists()
    path = folder / "volcano.md"
    for word, other in (("nine", "five"), ("five", "four")):
        path.write_text(path.read_text().replace(word, other))
        assert built(index, folder).changed
        assert other in text(index, "volcano")


def test_a_touched_file_is_read_once_more(index, folder):
    os.utime(folder / "volcano.md", (0, 0))
    assert opened(folder, lambda: built(index, folder)) == 2
    assert opened(folder, lambda: built(index, folder)) == 1
    assert IndexStore(index).current() == 1


def test_another_file_of_the_same_size_and_time_is_read(index, folder):
    path = folder / "volcano.md"
    other = folder.parent / "other.md"
    shutil.copy2(path, other)
    before = path.stat()
    other.write_text(path.read_text().replace("nine", "five"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert built(index, folder).changed
    assert "five" in text(index, "volcano")


def test_full_rebuilds_read_everything(index, folder):
    assert opened(folder, lambda: built(index, folder, full=True)) == 3
    assert opened(folder, lambda: built(index, folder)) == 1


def test_a_rebuild_of_one_collection_forgets_no_other(tmp_path, folder, later):
    del later
    index, other = tmp_path / "index", tmp_path / "other"
    write_article(other, "harbour", "The harbour was closed in 1911.")
    collections: dict[str, list[str | Path]] = {"a": [folder], "b": [other]}
    build_index(index, collections=collections)
    build_index(index, collections=collections, only=["b"])
    assert opened(folder, lambda: build_index(index, collections=collections)) == 1


# --- Settings -------------------------------------------------------------------------------------


def test_drafts_come_and_go_with_the_setting(index, folder):
    assert "plan" not in held(index)
    assert built(index, folder, drafts=True).changed
    assert "plan" in held(index)
    assert built(index, folder).changed
    assert "plan" not in held(index)


def test_a_lower_limit_leaves_out_what_was_read(tmp_path, folder, later):
    del later
    index = tmp_path / "index"
    write_article(folder, "long", "The ship sailed south again. " * 5000)
    built(index, folder)
    assert "long" in held(index)
    limited = built(index, folder, limits=Limits(megabytes=1))
    assert [item.source for item in limited.skipped] == [str(folder / "long.md")]
    assert "long" not in held(index)


def test_another_encoder_encodes_what_is_not_read(index, folder):
    encoder = RecordingEncoder(HashingEncoder(fingerprint="b" * 64))
    assert opened(folder, lambda: build_index(index, folder, encoder=encoder)) == 1
    assert any("nine days" in document for document in encoder.documents)


# --- Damage ---------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-48])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def lead_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize("damage", [Path.unlink, flip, cut, empty, lead_nowhere])
def test_what_is_damaged_counts_as_lost(index, folder, damage):
    damage(index / NAME)
    assert opened(folder, lambda: built(index, folder)) == 3
    assert not (index / "nowhere").exists()
    assert opened(folder, lambda: built(index, folder)) == 1
    assert IndexStore(index).current() == 1


def test_a_full_disk_costs_only_reading_again(index, folder):
    def happens(write: Write) -> None:
        if any(Path(path).name == NAME for path in write.paths):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_article(folder, "volcano", VOLCANO.replace("nine", "five"))
    with watched(happens):
        assert built(index, folder).changed
    assert "five" in text(index, "volcano")
    assert opened(folder, lambda: built(index, folder)) > 1
    assert opened(folder, lambda: built(index, folder)) == 1
