"""Earlier generations: going back to one, and which of them are kept."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.answering.engine import Engine
from qabot.errors import DamagedIndexError, NoIndexError, RebuildRunningError, UsageError
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.support import (
    ROOT,
    HashingEncoder,
    build_index,
    clean_environment,
    run_qabot,
    write_article,
)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Three generations, each of which says its number."""
    for number in (1, 2, 3):
        assert number == publish(tmp_path / "index", f"The state is number {number}.")
    return tmp_path / "index"


def publish(index: Path, text: str, *, keep: int = 3) -> int:
    write_article(index.parent / "articles", "state", text)
    return build_index(index, index.parent / "articles", keep=keep).generation


def text_of(index: Path) -> str:
    with contextlib.closing(IndexStore(index).open()) as generation:
        article = generation.database.article("state")
    assert article
    return article.text


def folders(index: Path) -> list[str]:
    return sorted(path.name for path in (index / "generations").iterdir())


# --- Going back -----------------------------------------------------------------------------------


def test_the_one_before_the_live_one_is_live_again(index):
    store = IndexStore(index)
    assert [store.rollback().generation, store.rollback().generation] == [2, 1]
    assert text_of(index) == "The state is number 1."
    assert folders(index) == ["1", "2", "3"]


def test_any_that_is_kept_may_be_chosen_later_ones_too(index):
    store = IndexStore(index)
    for number in (1, 3, 3, 2):
        manifest = store.rollback(number)
        assert (number, number) == (manifest.generation, store.current())
        assert text_of(index) == f"The state is number {number}."


def test_an_engine_follows(index):
    with Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0)) as engine:
        assert engine.ask("What is the state?").quotes[0].text == "The state is number 3."
        IndexStore(index).rollback(1)
        answer = engine.ask("What is the state?")
    assert (1, "The state is number 1.") == (answer.generation, answer.quotes[0].text)


def test_the_next_rebuild_brings_it_up_to_date_under_a_new_number(index):
    IndexStore(index).rollback(1)
    summary = build_index(index, index.parent / "articles")
    assert (True, 4) == (summary.changed, summary.generation)
    assert text_of(index) == "The state is number 3."


@pytest.mark.parametrize("number", [0, 4, 99, -1])
def test_one_that_is_not_there_is_told_with_those_that_are(index, number):
    with pytest.raises(UsageError) as caught:
        IndexStore(index).rollback(number)
    assert str(caught.value) == (
        f"{index}: no generation {number}; there are generations 1, 2, 3 (live)"
    )
    assert IndexStore(index).current() == 3


def test_before_the_first_there_is_none(index):
    store = IndexStore(index)
    store.rollback(1)
    with pytest.raises(UsageError) as caught:
        store.rollback()
    assert str(caught.value) == (
        f"{index}: none before the live one; there are generations 1 (live), 2, 3"
    )


def test_without_an_index_there_is_nothing_to_go_back_to(tmp_path):
    with pytest.raises(NoIndexError):
        IndexStore(tmp_path / "index").rollback()
    assert not (tmp_path / "index").exists()


def test_a_damaged_one_does_not_become_live(index):
    (index / "segments/2-1/passages.npy").write_bytes(b"short")
    with pytest.raises(DamagedIndexError, match=r"2-1/passages\.npy: 5 bytes where"):
        IndexStore(index).rollback()
    assert text_of(index) == "The state is number 3."


def test_it_repairs_an_index_whose_live_generation_is_damaged(index):
    (index / "generations/3/manifest.json").unlink()
    IndexStore(index).rollback()
    assert text_of(index) == "The state is number 2."
    (index / "CURRENT").write_text("no number")
    IndexStore(index).rollback(1)
    assert text_of(index) == "The state is number 1."


def test_not_while_a_rebuild_runs(index):
    with IndexStore(index).rebuild(), pytest.raises(RebuildRunningError):
        IndexStore(index).rollback()
    assert IndexStore(index).current() == 3


