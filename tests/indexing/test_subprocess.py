"""A rebuild in a process of its own: what it reports, what it came to, and that it can be ended."""

from __future__ import annotations

import shutil
import threading

import pytest

from qabot.errors import RebuildError, RebuildRunningError
from qabot.index import IndexStore
from qabot.indexing.subprocess import RebuildProcess
from qabot.indexing.summary import Progress
from tests.support import write_article


@pytest.fixture
def process(tmp_path, real_index, monkeypatch) -> RebuildProcess:
    """Rebuilds a copy of the packaged model's index."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(real_index.folder, tmp_path / "index")
    shutil.copytree(real_index.articles, tmp_path / "articles")
    return RebuildProcess("index", "multilingual-e5-small", str(real_index.cache))


def test_it_reports_progress_and_what_was_done(process, tmp_path):
    write_article(tmp_path / "articles", "new", "Mars is red.\n\nIt has two moons.")
    (tmp_path / "articles" / "broken.md").write_bytes(b"\0\0\0")
    reported: list[Progress] = []
    summary = process(["articles"], reported.append)
    assert (summary.generation, summary.changed, summary.articles) == (2, True, 5)
    assert summary.encoded > 0
    assert [skipped.source for skipped in summary.skipped] == ["articles/broken.md"]
    stages = list(dict.fromkeys(progress.stage for progress in reported))
    assert stages == ["reading", "encoding", "writing"]
    assert all(0 <= progress.done <= progress.total for progress in reported)
    assert IndexStore(tmp_path / "index").current() == 2


def test_collections_of_the_settings_stay(process, tmp_path, real_index):
    write_article(tmp_path / "news", "today", "Mars is red.")
    write_article(tmp_path / "uploads", "late", "Venus is hot.")
    (tmp_path / "qabot.toml").write_text('[collections]\nnews = ["news"]\n', "utf-8")
    cache = str(real_index.cache)
    renew = RebuildProcess("index", "multilingual-e5-small", cache, has_collections=lambda: True)
    assert renew(["uploads"], print).articles == 2
    assert renew([], print).articles == 1
    generation = IndexStore(tmp_path / "index").open()
    assert generation.manifest.collections == {"news": ("news",)}
    generation.close()


def test_sources_may_have_any_name(process, tmp_path, real_index):
    write_article(tmp_path / "news", "today", "Mars is red.")
    write_article(tmp_path / "up:loads\nof a day", "late", "Venus is hot.")
    (tmp_path / "qabot.toml").write_text('[collections]\nnews = ["news"]\n', "utf-8")
    cache = str(real_index.cache)
    renew = RebuildProcess("index", "multilingual-e5-small", cache, has_collections=lambda: True)
    summary = renew(["up:loads\nof a day", "http://127.0.0.1:9/a:b"], print)
    assert summary.articles == 2
    assert [item.source for item in summary.skipped] == ["http://127.0.0.1:9/a:b"]


def test_what_goes_wrong_is_told_in_the_words_of_the_command(process):
    with pytest.raises(RebuildError, match=r"^nowhere: no such file or folder; check the path$"):
        process(["nowhere"], print)
    with pytest.raises(RebuildError, match=r"^-x: no such file or folder; check the path$"):
        process(["-x"], print)


def test_another_rebuild_is_not_disturbed(process, tmp_path):
    with IndexStore(tmp_path / "index").rebuild(), pytest.raises(RebuildRunningError):
        process(["articles"], print)


def test_a_rebuild_can_be_ended_and_the_index_stays(process, tmp_path):
    write_article(
        tmp_path / "articles", "long", "\n\n".join(f"Line {n} is new." for n in range(9000))
    )
    timer = threading.Event()

    def report(progress):
        if progress.stage == "encoding" and not timer.is_set():
            timer.set()
            process.stop()

    with pytest.raises(RebuildError, match="stopped by signal 15; the index is whole"):
        process(["articles"], report)
    assert IndexStore(tmp_path / "index").current() == 1


def test_one_that_was_ended_before_it_began_changes_nothing(process, tmp_path):
    write_article(tmp_path / "articles", "new", "Mars is red.")
    process.stop()
    with pytest.raises(RebuildError, match="stopped by signal 15; the index is whole"):
        process(["articles"], print)
    assert IndexStore(tmp_path / "index").current() == 1


def test_no_token_is_passed_on(process, monkeypatch, tmp_path, real_index):
    for name in ("QABOT_TOKEN", "DISCORD_TOKEN", "QABOT_MCP_TOKEN"):
        monkeypatch.setenv(name, "secret")
    program = "import os, sys; sys.exit(any('secret' in value for value in os.environ.values()))"
    monkeypatch.setattr("qabot.indexing.subprocess._PROGRAM", program)
    with pytest.raises(RebuildError, match="exit code 0"):
        RebuildProcess("index", "e", str(real_index.cache))(["articles"], print)
