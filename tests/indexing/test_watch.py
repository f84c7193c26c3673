"""When a rebuild is due: real files change, and the reasons that come of it are read."""

from __future__ import annotations

import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.errors import UsageError
from qabot.indexing import watch as watching
from qabot.indexing.watch import Reason, due
from qabot.text import LONGEST, SHORTEST, parse_interval

START, PASSED = Reason("start"), Reason("interval")
# Longer than any test waits: what passes first is a change, or there was none.
LATER = timedelta(seconds=60)


@pytest.fixture
def watch(tmp_path, monkeypatch) -> Iterator[Callable[..., Iterator[Reason]]]:
    """Begins to watch sources, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watching, "LOOK_MS", 100)
    monkeypatch.setattr(watching, "QUIET_SECONDS", 0.2)
    stop = threading.Event()

    def begin(*sources: str, every: timedelta = LATER, ignored=()) -> Iterator[Reason]:
        reasons = due(lambda: sources, ignored=ignored, watch=True, every=every, stop=stop)
        assert next(reasons) == START
        return reasons

    yield begin
    stop.set()


def write(path: str, text: str = "Mars is red.") -> Path:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def changed(*paths: str, more: int = 0) -> Reason:
    return Reason("change", paths, more)


# --- Folders --------------------------------------------------------------------------------------


def test_files_written_changed_renamed_and_removed_are_told(watch):
    write("articles/old.md")
    reasons = watch("articles")
    write("articles/new.txt")
    assert next(reasons) == changed("articles/new.txt")
    write("articles/new.txt", "Mars is rusty.")
    assert next(reasons) == changed("articles/new.txt")
    Path("articles/old.md").rename("articles/older.md")
    assert next(reasons) == changed("articles/old.md", "articles/older.md")
    Path("articles/older.md").unlink()
    assert next(reasons) == changed("articles/older.md")


def test_a_burst_is_one_reason(watch, monkeypatch):
    write("articles/0.md")
    reasons = watch("articles")
    # Writing that many takes a while.
    monkeypatch.setattr(watching, "QUIET_SECONDS", 3.0)
    for number in range(1, 201):
        write(f"articles/{number:03}.md")
    assert next(reasons) == changed(
        "articles/001.md", "articles/002.md", "articles/003.md", more=197
    )
    write("articles/0.md", "changed")
    assert next(reasons) == changed("articles/0.md")


def test_hidden_files_and_other_types_are_no_reason(watch):
    write("articles/a.md")
    write("elsewhere/d.md")
    reasons = watch("articles")
    write("articles/picture.png")
    write("articles/.a.md.swp")
    write("articles/.git/notes.md")
    write("elsewhere/d.md", "changed")
    write("articles/a.md", "changed")
    assert next(reasons) == changed("articles/a.md")


def test_the_index_within_a_source_is_no_reason(watch):
    write("a.md")
    reasons = watch(".", ignored=("index",))
    write("index/generations/1/notes.txt")
    write("b.md")
    assert next(reasons) == changed("b.md")


def test_folders_that_come_and_go_whole_are_told(watch):
    write("articles/a.md")
    write("incoming/2024/b.md")
    write("incoming/c.md")
    reasons = watch("articles")
    Path("incoming").rename("articles/v1.2")
    assert next(reasons) == changed("articles/v1.2")
    write("articles/v1.2/2024/b.md", "Changed within what was moved here.")
    assert next(reasons) == changed("articles/v1.2/2024/b.md")
    Path("articles/v1.2").rename("outgoing")
    assert next(reasons) == changed("articles/v1.2")


def test_a_source_that_vanishes_and_comes_back_is_watched_again(watch):
    write("articles/a.md")
    reasons = watch("articles")
    Path("articles").rename("away")
    assert next(reasons) == changed("articles")
    # No longer a source.
    write("away/a.md", "Changed.")
    Path("away").rename("articles")
    assert next(reasons) == changed("articles")
    write("articles/a.md", "Again.")
    assert next(reasons) == changed("articles/a.md")


def test_a_source_that_is_not_there_yet_is_told_when_it_comes(watch):
    reasons = watch("later")
    write("new/a.md")
    Path("new").rename("later")
    assert next(reasons) == changed("later")
    write("later/b.md")
    assert next(reasons) == changed("later/b.md")


def test_a_folder_in_place_of_another_is_told(watch):
    for name in "first", "second":
        write(f"{name}/a.md")
    Path("current").symlink_to("first")
    reasons = watch("current")
    Path("next").symlink_to("second")
    Path("next").replace("current")
    assert next(reasons) == changed("current")
    write("second/b.md")
    assert next(reasons) == changed("current/b.md")


def test_links_are_followed_as_far_as_a_rebuild_follows_them(watch):
    write("articles/a.md")
    write("articles/deep/b.md")
    write("outside/c.md")
    Path("articles/.hidden").symlink_to("deep")
    Path("articles/outside").symlink_to("../outside")
    reasons = watch("articles")
    write("articles/deep/b.md", "changed")
    assert "b.md" in str(next(reasons))
    write("outside/c.md", "changed")
    write("articles/a.md", "changed")
    assert next(reasons) == changed("articles/a.md")


def test_of_a_pattern_the_folder_is_watched(watch):
    write("news/2024/a.md")
    reasons = watch("news/**/2024-*.md")
    write("news/2024/2024-05.md")
    assert next(reasons) == changed("news/2024/2024-05.md")


# --- Single files ---------------------------------------------------------------------------------


def test_a_file_that_an_editor_replaces_is_told(watch):
    write("notes.md")
    write("b.unknown")
    reasons = watch("notes.md", "b.unknown")
    for text in ("Once.", "Twice."):
        write(".notes.md.new", text).replace("notes.md")
        assert next(reasons) == changed("notes.md")
    write("other.md")
    write("b.unknown", "Named itself, so it is read.")
    assert next(reasons) == changed("b.unknown")


def test_a_file_that_is_removed_and_written_again_is_told(watch):
    write("folder/notes.md")
    reasons = watch("folder/notes.md")
    shutil.rmtree("folder")
    assert next(reasons) == changed("folder/notes.md")
    write("folder/notes.md")
    assert next(reasons) == changed("folder/notes.md")


def test_the_settings_file_is_a_reason_and_new_sources_are_watched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("articles/a.md")
    write("more/b.md")
    write("sources.txt", "articles")
    stop = threading.Event()
    reasons = due(
        lambda: [*Path("sources.txt").read_text("utf-8").split(), "sources.txt"],
        watch=True,
        every=LATER,
        stop=stop,
    )
    assert next(reasons) == START
    write("sources.txt", "articles more")
    assert next(reasons) == changed("sources.txt")
    # While the caller still rebuilds.
    write("more/b.md", "changed")
    assert next(reasons) == changed("more/b.md")
    stop.set()
    assert list(reasons) == []


def test_folders_that_cannot_be_watched_are_one_clear_error(watch):
    write("articles/a.md")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # No limit but 0 will do: watchers of earlier tests close theirs at any moment, in threads.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(UsageError, match=r"^the folders cannot be watched \(.+\); raise the"):
            watch("articles")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


# --- Meanwhile ------------------------------------------------------------------------------------


def test_what_changes_during_a_rebuild_is_not_lost(watch):
    write("articles/a.md")
    write("notes.md")
    reasons = watch("articles", "notes.md")
    # The caller rebuilds now, having been told to.
    write("articles/b.md")
    write("notes.md", "Changed.")
    assert next(reasons) == changed("articles/b.md", "notes.md")
    # Anew and at once: the system may give it the number of the one before.
    shutil.rmtree("articles")
    write("articles/c.md")
    assert "articles" in next(reasons).paths
    write("articles/d.md")
    # The former may come as two reasons.
    assert any("articles/d.md" in reason.paths for reason in islice(reasons, 2))


def test_an_interval_passes_again_and_again():
    stop = threading.Event()
    reasons = due(list, watch=False, every=timedelta(milliseconds=1), stop=stop)
    assert [next(reasons) for _ in range(3)] == [START, PASSED, PASSED]
    stop.set()
    assert list(reasons) == []


def test_without_an_interval_nothing_else_is_due():
    reasons = due(list, watch=False, every=None, stop=threading.Event())
    assert list(reasons) == [START]


def test_waiting_can_be_stopped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stop = threading.Event()
    write("articles/a.md")
    for watched in (True, False):
        stop.clear()
        reasons = due(lambda: ["articles"], watch=watched, every=LATER, stop=stop)
        assert next(reasons) == START
        threading.Timer(0.2, stop.set).start()
        assert list(reasons) == []


# --- Intervals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86_400),
        (" 3 H ", 10_800),
        ("30d", 2_592_000),
    ],
)
def test_an_interval_is_a_number_and_a_unit(text, seconds):
    assert parse_interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-5m", "1.5h", "0s", "31d", "1w", "٣m", "9" * 50, "1ſ"]
)
def test_what_is_no_interval_is_said_in_one_line(text):
    with pytest.raises(ValueError, match=r"is no time from 1s to 30d; write it as 90s, 15m, 2h or"):
        parse_interval(text)


@given(st.text(max_size=12) | st.from_regex(r"\A[0-9]{1,8}[smhd]\Z"))
def test_an_interval_is_within_its_bounds(text):
    try:
        span = parse_interval(text)
    except ValueError as error:
        complaint = str(error)
        assert len(complaint.splitlines()) == 1
    else:
        assert SHORTEST <= span <= LONGEST


def test_reasons_are_told_in_a_few_words():
    assert list(map(str, (START, PASSED, changed("a.md"), changed("a.md", "b.md", more=4)))) == [
        "started",
        "the interval has passed",
        "changed: a.md",
        "changed: a.md, b.md and 4 more",
    ]
