"""A rebuild each of whose writes or reads fails in turn, and sources that vanish meanwhile."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from faults.disk import Write, watched
from qabot.errors import QabotError, SourceError, StorageError, UnusableIndexError
from qabot.index import IndexStore
from qabot.index.manifest import NAME
from qabot.indexing import merging
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress, Summary
from tests.indexing import failing_reads as reads
from tests.support import HashingEncoder, build_index, index_files, shared_cache, write_article

OLD, NEW = "The state is old.", "The state is new."
# A full disk, one that may not be written, and one that is broken.
ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("template"))


def built(folder: Path) -> Path:
    write_article(folder / "articles", "state", OLD)
    for number in range(3):
        write_article(folder / "articles", f"other-{number}", "The rocket flew to Mars.")
    for _ in range(3):  # So that one is removed, too.
        build_index(folder / "index", folder / "articles", full=True)
    return folder


def text_of(index: Path) -> str:
    with contextlib.closing(IndexStore(index).open()) as generation:
        article = generation.database.article("state")
    assert article
    return article.text


@contextlib.contextmanager
def disk(failing: int | None = None) -> Iterator[list[str]]:
    """A disk whose write number ``failing`` fails; the names of all that were tried."""
    names: list[str] = []

    def happens(write: Write) -> None:
        names.append(write.name)
        if len(names) - 1 == failing:
            number = ERRORS[failing % len(ERRORS)]
            raise OSError(number, os.strerror(number))

    with watched(happens):
        yield names


# With 0, only what changed is written, beside the segment that stays.
@pytest.mark.parametrize("small", [merging.SMALL, 0])
def test_every_write_of_a_rebuild_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(merging, "SMALL", small)
    shutil.copytree(built(tmp_path / "site"), tmp_path / "kept")

    def prepared() -> Path:
        # In the place where it was built: elsewhere, all articles would have other sources.
        folder = tmp_path / "site"
        shutil.rmtree(folder)
        shutil.copytree(tmp_path / "kept", folder)
        write_article(folder / "articles", "state", NEW)
        return folder

    def run(folder: Path) -> Summary:
        return build_index(folder / "index", folder / "articles")

    folder = prepared()
    with disk() as names:
        run(folder)
    segments = [made.name for made in IndexStore(folder / "index").manifest().segments]
    assert segments == (["4-1"] if small else ["3-1", "4-1"])
    assert text_of(folder / "index") == NEW
    # The work folder, each file, their syncs, both renames: all are among them.
    assert len(names) > 2 * len(index_files()) + 4
    assert {"fsync", "rename", "replace", "mkdir", "open"} <= set(names)

    failed = 0
    for number, name in enumerate(names):
        folder = prepared()
        index = folder / "index"
        complaint = ""
        try:
            with disk(number):
                run(folder)
        except StorageError as error:
            complaint = str(error)
        state = (text_of(index), IndexStore(index).current())
        if complaint:
            failed += 1
            assert complaint.startswith(f"{index}: the index cannot be written (")
            assert len(complaint.splitlines()) == 1
            assert state == (OLD, 3), (number, name)
            assert IndexStore(index).numbers()[-1] == 3
        else:
            # What is only tidied up, or kept for later, may fail without harm.
            assert state == (NEW, 4), (number, name)
        run(folder)
        assert text_of(index) == NEW
        assert IndexStore(index).leftovers() == []
    assert failed >= 2 * len(index_files())


def test_every_read_of_a_rebuild_may_fail(tmp_path: Path, template: Path) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    index, articles = tmp_path / "index", tmp_path / "articles"
    complaints: list[QabotError] = []
    texts = [NEW, OLD]
    for count in itertools.count():
        left = count

        def happens(name: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                reads.fail(name)

        write_article(articles, "state", texts[0])
        try:
            with reads.watched(happens, index):
                build_index(index, articles)
        except QabotError as error:
            complaints.append(error)
            # Whose manifests would be read each time; the next that is published removes them.
            for number in IndexStore(index).numbers():
                if number > IndexStore(index).current():
                    shutil.rmtree(index / f"generations/{number}")
        else:
            texts.reverse()  # It is written.
        assert text_of(index) == texts[1], (count, complaints[-1:])
        if left >= 0:
            break
    assert len(complaints) > len(index_files())
    for told in complaints:
        assert "; " in str(told)
        assert len(str(told).splitlines()) == 1
        # Of the live generation, or of the next one, whose files are read to hash them.
        assert isinstance(told, UnusableIndexError | StorageError), str(told)


@pytest.mark.parametrize("name", [*index_files(3), f"generations/3/{NAME}"])
@pytest.mark.parametrize(
    "damage",
    [
        Path.unlink,
        lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
        lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
    ],
    ids=["removed", "cut short", "one bit flipped"],
)
def test_a_damaged_file_is_one_line_and_the_next_rebuild_repairs_it(
    tmp_path: Path, template: Path, call, name: str, damage: Callable[[Path], Any]
) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    damage(tmp_path / "index" / name)
    result = call("articles")
    assert result.code == 3
    assert result.complaint.startswith(f"index/{name}: ")
    assert result.complaint.endswith("; run `qabot rebuild --full`")
    assert build_index(tmp_path / "index", tmp_path / "articles").generation == 4
    assert text_of(tmp_path / "index") == OLD


def rebuild_while(folder: Path, happens: Callable[[], Any]) -> Summary:
    """A rebuild of ``folder/index``; ``happens`` is called when its first file was read."""

    def report(progress: Progress) -> None:
        if progress.stage == "reading" and progress.done == 1:
            happens()

    return rebuild(
        IndexStore(folder / "index"),
        HashingEncoder(),
        IndexPlan((str(folder / "articles"),), shared_cache()),
        report,
    )


def test_a_file_that_vanishes_half_way_is_named_and_the_rest_is_indexed(
    tmp_path: Path, template: Path
) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    gone = tmp_path / "articles/state.md"
    summary = rebuild_while(tmp_path, gone.unlink)
    (skipped,) = summary.skipped
    assert (str(gone), 3, 1) == (skipped.source, summary.articles, summary.removed)
    assert skipped.reason.startswith("cannot be read (No such file or directory)")


def test_a_source_that_vanishes_before_all_is_read_leaves_the_index(
    tmp_path: Path, template: Path
) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    with pytest.raises(SourceError, match="articles: no such file or folder"):
        rebuild_while(tmp_path, lambda: shutil.rmtree(tmp_path / "articles"))
    assert (text_of(tmp_path / "index"), IndexStore(tmp_path / "index").current()) == (OLD, 3)
