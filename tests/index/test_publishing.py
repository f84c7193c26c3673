"""The folder after a rebuild: permissions, leftovers, flushes, and errors."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faults.disk import Write, watched
from qabot.answering.engine import Engine
from qabot.errors import RebuildRunningError, StorageError
from qabot.index import IndexStore
from qabot.index.manifest import FILES, NAME, SEGMENT_FILES
from qabot.settings import Settings
from tests.support import HashingEncoder, build_index, small_index, write_article


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="needs a umask")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o027])
def test_files_have_the_rights_of_the_umask(tmp_path, mask):
    with umask(mask):
        index = small_index(tmp_path)
    paths = [index, *index.rglob("*")]
    expected = {path: (0o777 if path.is_dir() else 0o666) & ~mask for path in paths}
    assert expected == {path: path.stat().st_mode & 0o777 for path in paths}


def test_leftovers_of_killed_rebuilds_are_removed_and_counted(index):
    folder = index / "generations"
    (folder / ".building-0").mkdir()
    (folder / ".building-0/articles.sqlite").write_bytes(b"half")
    (folder / ".removing-1").mkdir()
    (folder / ".removing-file").write_bytes(b"no folder")
    (folder / ".building-link").symlink_to(index.parent / "articles")
    (index / "CURRENT.new").write_text("half")
    # Killed between the segment's name and the generation's, and while one was removed.
    shutil.copytree(index / "segments/1-1", index / "segments/2-1")
    (index / "segments/.removing-0-1").mkdir()
    assert len(IndexStore(index).leftovers()) == 7
    with IndexStore(index).rebuild() as writer:
        assert writer.removed == 7
    assert IndexStore(index).leftovers() == []
    assert len(list((index.parent / "articles").iterdir())) == 2


def test_leftovers_that_were_removed_are_told(call, index):
    (index / "generations/.building-0").mkdir()
    (index / "generations/.removing-1").mkdir()
    assert build_index(index, index.parent / "articles").leftovers == 2
    assert build_index(index, index.parent / "articles").leftovers == 0


# --- Flushes --------------------------------------------------------------------------------------


def rebuilt_with(index: Path, log: list[tuple[Write, Path]]) -> None:
    """Rebuild with a change; each write is entered when it is done, with the path it was given."""
    folder = index / "generations"

    def enter(write: Write) -> None:
        paths = [Path(path) for path in write.paths] or [
            path for path in (index, folder, *index.rglob("*")) if path.stat().st_ino == write.inode
        ]
        log.append((write, paths[-1] if paths else Path()))

    write_article(index.parent / "articles", "telescope", "Another text.")
    with watched(enter, after=True):
        build_index(index, index.parent / "articles")


def test_all_is_flushed_before_it_counts(index):
    """In the order that survives a power cut: files, folder, its name, then ``CURRENT``."""
    log: list[tuple[Write, Path]] = []
    rebuilt_with(index, log)
    steps = [(write.name, path.name) for write, path in log]
    placed = steps.index(("rename", "2-1"))
    published = steps.index(("rename", "2"))
    live = steps.index(("replace", "CURRENT"))
    flushed = {name for step, name in steps[:placed] if step == "fsync"}
    assert {*SEGMENT_FILES, "2-1"} <= flushed
    assert placed < steps.index(("fsync", "segments")) < published
    flushed = {name for step, name in steps[:published] if step == "fsync"}
    work = next(path for write, path in log[:published] if path.name.startswith(".building-"))
    assert {*FILES, NAME, work.name} <= flushed
    for name in (*FILES, *SEGMENT_FILES, NAME):
        opened = [n for n, (step, n_) in enumerate(steps) if (step, n_) == ("open", name)]
        assert all(number < steps.index(("fsync", name)) for number in opened)
    assert published < steps.index(("fsync", "generations")) < live
    assert published < steps.index(("fsync", "CURRENT.new")) < live
    assert ("fsync", "index") in steps[live:]


def test_what_was_not_flushed_is_lost_and_the_index_is_whole(index):
    """The power fails when a rebuild has just ended: all names are on the disk, by chance."""
    known = {path.stat().st_ino for path in index.rglob("*")}
    log: list[tuple[Write, Path]] = []
    rebuilt_with(index, log)
    flushed = {write.inode for write, _ in log if write.name == "fsync"}
    for path in index.rglob("*"):
        if path.is_file() and path.name != "LOCK" and path.stat().st_ino not in known | flushed:
            os.truncate(path, 0)
    with Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0)) as engine:
        assert engine.article("telescope").text == "Another text."
        assert engine.ask("Which text?").generation == 2


# --- What it says ---------------------------------------------------------------------------------


def test_a_failure_after_publishing_does_not_say_that_nothing_changed(index):
    store = IndexStore(index)

    def fail() -> None:
        with store.rebuild() as writer:
            shutil.copytree(index / "generations/1", writer.folder, dirs_exist_ok=True)
            writer.publish(replace(store.manifest(), generation=writer.number))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StorageError) as caught:
        fail()
    assert str(caught.value) == (
        f"{index}: the new generation is live, but its rebuild failed at the end "
        "(No space left on device); free space or name another folder with --index"
    )


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free space or name another folder with --index"),
        (errno.EACCES, "run it as the folder's owner, or name another folder with --index"),
        (errno.EROFS, "run it as the folder's owner, or name another folder with --index"),
        (errno.EIO, "check the disk, or name another folder with --index"),
        (errno.ESTALE, "check the disk, or name another folder with --index"),
        (errno.EDQUOT, "free space or name another folder with --index"),
        (errno.EMFILE, "close other programs, or raise the limit of open files (`ulimit -n`)"),
    ],
)
def test_the_remedy_is_the_faults(index, monkeypatch, number, remedy):
    def mkdir(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(StorageError) as caught, IndexStore(index).rebuild():
        pass
    assert str(caught.value) == (
        f"{index}: the index cannot be written ({os.strerror(number)}); the live one is unchanged; "
        f"{remedy}"
    )


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EIO])
def test_a_disk_without_locks_is_not_another_rebuild(index, monkeypatch, number):
    fcntl = pytest.importorskip("fcntl")

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(StorageError) as caught, IndexStore(index).rebuild():
        pass
    remedy = "check the disk" if number == errno.EIO else "name a folder on a disk that has locks"
    assert f"({os.strerror(number)})" in str(caught.value)
    assert remedy in str(caught.value)
    assert not isinstance(caught.value, RebuildRunningError)
    assert not IndexStore(index).busy()


def test_a_lock_that_cannot_be_released_changes_nothing_that_was_done(index, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    real = fcntl.flock

    def flock(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_UN:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(descriptor, operation)

    build_index(index, index.parent / "articles", full=True)
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", flock)
        assert IndexStore(index).rollback().generation == 1
    assert IndexStore(index).current() == 1


def test_a_signal_leaves_nothing_wherever_it_comes(index, monkeypatch):
    made, removed = Path.mkdir, shutil.rmtree
    pressed: list[object] = []

    def press(name: object) -> None:
        if ".building-" in str(name) and name not in pressed:
            pressed.append(name)
            raise KeyboardInterrupt

    def mkdir(path: Path, *arguments: Any, **options: Any) -> None:
        made(path, *arguments, **options)
        press(path)

    def rmtree(path: Path, **options: Any) -> None:
        press(f"removal of {path}")
        removed(path, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", mkdir)
        with pytest.raises(KeyboardInterrupt), IndexStore(index).rebuild():
            pass
    assert IndexStore(index).leftovers() == []
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", rmtree)
        with pytest.raises(KeyboardInterrupt), IndexStore(index).rebuild():
            pass
    assert len(pressed) == 2
    assert IndexStore(index).leftovers() == []
