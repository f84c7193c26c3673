"""Which generation it is: nothing else may pass for it, and an open engine notices another."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qabot.answering.engine import Engine
from qabot.errors import DamagedIndexError, IndexMismatchError, StorageError
from qabot.index import Identity, IndexStore
from qabot.index.manifest import NAME, Manifest
from qabot.settings import Settings
from tests.support import HashingEncoder, build_index, index_files, sign, write_article

REMEDY = "run `qabot rebuild --full`"


def build(folder: Path, text: str) -> Path:
    """An index of one article in ``folder/index``."""
    write_article(folder / "articles", "state", text)
    build_index(folder / "index", folder / "articles")
    return folder / "index"


def engine_on(index: Path) -> Engine:
    return Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0, quotes=1))


def state(engine: Engine) -> str:
    return engine.ask("What is the state?").quotes[0].text


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Three generations, each of which says its number."""
    for number in (1, 2, 3):
        build(tmp_path, f"The state is number {number}.")
    return tmp_path / "index"


def test_ids_are_never_given_twice(index):
    manifests = [Manifest.read(index / f"generations/{number}") for number in (1, 2, 3)]
    assert len({manifest.id for manifest in manifests}) == 3
    assert IndexStore(index).live() == manifests[2].identity


def test_no_bit_of_current_can_flip_unseen(index):
    path = index / "CURRENT"
    whole = path.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            with pytest.raises(DamagedIndexError) as caught:
                IndexStore(index).open()
            assert str(caught.value).startswith(f"{path}: names no generation (")
            assert str(caught.value).endswith(REMEDY)


def exchange(index: Path) -> None:
    folders = index / "generations"
    (folders / "2").rename(folders / "other")
    (folders / "3").rename(folders / "2")
    (folders / "other").rename(folders / "3")


def exchange_manifests_too(index: Path) -> None:
    """Generation 2 in the place of 3, with a manifest that says so and all checksums right."""
    shutil.rmtree(index / "generations/3")
    shutil.copytree(index / "generations/2", index / "generations/3")
    folder = index / "generations/3"
    content = json.loads((folder / NAME).read_text("utf-8"))
    (folder / NAME).unlink()
    made = Manifest.read(index / "generations/2")
    replace(made, generation=3).write(folder)
    assert content["generation"] == 2


def take_from_another_index(index: Path) -> None:
    other = index.parent / "other/index"
    for number in (1, 2, 3):
        build(other.parent, f"Another state is number {number}.")
    shutil.rmtree(index / "generations/3")
    shutil.copytree(other / "generations/3", index / "generations/3")


def rename_with_current(index: Path) -> None:
    """A folder 7 whose manifest says 3, and ``CURRENT`` that names 7."""
    identity = IndexStore(index).live()
    (index / "generations/3").rename(index / "generations/7")
    (index / "CURRENT").write_text(Identity(7, identity.id).line, "ascii")


@pytest.mark.parametrize(
    "change", [exchange, exchange_manifests_too, take_from_another_index, rename_with_current]
)
def test_a_folder_in_the_place_of_another_is_refused(index, change: Callable[[Path], None]):
    with engine_on(index) as engine:
        change(index)
        with pytest.raises(DamagedIndexError) as caught:
            IndexStore(index).open()
        assert str(caught.value).endswith(
            f"/manifest.json: of another generation than its folder; {REMEDY}"
        )
        # What an engine has open is still whole.
        assert state(engine) == "The state is number 3."
    build(index.parent, "The state is repaired.")
    with engine_on(index) as engine:
        assert state(engine) == "The state is repaired."


def test_a_generation_that_lists_other_files_is_refused(index):
    folder = index / "generations/3"
    made = Manifest.read(folder)
    sign(folder, files={**made.files, "other": made.files["language_subspace.npz"]})
    with pytest.raises(DamagedIndexError, match=r"manifest\.json: lists other files; run"):
        IndexStore(index).open()


