"""Damage that no time tells of: a disk that has lost a bit by itself."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from qabot.errors import DamagedIndexError
from qabot.index import IndexStore
from qabot.index.manifest import Manifest
from qabot.index.open_file import FileStamp
from qabot.indexing import merging
from tests.support import build_index, index_files, write_article

SEGMENT = [name for name in index_files() if name.startswith("segments")]


def rot(index: Path, name: str) -> None:
    """Flip a bit of a file; its manifest gets the times that it has then."""
    path = index / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    folder = index / "generations/1"
    made = Manifest.read(folder)

    def seen(stamps: dict[str, FileStamp], begin: Path) -> dict[str, FileStamp]:
        found = {file: (begin / file).stat() for file in stamps}
        times = {file: (stat.st_mtime_ns, stat.st_ctime_ns) for file, stat in found.items()}
        return {file: replace(stamp, times=times[file]) for file, stamp in stamps.items()}

    (segment,) = made.segments
    replace(
        made,
        files=seen(made.files, folder),
        segments=(replace(segment, files=seen(segment.files, index / "segments/1-1")),),
    ).write(folder)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    for number in range(5):
        write_article(tmp_path / "articles", f"a{number}", f"The state of a{number} is old.")
    build_index(tmp_path / "index", tmp_path / "articles")
    return tmp_path / "index"


@pytest.mark.parametrize("name", index_files())
def test_the_doctor_and_a_rollback_compare_every_byte(index, name):
    rot(index, name)
    with pytest.raises(DamagedIndexError, match=f"{name}: changed since it was written"):
        IndexStore(index).open(whole=False).compare()
    with pytest.raises(DamagedIndexError, match=f"{name}: changed since it was written"):
        IndexStore(index).rollback(1)


@pytest.mark.parametrize("name", SEGMENT[1:3])
def test_what_a_rebuild_copies_is_compared_first(index, name):
    rot(index, name)
    write_article(index.parent / "articles", "a1", "The state of a1 is new.")
    with pytest.raises(DamagedIndexError) as caught:
        build_index(index, index.parent / "articles")
    assert str(caught.value) == (
        f"{index}/{name}: changed since it was written; run `qabot rebuild --full`"
    )
    build_index(index, index.parent / "articles", full=True)
    IndexStore(index).open().compare()


def test_what_is_not_copied_is_not_read(index, monkeypatch):
    monkeypatch.setattr(merging, "SMALL", 0)
    rot(index, SEGMENT[1])
    write_article(index.parent / "articles", "b", "The state of b is new.")
    build_index(index, index.parent / "articles")
    made = IndexStore(index).manifest()
    assert [segment.name for segment in made.segments] == ["1-1", "2-1"]


def test_a_file_is_trusted_by_its_times_only_once_they_tell_of_any_change(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert FileStamp.of(path).times is None
    seconds = path.stat().st_mtime - 60
    os.utime(path, (seconds, seconds))
    # The time of the change of times itself is new, and cannot be set.
    assert FileStamp.of(path).times is None