def test_the_command(index):
    result = run_qabot("rollback", "--json", cwd=index.parent)
    assert (0, "") == (result.returncode, result.stderr)
    found = json.loads(result.stdout)
    assert ["generation", "created", "articles", "passages"] == list(found)
    assert (2, 1, 1) == (found["generation"], found["articles"], found["passages"])
    result = run_qabot("rollback", "1", cwd=index.parent)
    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.startswith("Generation 1 is live: 1 article, 1 passage, built 2")
    result = run_qabot("rollback", "7", cwd=index.parent)
    assert (2, "", "qabot: index: no generation 7; there are generations 1 (live), 2, 3\n") == (
        result.returncode,
        result.stdout,
        result.stderr,
    )
    assert run_qabot("rollback", cwd=index.parent / "articles").returncode == 3


def test_the_command_says_that_a_generation_is_another_models(index):
    build_index(index, index.parent / "articles", encoder=HashingEncoder("other", "made by other"))
    result = run_qabot("rollback", "2", cwd=index.parent)
    assert (0, 1) == (result.returncode, result.stderr.count("\n"))
    assert result.stderr.startswith("qabot: generation 2 was made by hashing, not by other ")
    assert result.stderr.endswith("encoder, or run `qabot rebuild`\n")
    assert run_qabot("rollback", "3", cwd=index.parent).stderr == ""
    # What is live may be damaged: it is told by its number alone then.
    (index / "generations/3/manifest.json").unlink()
    assert run_qabot("rollback", "4", cwd=index.parent).stderr == ""


# --- Which are kept -------------------------------------------------------------------------------


def test_the_setting_says_how_many_are_kept(index):
    publish(index, "Four.", keep=2)
    assert folders(index) == ["3", "4"]
    publish(index, "Five.", keep=5)
    assert folders(index) == ["3", "4", "5"]
    publish(index, "Six.", keep=1)
    assert folders(index) == ["6"]


def test_fewer_are_kept_at_once_even_if_nothing_changed(index):
    assert publish(index, "The state is number 3.", keep=1) == 3
    assert folders(index) == ["3"]


def test_the_live_one_and_the_highest_number_stay(index):
    IndexStore(index).rollback(1)
    # Nothing changes: the live one holds this already.
    assert publish(index, "The state is number 1.", keep=1) == 1
    assert folders(index) == ["1", "3"]
    assert publish(index, "Four.", keep=1) == 4


def test_one_that_is_read_is_not_removed(index):
    reader = IndexStore(index).open()
    for number in range(4, 8):
        publish(index, f"The state is number {number}.", keep=1)
    assert folders(index) == ["3", "7"]
    article = reader.database.article("state")
    assert article
    assert article.text == "The state is number 3."
    reader.close()
    publish(index, "Eight.", keep=1)
    assert folders(index) == ["8"]


def test_a_reader_in_another_process_counts_until_it_ends(index):
    program = (
        "import sys; from pathlib import Path; from qabot.index import IndexStore\n"
        "generation = IndexStore(Path(sys.argv[1])).open()\n"
        "print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, index],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        publish(index, "Four.", keep=1)
        assert folders(index) == ["3", "4"]
        os.kill(reader.pid, signal.SIGKILL)
        reader.wait()
    publish(index, "Five.", keep=1)
    assert folders(index) == ["5"]


def test_a_reader_that_was_forgotten_holds_nothing_for_ever(index):
    reader = IndexStore(index).open()
    del reader
    publish(index, "Four.", keep=1)
    assert folders(index) == ["4"]


def test_what_a_killed_removal_left_goes_with_the_next_rebuild(index):
    (index / "generations/1").rename(index / "generations/.removing-1")
    publish(index, "Four.")
    assert folders(index) == ["2", "3", "4"]


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["back", "build", "first"]), max_size=6), st.integers(1, 3))
def test_numbers_only_rise_and_what_is_live_can_be_read(tmp_path_factory, steps, keep):
    index = tmp_path_factory.mktemp("steps") / "index"
    given_out = [publish(index, "Text 0.", keep=keep)]
    states = {1: "Text 0."}
    for step in steps:
        store = IndexStore(index)
        if step == "build":
            text = f"Text {len(given_out)}."
            given_out.append(publish(index, text, keep=keep))
            states[given_out[-1]] = text
        else:
            with contextlib.suppress(UsageError):
                store.rollback(None if step == "back" else store.numbers()[0])
        assert states[store.current()] == text_of(index)
    assert given_out == list(range(1, len(given_out) + 1))
