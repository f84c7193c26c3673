"""A rebuild each of whose writes fails in turn, and sources that vanish while they are read."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qabot.errors import SourceError, StorageError
from qabot.index import IndexStore
from qabot.index.manifest import FILES, NAME
from qabot.rebuild import Progress, Summary, rebuild
from tests.support import HashingEncoder, build_index, shared_cache, write_article

OLD, NEW = "The state is old.", "The state is new."
# A full disk, one that may not be written, and one that is broken.
ERRORS = (errno.ENOSPC, errno.EACCES, errno.EIO)
_WRITING = os.O_WRONLY | os.O_RDWR


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    write_article(folder / "articles", "state", OLD)
    write_article(folder / "articles", "other", "The rocket flew to Mars.")
    for _ in range(3):  # So that one is removed, too.
        build_index(folder / "index", folder / "articles", full=True)
    return folder


def text_of(index: Path) -> str:
    with contextlib.closing(IndexStore(index).open()) as generation:
        article = generation.database.article("state")
    assert article
    return article.text


class Disk:
    """Lets all that writes through, until one is to fail.

    Attributes:
        writes: What was written so far, by name.
    """

    def __init__(self, failing: int | None) -> None:
        self._failing = failing
        self.writes: list[str] = []

    def _write(self, name: str) -> None:
        self.writes.append(name)
        if len(self.writes) - 1 == self._failing:
            number = ERRORS[self._failing % len(ERRORS)]
            raise OSError(number, os.strerror(number))

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not self._opens_for_writing(*arguments, **options):
                return function(*arguments, **options)
            self._write(name)
            return function(*arguments, **options)

        return run

    def _opens_for_writing(self, path: Any, mode: Any = "r", *_: Any, **__: Any) -> bool:
        return bool(mode & _WRITING) if isinstance(mode, int) else not set(mode).isdisjoint("wax+")


@contextlib.contextmanager
def disk(failing: int | None = None) -> Iterator[Disk]:
    """A disk whose write number ``failing`` fails."""
    watched = Disk(failing)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fsync", "rename", "replace", "mkdir", "chmod", "posix_fallocate", "open"):
            if hasattr(os, name):
                patch.setattr(os, name, watched.wrapped(name, getattr(os, name)))
        for module in (builtins, io):
            patch.setattr(module, "open", watched.wrapped("open", module.open))
        yield watched


def test_every_write_of_a_rebuild_may_fail(tmp_path: Path, template: Path) -> None:
    def prepared(number: int | str) -> Path:
        folder = tmp_path / f"{number}"
        shutil.copytree(template, folder)
        write_article(folder / "articles", "state", NEW)
        return folder

    def run(folder: Path) -> Summary:
        return build_index(folder / "index", folder / "articles")

    folder = prepared("whole")
    with disk() as watched:
        run(folder)
    assert text_of(folder / "index") == NEW
    # The work folder, each file, their syncs, both renames: all are among them.
    assert len(watched.writes) > 2 * len(FILES) + 4
    assert {"fsync", "rename", "replace", "mkdir", "open"} <= set(watched.writes)

    failed = 0
    for number, name in enumerate(watched.writes):
        folder = prepared(number)
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
        else:
            # What is only tidied up, or kept for later, may fail without harm.
            assert state == (NEW, 4), (number, name)
        run(folder)
        assert text_of(index) == NEW
        assert IndexStore(index).leftovers() == []
        shutil.rmtree(folder)
    assert failed >= 2 * len(FILES)


@pytest.mark.parametrize("name", [*FILES, NAME])
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
    damage(tmp_path / "index/generations/3" / name)
    result = call("articles")
    assert result.code == 3
    assert result.complaint.startswith(f"index/generations/3/{name}: ")
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
        [str(folder / "articles")],
        cache=shared_cache(),
        report=report,
    )


def test_a_file_that_vanishes_half_way_is_named_and_the_rest_is_indexed(
    tmp_path: Path, template: Path
) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    gone = tmp_path / "articles/state.md"
    summary = rebuild_while(tmp_path, gone.unlink)
    (skipped,) = summary.skipped
    assert (str(gone), 1, 1) == (skipped.source, summary.articles, summary.removed)
    assert skipped.reason.startswith("cannot be read (No such file or directory)")


def test_a_source_that_vanishes_before_all_is_read_leaves_the_index(
    tmp_path: Path, template: Path
) -> None:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    (tmp_path / "articles/other.md").write_bytes(b"\x00")
    with pytest.raises(SourceError, match="no article could be read"):
        rebuild_while(tmp_path, lambda: shutil.rmtree(tmp_path / "articles"))
    assert (text_of(tmp_path / "index"), IndexStore(tmp_path / "index").current()) == (OLD, 3)
