"""One fault at random: it strikes, is told, and a product that hid it would be found out."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from faults.chance import Fault
from qabot.answering.engine import Engine
from qabot.errors import DamagedIndexError, QabotError, StorageError
from qabot.files import read_regular
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.one_fault import excuse
from tests.support import HashingEncoder, build_index, write_article

SEEDS = range(40)


def asked(index: Path) -> list[str]:
    with Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0)) as engine:
        return [quote.text for quote in engine.ask("When was the telescope launched?").quotes]


def test_a_rebuild_and_its_readers_tell_each_fault_or_go_on(index):
    before = asked(index)
    told: set[type[QabotError]] = set()
    for seed in SEEDS:
        fault = Fault(f"{seed}")
        write_article(index.parent / "articles", "other", f"The state is {seed}.")
        try:
            with fault.active():
                build_index(index, index.parent / "articles")
                assert before == asked(index)
        except QabotError as error:
            told.add(type(error))
        assert bool(fault.told) <= bool(fault.struck)
        assert fault.lie == ""
        assert before == asked(index)
    # Written and read: both have failed.
    assert {StorageError, DamagedIndexError} <= told


def test_the_same_seed_is_the_same_fault(index):
    def run(seed: int) -> str:
        fault = Fault(f"{seed}")
        with fault.active(), contextlib.suppress(QabotError):
            asked(index)
        return fault.struck

    struck = [run(seed) for seed in range(10)]
    assert struck == [run(seed) for seed in range(10)]
    assert len(set(struck)) > 3


def test_it_leaves_no_trace(index):
    before = (open, os.open, os.fsync, vars(QabotError).get("__init__"))
    with Fault("1").active(), contextlib.suppress(QabotError):
        asked(index)
    assert before == (open, os.open, os.fsync, vars(QabotError).get("__init__"))


def test_a_fault_that_nobody_tells_is_found_out(index, monkeypatch):
    """As if a reader took what it cannot read for another generation."""

    def hidden(path: Path) -> bytes:
        try:
            return read(path)
        except OSError:
            return b"1 " + b"0" * 32

    read = read_regular
    monkeypatch.setattr("qabot.index.store.read_regular", hidden)
    found = 0
    for seed in SEEDS:
        fault = Fault(f"{seed}")
        try:
            with fault.active():
                asked(index)
        except QabotError as error:
            if not fault.told:
                found += 1
                with pytest.raises(DamagedIndexError, match="names no generation"):
                    excuse(fault, error)
    assert found


def test_a_word_that_is_not_so_is_found_out(index):
    def publish() -> None:
        try:
            IndexStore(index).live()
        except DamagedIndexError as error:
            (index / "CURRENT").write_text("published after all")
            raise StorageError("not written; the live one is unchanged; free space") from error

    fault = Fault("1")
    fault._left = 1
    with fault.active(), pytest.raises(StorageError) as caught:
        publish()
    assert str(caught.value) == fault.lie
