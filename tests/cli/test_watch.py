"""``qabot rebuild --watch`` and ``--every`` as a process: what it notices, survives and says."""

from __future__ import annotations

import contextlib
import json
import queue
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from qabot.index import IndexStore
from tests.support import clean_environment, write_article
from tests.web.support import serving

PATIENCE = 60
# Once it says so, it watches.
WAITING = r" waiting: "
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d "
LONG = "\n\n".join(f"Line {number} is new." for number in range(9000))


class Running:
    """``qabot rebuild`` as a process."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qabot", "rebuild", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        self.out: list[str] = []
        self.err: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, kept))
            for stream, kept in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, kept: list[str]) -> None:
        for line in stream:
            kept.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))

    def line(self, pattern: str) -> str:
        """The next line that holds this, of either stream."""
        seen: list[str] = []
        while not seen or not re.search(pattern, seen[-1]):
            try:
                seen.append(self._lines.get(timeout=PATIENCE))
            except queue.Empty:
                pytest.fail(f"no line with {pattern!r} in {seen}")
        return seen[-1]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send it this signal; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self._readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream
            stream.close()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path, real_index) -> Iterator[Start]:
    """Starts ``qabot rebuild`` where ``articles`` and an index of them are."""
    shutil.copytree(real_index.articles, tmp_path / "articles")
    shutil.copytree(real_index.folder, tmp_path / "index")
    with contextlib.ExitStack() as stack:

        def run(*arguments: str, **variables: str) -> Running:
            environment = clean_environment(QABOT_CACHE=str(real_index.cache), **variables)
            running = Running(tmp_path, *arguments, environment=environment)
            stack.callback(running.close)
            return running

        yield run


def articles(folder: Path) -> dict[str, str]:
    """Id → text of what the index holds."""
    with contextlib.closing(IndexStore(folder / "index").open()) as generation:
        found = [generation.database.article(info.id) for info in generation.database.infos()]
    return {article.info.id: article.text for article in found if article}


def test_the_index_follows_a_folder(start, tmp_path):
    running = start("articles", "--watch")
    running.line(WAITING)
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    assert "changed: articles/probe.md: 5 articles, " in running.line("changed")
    assert articles(tmp_path)["probe"] == "The probe Hope reached Mars."
    write_article(tmp_path / "articles", "probe", "The probe Hope left for Mars.")
    assert "1 encoded" in running.line("changed")
    assert articles(tmp_path)["probe"] == "The probe Hope left for Mars."
    (tmp_path / "articles/probe.md").touch()
    assert running.line("changed").endswith("changed: articles/probe.md: nothing new, generation 4")
    (tmp_path / "articles/probe.md").unlink()
    assert "0 encoded" in running.line("changed")
    assert set(articles(tmp_path)) == {"atom.de", "hayabusa.ja", "jwst.en", "volcan.es"}
    assert running.end() == 0
    assert running.line("stopped") == running.out[-1]
    for line in running.out:
        assert re.match(TIME, line)


@pytest.mark.slow
def test_a_file_that_an_editor_replaces_is_read_again(start, tmp_path):
    named = write_article(tmp_path, "named", "Venus is hot.")
    running = start("named.md", "--watch")
    running.line(WAITING)
    write_article(tmp_path, "new", "Venus is bright.", title="named").replace(named)
    running.line(r"changed: named\.md: 1 article,")
    assert articles(tmp_path) == {"named": "Venus is bright."}
    assert running.end(signal.SIGINT) == 0


@pytest.mark.slow
def test_the_settings_are_watched_too(start, tmp_path):
    write_article(tmp_path / "news", "today", "Mars is red.")
    (tmp_path / "qabot.toml").write_text('sources = ["articles"]\n', "utf-8")
    running = start("--watch")
    running.line(WAITING)
    (tmp_path / "qabot.toml").write_text("sources = 3\n", "utf-8")
    running.line(r"not rebuilt: qabot\.toml: .*; tried again when files change")
    (tmp_path / "qabot.toml").write_text('[collections]\nnews = ["news"]\n', "utf-8")
    running.line(r"changed: qabot\.toml: 1 article,")
    write_article(tmp_path / "news", "late", "Venus is hot.")
    running.line(r"changed: news/late\.md: 2 articles")
    assert set(articles(tmp_path)) == {"late", "today"}


@pytest.mark.slow
def test_one_collection_is_followed_and_the_others_stay(start, tmp_path):
    write_article(tmp_path / "news", "today", "Mars is red.")
    (tmp_path / "qabot.toml").write_text(
        '[collections]\nnews = ["news"]\nold = ["articles"]\n', "utf-8"
    )
    running = start("news", "--watch")
    running.line(WAITING)
    write_article(tmp_path / "articles", "unread", "Nobody reads this.")
    write_article(tmp_path / "news", "late", "Venus is hot.")
    assert "changed: news/late.md: " in running.line("changed")
    assert {"late", "today"} <= set(articles(tmp_path))
    assert "unread" not in articles(tmp_path)


@pytest.mark.slow
def test_each_rebuild_is_a_json_object_at_an_interval(start, tmp_path):
    running = start("articles", "--every", "1s", "--json")
    first = json.loads(running.line("generation"))
    # Under other names than those that the index was made with.
    assert (first["generation"], first["encoded"], first["articles"]) == (2, 0, 4)
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    (tmp_path / "articles/broken.md").write_bytes(b"\0\1\2")
    running.line("broken.md")
    running.line('"generation": 3, "changed": false')
    assert running.end(signal.SIGINT) == 0
    running.close()
    objects = [json.loads(line) for line in running.out]
    assert {tuple(found) for found in objects} == {tuple(first)}
    assert [item["source"] for item in objects[-1]["skipped"]] == ["articles/broken.md"]
    assert running.err == []


@pytest.mark.slow
def test_a_problem_that_stays_is_told_once(start, tmp_path):
    running = start("articles", "--watch", "--every", "1s")
    running.line(WAITING)
    (tmp_path / "articles/broken.md").write_bytes(b"\0\1\2")
    running.line("skipped articles/broken.md: not a text file")
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    running.line("5 articles")
    assert running.end() == 0
    running.close()
    assert len([line for line in running.err if "skipped" in line]) == 1


@pytest.mark.slow
def test_a_source_that_vanishes_and_comes_back(start, tmp_path):
    running = start("articles", "--watch", "--every", "2h")
    assert running.line(WAITING).endswith("rebuilds when files change and every 2h; Ctrl-C ends it")
    (tmp_path / "articles").rename(tmp_path / "away")
    assert running.line("not rebuilt").endswith(
        "not rebuilt: articles: no such file or folder; check the path; "
        "tried again when files change and every 2h"
    )
    assert "jwst.en" in articles(tmp_path)
    write_article(tmp_path / "away", "probe", "The probe Hope reached Mars.")
    (tmp_path / "away").rename(tmp_path / "articles")
    assert "5 articles" in running.line("changed")
    assert running.end() == 0


@pytest.mark.slow
def test_no_server_is_asked_because_a_file_changed(start, tmp_path):
    with serving() as site:
        bridge = site.put_story("/bridge", "The bridge")
        running = start("articles", bridge, "--watch", QABOT_ALLOW_PRIVATE_ADDRESSES="true")
        assert running.line(WAITING).endswith(
            "rebuilds when files change, web addresses not; Ctrl-C ends it"
        )
        site.forget()
        write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
        running.line("changed: articles/probe.md: 6 articles")
        assert site.seen == []


@pytest.mark.slow
def test_another_rebuild_is_waited_for(start, tmp_path):
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    with IndexStore(tmp_path / "index").rebuild():
        running = start("articles", "--watch")
        running.line(f"^{TIME}another rebuild is running; waiting for it to end$")
        assert "probe" not in articles(tmp_path)
    running.line("started: 5 articles")
    assert "probe" in articles(tmp_path)
    assert len([line for line in running.err if "another" in line]) == 1


@pytest.mark.slow
def test_a_full_disk_is_survived(start, tmp_path):
    running = start("articles", "--watch")
    running.line(WAITING)
    limits = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE)
    # Enough for what the rebuild prints, too little for the index.
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (1000, limits[1]))
    write_article(tmp_path / "articles", "probe", "The probe Hope reached Mars.")
    running.line("not rebuilt: index: the index cannot be written .*; tried again")
    assert "probe" not in articles(tmp_path)
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, limits)
    write_article(tmp_path / "articles", "other", "The probe Hope left.")
    running.line("changed: articles/other.md: 6 articles")
    assert running.end() == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_while_it_rebuilds_it_takes_the_rebuild_along(start, tmp_path, number):
    write_article(tmp_path / "articles", "long", LONG)
    running = start("articles", "--watch", "--progress")
    running.line('"stage": "encoding"')
    assert running.end(number) == 0
    running.close()
    assert [re.sub(TIME, "", line) for line in running.out] == [
        "stopped; the rebuild under way was ended, the index is whole"
    ]
    assert all(line.startswith("{") for line in running.err)
    store = IndexStore(tmp_path / "index")
    assert store.current() == 1
    # Nobody holds its lock.
    with store.rebuild():
        pass


@pytest.mark.slow
def test_killed_while_it_rebuilds_it_leaves_no_orphan(start, tmp_path):
    write_article(tmp_path / "articles", "long", LONG)
    running = start("articles", "--watch", "--progress")
    running.line('"stage": "encoding"')
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    store = IndexStore(tmp_path / "index")
    end = time.monotonic() + PATIENCE
    while store.busy() and time.monotonic() < end:
        time.sleep(0.1)
    assert not store.busy()
    assert store.leftovers() == []
    assert store.current() == 1


@pytest.mark.slow
def test_a_plain_rebuild_ends_by_the_signal(start, tmp_path):
    write_article(tmp_path / "articles", "long", LONG)
    running = start("articles", "--progress")
    running.line('"stage": "encoding"')
    assert running.end() == -signal.SIGTERM
    assert IndexStore(tmp_path / "index").current() == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("seeds", "--every", "soon"), "--every: 'soon' is no time from 1s to 30d; write it as "),
        (("seeds", "--every", ""), "--every: '' is no time from 1s to 30d; write it as "),
        (("seeds", "--every", "0m"), "--every: '0m' is no time from 1s to 30d; write it as "),
        (("seeds", "--watch", "--every"), "Option '--every' requires an argument; see "),
        (("missing", "--watch"), "missing: no such file or folder; check the path"),
        (("empty", "--every", "1h"), "empty: no article in this folder; "),
        (("http://x", "--watch"), "--watch: web addresses cannot be watched, and no file or "),
        (("news", "seeds", "--watch"), "news is a collection and seeds is none; "),
        (
            ("seeds", "--watch", "--encoder", ""),
            "--encoder: encoder must be a name or path, not ''; ",
        ),
    ],
)
def test_what_cannot_begin_is_told_in_one_line(call, tmp_path, arguments, complaint):
    write_article(tmp_path / "seeds", "probe", "The probe Hope reached Mars.")
    (tmp_path / "empty").mkdir()
    (tmp_path / "qabot.toml").write_text('[collections]\nnews = ["seeds"]\n', "utf-8")
    result = call("rebuild", *arguments)
    assert result.code == 2
    assert result.complaint.startswith(complaint)
    assert not (tmp_path / "index").exists()