def test_an_engine_notices_an_index_that_was_removed_and_built_again(tmp_path):
    index = build(tmp_path, "The state is old.")
    with engine_on(index) as engine:
        assert state(engine) == "The state is old."
        shutil.rmtree(index)
        build(tmp_path, "The state is new.")
        assert IndexStore(index).current() == 1
        assert state(engine) == "The state is new."


def test_an_engine_notices_another_folder_in_the_place_of_its_own(tmp_path):
    index = build(tmp_path, "The state is old.")
    other = build(tmp_path / "other", "The state is new.")
    with engine_on(index) as engine:
        assert state(engine) == "The state is old."
        index.rename(tmp_path / "moved")
        other.rename(index)
        assert state(engine) == "The state is new."


def test_an_engine_follows_a_link(tmp_path):
    old = build(tmp_path / "a", "The state is old.")
    new = build(tmp_path / "b", "The state is new.")
    link = tmp_path / "link"
    link.symlink_to(old)
    with engine_on(link) as engine:
        assert state(engine) == "The state is old."
        link.unlink()
        link.symlink_to(new)
        assert state(engine) == "The state is new."


def test_an_index_of_an_earlier_format_says_so(tmp_path):
    index = build(tmp_path, "The state is old.")
    # As format 4 was: no id, and CURRENT held the number alone.
    path = index / "generations/1" / NAME
    content = json.loads(path.read_text("utf-8"))
    del content["id"]
    path.write_text(json.dumps({**content, "format": 4}), "utf-8")
    (index / "CURRENT").write_text("1\n", "ascii")
    with pytest.raises(IndexMismatchError) as caught:
        IndexStore(index).open()
    assert str(caught.value) == f"{path}: index format 4, not 8; {REMEDY}"
    build(tmp_path, "The state is new.")
    assert IndexStore(index).current() == 2


# --- What stands in the place of a file -----------------------------------------------------------


@pytest.mark.parametrize("name", ["CURRENT", f"generations/3/{NAME}", *index_files(3)])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(index, name):
    (index / name).unlink()
    os.mkfifo(index / name)
    with pytest.raises(DamagedIndexError) as caught:
        IndexStore(index).open()
    assert str(caught.value).startswith(f"{index / name}: ")
    assert "; " in str(caught.value)


@pytest.mark.parametrize("name", ["CURRENT", "CURRENT.new", "encoded.sqlite", "files.seen"])
def test_a_pipe_in_the_place_of_what_a_rebuild_writes_is_named(index, name):
    (index / name).unlink(missing_ok=True)
    os.mkfifo(index / name)
    with pytest.raises(StorageError) as caught:
        build_index(index, index.parent / "articles")
    remedy = "remove it and run `qabot rebuild --full`"
    assert str(caught.value) == f"{index / name}: is no regular file; {remedy}"


@pytest.mark.parametrize(
    ("place", "found"),
    [
        (Path.mkdir, "is no regular file"),
        (os.mkfifo, "is no regular file"),
        (lambda path: path.symlink_to(path.parent / "generations"), "is a link"),
        (lambda path: path.symlink_to(path.parent.parent / "mine"), "is a link"),
    ],
    ids=["a folder", "a pipe", "a link to a folder", "a link to a file"],
)
def test_what_stands_in_the_place_of_the_lock_is_named(index, place, found):
    (index.parent / "mine").write_text("not to be touched")
    (index / "LOCK").unlink()
    place(index / "LOCK")
    with pytest.raises(StorageError) as caught:
        build_index(index, index.parent / "articles")
    assert str(caught.value) == (
        f"{index}/LOCK: {found}; remove it, and the next rebuild makes it anew"
    )
    assert (index.parent / "mine").read_text() == "not to be touched"
    # The doctor does not take it for a rebuild.
    assert not IndexStore(index).busy()
    assert IndexStore(index).current() == 3


def test_a_link_in_the_place_of_the_new_current_is_not_written_through(index):
    mine = index.parent / "mine"
    mine.write_text("not to be touched")
    (index / "CURRENT.new").symlink_to(mine)
    build(index.parent, "The state is number 4.")
    assert (mine.read_text(), IndexStore(index).current()) == ("not to be touched", 4)
