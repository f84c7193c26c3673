"""Documents that are meant to do harm: each is refused with a reason, or read in bounded time."""

from __future__ import annotations

import os
import signal
import socket
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from qabot.articles import (
    Limits,
    ReadingProcess,
    Skipped,
    find_files,
    read_changed,
    read_sources,
)
from qabot.errors import ArticleError
from qabot.indexing.passages import split_article
from qabot.types import Article, ArticleInfo
from tests.articles.support import read
from tests.support import build_index, run_qabot, words

GOOD = "The bridge was built in 1907."


def reason(folder: Path, name: str, limits: Limits | None = None) -> str:
    """Why one file of a folder is skipped, where the other is read."""
    (folder / "good.txt").write_text(GOOD)
    files = find_files([folder])
    items = list(read_changed(files, lambda file, content: None, limits))
    (article,) = [item for item in items if isinstance(item, Article)]
    assert article.text == GOOD
    (skipped,) = [item for item in items if isinstance(item, Skipped)]
    assert skipped.source == (folder / name).as_posix()
    return skipped.reason


# --- Size -----------------------------------------------------------------------------------------


RAISE = "split it, or raise the setting max_article_mb"


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("txt", f"larger than 20 MB, the limit for one article; {RAISE}"),
        ("md", f"larger than 2 MB, the limit for one Markdown article; {RAISE}"),
        ("html", f"larger than 10 MB, the limit for one HTML article; {RAISE}"),
        *(
            (document, "larger than 100 MB, the limit for one article; split it")
            for document in ("pdf", "docx", "epub", "odt")
        ),
    ],
)
def test_a_file_of_a_gigabyte_is_not_read(tmp_path, ending, told):
    (tmp_path / f"a.{ending}").touch()
    os.truncate(tmp_path / f"a.{ending}", 1_000_000_000)  # Holes: it takes no space.
    tracemalloc.start()
    assert reason(tmp_path, f"a.{ending}") == told
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 300_000_000


def test_the_setting_says_how_large_a_file_may_be(tmp_path, real_index):
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.md").write_text(GOOD)
    (folder / "long.md").write_text("The tunnel is long. " * 6_000)
    (tmp_path / "qabot.toml").write_text("max_article_mb = 1")
    result = run_qabot(
        "rebuild",
        "articles",
        "--json",
        cwd=tmp_path,
        environment={"QABOT_CACHE": str(real_index.cache)},
    )
    assert (result.returncode, result.stderr) == (2, "")
    assert '"source": "articles/long.md", "reason": "larger than 0.1 MB, the limit' in result.stdout


def test_a_file_that_has_no_size_is_read_no_further_than_the_limit(tmp_path):
    # What the system gives out when it is read: it has 0 bytes until then.
    if not Path("/proc/kallsyms").exists():  # Only Linux has it; elsewhere no such file is known.
        return
    (tmp_path / "a.md").symlink_to("/proc/kallsyms")
    (file,) = find_files([tmp_path / "a.md"])
    (item,) = read_changed([file], lambda file, content: None, Limits(megabytes=1))
    assert isinstance(item, Skipped)
    assert item.reason.startswith("larger than 0.1 MB")


# --- Time -----------------------------------------------------------------------------------------


# Half a minute's work each: one that is read where it is asked for, one in a process of its own.
SLOW = {"short": "![" * 50_000, "long": "![" * 900_000}


def skipped_as_slow(folder: Path) -> bool:
    told = reason(folder, "a.md", Limits(seconds=0.5))
    return told == "takes longer than 0.5 s to read; split it, or simplify its markup"


@pytest.mark.parametrize("size", SLOW)
def test_a_document_that_takes_too_long_is_given_up(tmp_path, size):
    (tmp_path / "a.md").write_text(SLOW[size])
    assert skipped_as_slow(tmp_path)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL


@pytest.mark.parametrize("size", SLOW)
def test_in_another_thread_time_is_limited_as_well(tmp_path, size):
    (tmp_path / "a.md").write_text(SLOW[size])
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(skipped_as_slow, tmp_path).result()


def test_where_there_are_no_alarms_time_is_limited_as_well(tmp_path, monkeypatch):
    # Windows has none.
    monkeypatch.delattr(signal, "setitimer")
    (tmp_path / "a.md").write_text(SLOW["short"])
    assert skipped_as_slow(tmp_path)


