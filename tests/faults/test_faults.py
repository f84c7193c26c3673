"""The index after a rebuild is killed at any instant, or the disk is full."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest

from qabot.answering.engine import Engine
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.support import (
    ROOT,
    HashingEncoder,
    build_index,
    clean_environment,
    run_python,
    run_qabot,
    shared_cache,
    write_article,
)

KILLS = 30
# In the order in which they are written.
WRITTEN = (
    "generations/1/language_subspace.npz",
    "segments/1-1/sentence_rows.npy",
    "segments/1-1/sentences.npy",
    "segments/1-1/passages.npy",
    "segments/1-1/articles.sqlite",
    "segments/1-1/words.bin",
    "generations/1/manifest.json",
)


class Driver:
    """Starts rebuilds of ``folder/index``, each in a process of its own (``rebuild_driver.py``)."""

    def __init__(self, folder: Path, *sources: Path | str, dimension: int = 64) -> None:
        program = ROOT / "tests" / "rebuild_driver.py"
        arguments = [program, folder / "index", shared_cache(), dimension, *sources]
        self._process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=folder,
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def _say(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def start(self, limit: int | None = None) -> int:
        """Begin a rebuild that can write no file of more than ``limit`` bytes; its process."""
        return int(self._say("" if limit is None else str(limit)))

    def end(self) -> dict[str, Any]:
        """How the rebuild ended: ``code`` and ``error``."""
        ended: dict[str, Any] = json.loads(self._say(""))
        return ended

    def close(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


def random_text(seed: int, paragraphs: int, words: int = 60) -> str:
    """Paragraphs of one sentence each, long enough to be passages of their own."""
    letters = random.Random(seed)
    return "\n\n".join(
        " ".join("".join(letters.choices(ascii_lowercase, k=5)) for _ in range(words)) + "."
        for _ in range(paragraphs)
    )


def state_of(index: Path) -> tuple[int, str, list[str]]:
    """The generation, what it answers, and its articles; the engine opens and checks every file."""
    with Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0, quotes=1)) as engine:
        answer = engine.ask("What is the current state?")
        (quote,) = answer.quotes
        assert engine.article("state").text[quote.start : quote.end] == quote.text
        return answer.generation, quote.text, [info.id for info in engine.articles()]


def folders(index: Path) -> list[str]:
    return sorted(path.name for path in (index / "generations").iterdir())


@pytest.mark.slow
def test_a_rebuild_killed_at_any_instant_leaves_a_whole_index(tmp_path):
    index, articles = tmp_path / "index", tmp_path / "articles"
    for number in range(3):
        write_article(articles, f"filler-{number}", random_text(number, 100))

    def write_state(number: int) -> str:
        text = f"The current state is number {number}."
        write_article(articles, "state", text)
        return text

    write_state(0)
    build_index(index, articles)
    names = state_of(index)[2]
    driver = Driver(tmp_path, articles)
    # How long the rebuild takes that nobody kills.
    write_state(1)
    driver.start()
    begun = time.monotonic()
    assert driver.end() == {"code": 0, "error": ""}
    duration = time.monotonic() - begun
    before = state_of(index)
    assert (2, "The current state is number 1.", names) == before

    chance = random.Random(20211224)
    outcomes = []
    for number in range(2, 2 + KILLS):
        text = write_state(number)
        process = driver.start()
        time.sleep(chance.uniform(0, duration))
        os.kill(process, signal.SIGKILL)
        code = driver.end()["code"]
        after = state_of(index)
        if after != before:
            assert after[0] > before[0]
            assert (text, names) == after[1:]
        outcomes.append((code, after != before))
        before = after
    driver.close()
    assert {code for code, _ in outcomes} <= {0, -signal.SIGKILL}
    # Some were killed before they published.
    assert (-signal.SIGKILL, False) in outcomes
    # The next rebuild works, and clears away what the killed ones left.
    text = write_state(0)
    summary = build_index(index, articles)
    assert (summary.generation, text, names) == state_of(index)
    assert [name for name in folders(index) if name.startswith(".")] == []
    assert len(folders(index)) <= 3


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Iterator[tuple[Path, Driver]]:
    """An index each of whose files is larger than those written before it, and its driver."""
    folder = tmp_path_factory.mktemp("disk")
    # The manifest lists the sources: many with long names make it long.
    articles = folder / ("a" * 200)
    write_article(articles, "words", random_text(0, 260))
    write_article(articles, "state", "The current state is one.")
    driver = Driver(folder, *[articles.name] * 2000, dimension=16)
    driver.start()
    assert driver.end() == {"code": 0, "error": ""}
    yield folder / "index", driver
    driver.close()


@pytest.mark.parametrize("name", WRITTEN)
def test_a_full_disk_leaves_the_index_as_it_was(disk, name):
    index, driver = disk
    sizes = [(index / written).stat().st_size for written in WRITTEN]
    place = WRITTEN.index(name)
    # So that this file, and none before it, is too large. A manifest is some bytes shorter where
    # the index's files are too new to tell a change by their times.
    before = max(sizes[:place], default=0)
    assert sizes[place] > 1.05 * before
    driver.start(limit=(before + sizes[place]) // 2)
    ended = driver.end()
    assert ended["code"] == 2
    assert ended["error"].startswith(f"{index}: the index cannot be written (")
    # SQLite says "disk I/O error" of a file that may not grow, which may be another fault, too.
    assert "); the live one is unchanged; free space" in ended["error"]
    assert ended["error"].endswith(" or name another folder with --index")
    assert len(ended["error"].splitlines()) == 1
    assert folders(index) == ["1"]
    generation = IndexStore(index).open()
    article = generation.database.article("state")
    generation.close()
    assert article
    assert article.text == "The current state is one."


def test_a_file_cut_short_by_a_full_disk_is_not_published(tmp_path):
    articles = tmp_path / "articles"
    write_article(articles, "words", random_text(0, 40))
    write_article(articles, "state", "The current state is one.")
    driver = Driver(tmp_path, articles, dimension=1024)
    driver.start()
    assert driver.end() == {"code": 0, "error": ""}
    folder = tmp_path / "index/segments/1-1"
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    driver.start(limit=max(sizes.values()) - 1)
    ended = driver.end()
    driver.close()
    assert ended["code"] == 2
    assert IndexStore(tmp_path / "index").current() == 1


def test_the_command_survives_a_full_disk_too(tmp_path, real_index):
    # A limit on all files of the process: enough for its empty lock, too little for the index.
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from qabot.cli import main; main()"
    )
    result = run_python(
        "-c",
        limited,
        "rebuild",
        real_index.articles,
        "--json",
        cwd=tmp_path,
        environment={"QABOT_CACHE": str(real_index.cache)},
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("qabot: index: the index cannot be written (")
    assert folders(tmp_path / "index") == []
    assert run_qabot("articles", cwd=tmp_path).returncode == 3