def test_a_text_that_takes_too_much_memory_is_given_up_and_the_next_one_is_read(tmp_path):
    with closing(ReadingProcess(memory=250_000_000)) as process:
        with pytest.raises(ArticleError, match=r"takes too much memory|broke off"):
            process.read("markdown", b"- a\n" * 100_000)
        assert process.read("plain", GOOD.encode()).text == GOOD


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "a" * 1_000_000),
        ("a.txt", "word " * 200_000),
        ("a.txt", "\u0301" + "e\u0301" * 200_000),
        ("a.txt", "港" * 300_000),
        ("a.txt", "a" + "\n \t" * 300_000 + "b"),
        ("a.md", "`a``b" * 30_000),
        ("a.md", "[" * 20_000 + "x"),
        ("a.md", "---\na: " + "[" * 20_000 + "\n---\nText."),
        ("a.html", "<div>" * 100_000 + GOOD),
        ("a.html", f"<p>{GOOD}</p>" + "<b>x</b>" * 50_000),
    ],
    ids=["letter", "line", "marks", "han", "blanks", "ticks", "brackets", "yaml", "divs", "tags"],
)
def test_endless_lines_and_nesting_give_passages_of_bounded_size_or_a_reason(tmp_path, name, text):
    # It ends: of some of these, the first versions of the code would have taken hours.
    (tmp_path / name).write_text(text)
    (item,) = read_sources([tmp_path])
    if isinstance(item, Skipped):
        assert item.reason.isprintable()
        return
    assert isinstance(item, Article)
    passages = split_article(item, lambda texts: [len(text) for text in texts])
    last = 0
    for passage in passages:
        assert last <= passage.start < passage.end <= last + 2_000
        assert passage.text == item.text[passage.start : passage.end]
        last = passage.end
    assert last == len(item.text)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.md", "---\ntitle: {}\nauthor: {}\n---\n"),
        ("a.md", "# {}\n\n"),
        ("a.html", "<title>{}</title><h1>{}</h1>"),
        ("a.html", "<p>Text.</p><h2>{}</h2>"),
    ],
)
def test_what_stands_before_each_passage_is_short(tmp_path, name, head):
    # Of an endless title, a file of 2 MB would become an index of gigabytes.
    text = "The tunnel is long and dark. " * 1_000
    text = f"<p>{text}</p>" if name == "a.html" else text
    article = read(tmp_path, name, head.replace("{}", "very long " * 1_000) + text)
    assert len(article.info.title) <= 300
    assert len(article.info.author or "") <= 300
    passages = split_article(article, lambda texts: [len(text) // 4 for text in texts])
    assert len(passages) > 20
    assert all(len(heading) <= 300 for passage in passages for heading in passage.headings)
    assert "The tunnel is long and dark." in passages[-1].text


def test_a_bomb_of_aliases_does_not_go_off(tmp_path):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 100)]
    fields = "\n".join(lines)
    assert read(tmp_path, "a.md", f"---\ntitle: T\n{fields}\n---\n{GOOD}").text == GOOD
    article = read(tmp_path, "a.md", f"---\n{fields}\ntitle: *a99\n---\n{GOOD}")
    assert (article.text, article.info.title) == (GOOD, GOOD)


# --- Structure ------------------------------------------------------------------------------------


def test_lists_in_lists_are_read_to_the_last(tmp_path):
    lines = [f"{'  ' * level}- item {level}" for level in range(30)]
    text = read(tmp_path, "a.md", "\n".join(lines)).text
    assert text.split("\n") == [f"item {level}" for level in range(30)]


def test_quotes_in_quotes_are_read_to_the_last(tmp_path):
    assert read(tmp_path, "a.md", f"{'> ' * 40}{GOOD}").text == GOOD


# --- What is no file of text ----------------------------------------------------------------------


def test_pipes_sockets_and_devices_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    assert reason(tmp_path, "a.txt") == "not a regular file; remove it or name a file with text"
    (tmp_path / "a.txt").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "a.md"))
        assert reason(tmp_path, "a.md").startswith("not a regular file")
    result = run_qabot("rebuild", "/dev/zero", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "qabot: /dev/zero: neither a file nor a folder; name one of those\n"


@pytest.mark.parametrize(
    "name",
    [b"line\nbreak.txt", b"not-utf8-\xff\xfe.txt", b"\x1b[31mred.txt", b"x" * 251 + b".txt"],
    ids=["newline", "bytes", "escape", "long"],
)
def test_names_of_files_may_hold_anything(tmp_path, name):
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / os.fsdecode(name)).write_text(GOOD)
    (folder / os.fsdecode(b"bad-" + name[-200:])).write_bytes(b"\x00")
    (skipped,) = build_index(tmp_path / "index", folder).skipped
    assert skipped.source.isprintable()
    (item,) = [item for item in read_sources([folder]) if not isinstance(item, Skipped)]
    assert isinstance(item, Article)
    check_shown(item.info)
    assert words(item.text) == words(GOOD)


def check_shown(info: ArticleInfo) -> None:
    for text in (info.id, info.source, info.title):
        assert text.isprintable()
        assert text.encode()
