from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

import pytest

from qabot.articles import Skipped, find_files, find_sources, read_files, read_sources
from qabot.articles.formats import FORMATS
from qabot.errors import SourceError
from qabot.types import Article

PROSE = "The ferry did not run on Tuesday. Nobody was told why."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that sources can be named as people name them."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PROSE)


def sources_of(*sources: str) -> list[str]:
    return [file.source for file in find_files(sources)]


def ids_of(*sources: str) -> list[str]:
    return [file.id for file in find_files(sources)]


def test_a_folder_is_read_with_all_folders_in_it_sorted_by_path(here):
    write("news/b.txt", "news/a/z.md", "news/a.html", "news/a/b/c.htm")
    assert sources_of("news") == ["news/a.html", "news/a/b/c.htm", "news/a/z.md", "news/b.txt"]


def test_a_folder_holds_articles_of_every_known_ending_in_any_case(here):
    endings = ["HTM", "Html", "markdown", "md", "text", "txt", "xhtml"]
    write(*(f"news/a.{ending}" for ending in endings))
    assert sources_of("news") == [f"news/a.{ending}" for ending in endings]


def test_other_and_hidden_files_of_a_folder_are_passed_over(here):
    write("news/a.txt", "news/LICENSE", "news/data.jsonl", "news/.b.txt", "news/.git/c.txt")
    assert sources_of("news") == ["news/a.txt"]


def test_every_visible_file_that_is_not_read_has_a_reason(here):
    write("news/a.txt", "news/LICENSE", "news/b/data.JSONL", "news/.b.txt", "news/.git/c.txt")
    assert find_sources(["news"]).left_out == (
        Skipped("news/LICENSE", "of a type that is not read (no ending)"),
        Skipped("news/b/data.JSONL", "of a type that is not read (.jsonl)"),
    )


def test_what_one_source_leaves_out_and_another_reads_is_not_left_out(here):
    write("news/a.txt", "news/b.log")
    found = find_sources(["news", "news/b.log"])
    assert ([file.source for file in found.files], found.left_out) == (
        ["news/a.txt", "news/b.log"],
        (),
    )


def kept(*patterns: str) -> list[str]:
    return [file.source for file in find_files(["news"], exclude=patterns)]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], ["a.md", "b.txt", "c/a.md", "c/d/e.txt", "old.d/f.md"]),
        (["*.md"], ["b.txt", "c/d/e.txt"]),
        (["a.md"], ["b.txt", "c/d/e.txt", "old.d/f.md"]),
        (["/a.md"], ["b.txt", "c/a.md", "c/d/e.txt", "old.d/f.md"]),
        (["news/a.md"], ["b.txt", "c/a.md", "c/d/e.txt", "old.d/f.md"]),
        (["c/*.md"], ["a.md", "b.txt", "c/d/e.txt", "old.d/f.md"]),
        (["c/**/*.txt"], ["a.md", "b.txt", "c/a.md", "old.d/f.md"]),
        (["d/"], ["a.md", "b.txt", "c/a.md", "old.d/f.md"]),
        (["a.md/"], ["a.md", "b.txt", "c/a.md", "c/d/e.txt", "old.d/f.md"]),
        (["c", "old*"], ["a.md", "b.txt"]),
        (["*.md", "!c/a.md"], ["b.txt", "c/a.md", "c/d/e.txt"]),
        (["?.txt", "# old.d"], ["a.md", "c/a.md", "old.d/f.md"]),
    ],
)
def test_patterns_leave_out_what_gitignore_would_ignore(here, patterns, expected):
    write("news/a.md", "news/b.txt", "news/c/a.md", "news/c/d/e.txt", "news/old.d/f.md")
    assert kept(*patterns) == [f"news/{name}" for name in expected]


def test_what_is_excluded_is_named_with_its_pattern(here):
    write("news/a.md", "news/b.tmp.md", "news/drafts/c.md")
    assert find_sources(["news"], exclude=["*.tmp.*", "drafts/"]).left_out == (
        Skipped("news/b.tmp.md", "excluded by the pattern *.tmp.*"),
        Skipped("news/drafts", "excluded by the pattern drafts/"),
    )


def test_a_file_named_itself_may_be_excluded_too(here):
    write("a.md", "b.md")
    assert [file.source for file in find_files(["b.md"], exclude=["a.md"])] == ["b.md"]
    with pytest.raises(SourceError) as caught:
        find_files(["a.md"], exclude=["a.*"])
    assert str(caught.value) == (
        "a.md: a.md is excluded by the pattern a.*, and nothing is left; see to exclude"
    )


def test_folders_above_a_source_exclude_nothing(here):
    write("drafts/news/a.md")
    folder = here / "drafts/news"
    assert len(find_files([folder], exclude=["drafts"])) == 1
    with pytest.raises(SourceError):
        find_files(["drafts/news"], exclude=["drafts"])


@pytest.mark.parametrize("broken", ["!", "[z-a].md"])
def test_a_broken_pattern_is_an_error_that_names_it(here, broken):
    write("a.md")
    with pytest.raises(SourceError) as caught:
        find_files(["a.md"], exclude=["b.md", broken])
    assert str(caught.value) == f"exclude: {broken!r} is no pattern; write it as in .gitignore"


def test_a_file_named_itself_is_plain_text_whatever_its_ending(here):
    write("notes.log")
    (item,) = read_sources(["notes.log"])
    assert isinstance(item, Article)
    assert (item.info.id, item.text) == ("notes", PROSE)


def test_a_hidden_folder_named_itself_is_read(here):
    write(".notes/a.txt")
    assert sources_of(".notes") == [".notes/a.txt"]


def test_the_source_is_the_path_as_it_was_named(here):
    write("news/a.txt")
    assert sources_of("news/", "news") == ["news/a.txt"]
    assert sources_of(".") == ["news/a.txt"]
    assert sources_of(str(here / "news")) == [f"{here.as_posix()}/news/a.txt"]


def test_sources_keep_their_order(here):
    write("b/x.txt", "a/y.txt")
    assert sources_of("b", "a") == ["b/x.txt", "a/y.txt"]


def test_a_source_may_be_a_path_or_one_string(here):
    write("a.txt")
    assert [file.source for file in find_files([Path("a.txt")])] == ["a.txt"]
    assert [file.source for file in find_files("a.txt")] == ["a.txt"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seeds/pytorch-stiftung.de.md", "pytorch-stiftung.de"),
        ("seeds/2022/Neue Brücke (1).txt", "2022/Neue-Brücke-1"),
        ("seeds/a & b/c.txt", "a-b/c"),
        ("seeds/हिन्दी लेख.txt", "हिन्दी-लेख"),
        ("seeds/--help.txt", "help"),
        ("seeds/¿?.txt", "article"),
        ("seeds/Bru\u0308cke.txt", "Brücke"),
    ],
)
def test_an_id_is_the_path_in_its_source_fit_for_a_command_line(here, name, expected):
    write(name)
    assert ids_of("seeds") == [expected]


def test_the_id_of_a_single_file_is_its_name(here):
    write("seeds/deep/a.de.md")
    assert ids_of("seeds/deep/a.de.md") == ["a.de"]


def test_of_files_with_the_same_id_the_later_ones_get_a_digest_of_their_source(here):
    write("one/a.txt", "two/a.md", "two/a.txt", "two/b.txt")
    digests = [hashlib.sha256(name).hexdigest()[:6] for name in (b"two/a.md", b"two/a.txt")]
    assert ids_of("one", "two") == ["a", f"a~{digests[0]}", f"a~{digests[1]}", "b"]
    # Whatever the order in which the sources are named.
    assert ids_of("two", "one") == [f"a~{digests[0]}", f"a~{digests[1]}", "b", "a"]


def test_files_whose_names_differ_only_in_what_is_no_utf_8_get_different_ids(here):
    names = [b"news/\xe4.txt", b"news/\xf6.txt", b"news/\xfc.txt"]
    write(*map(os.fsdecode, names))
    ids = ids_of("news")
    assert len(set(ids)) == 3
    # Whatever else is found with them.
    write("zoo/a.txt")
    assert ids_of("zoo", "news") == ["a", *ids]


def test_a_file_that_two_sources_name_is_read_once(here):
    write("news/a.txt", "news/b.txt")
    assert sources_of("news/b.txt", "news", "./news/../news/a.txt") == ["news/b.txt", "news/a.txt"]


def test_a_link_inside_its_folder_stands_for_its_target(here):
    write("news/b.txt")
    Path("news/a.txt").symlink_to("b.txt")
    Path("news/folder").symlink_to(".", target_is_directory=True)
    (item,) = read_sources(["news"])
    assert isinstance(item, Article)
    assert item.text == PROSE


def test_a_link_to_a_hidden_folder_inside_is_followed(here):
    write("news/.store/a.txt", "news/.store/b/c.txt", "news/d.txt")
    Path("news/shown").symlink_to(".store", target_is_directory=True)
    Path("news/shown2").symlink_to(here / "news/.store", target_is_directory=True)
    found = sources_of("news")
    assert [name.replace("shown2", "shown") for name in found] == [
        "news/d.txt",
        "news/shown/a.txt",
        "news/shown/b/c.txt",
    ]


def test_links_in_a_circle_come_to_an_end(here):
    write("news/a/x.txt", "news/b/y.txt")
    Path("news/a/b").symlink_to("../b", target_is_directory=True)
    Path("news/b/a").symlink_to("../a", target_is_directory=True)
    Path("news/up").symlink_to("..", target_is_directory=True)
    Path("news/self").symlink_to("self")
    items = list(read_sources(["news"]))
    assert [type(item) for item in items] == [Article, Article, Skipped]
    assert [file.source for file in find_files(["news"]) if not file.problem] == [
        "news/a/x.txt",
        "news/b/y.txt",
    ]


def test_no_link_leads_back_to_what_is_excluded(here):
    write("news/drafts/a.txt", "news/b.txt")
    Path("news/also").symlink_to("drafts", target_is_directory=True)
    assert kept("drafts") == ["news/b.txt"]


def test_links_out_of_their_folder_are_refused_and_the_rest_goes_on(here):
    write("secret/s.txt", "news/b.txt")
    Path("news/a.txt").symlink_to(here / "secret/s.txt")
    Path("news/more").symlink_to(here / "secret", target_is_directory=True)
    Path("news/passwd").symlink_to("/etc/passwd")
    first, second, third = read_sources(["news"])
    assert isinstance(first, Skipped)
    assert first.source == "news/a.txt"
    assert first.reason == (
        "a symbolic link that leads out of its folder; name its target as a source if it is meant"
    )
    assert isinstance(second, Article)
    assert isinstance(third, Skipped)
    assert third.source == "news/more"


def test_a_refused_link_does_not_hide_its_target_named_itself(here):
    write("other/s.txt", "news/b.txt")
    Path("news/a.txt").symlink_to(here / "other/s.txt")
    items = list(read_sources(["news", "other"]))
    assert [type(item) for item in items] == [Skipped, Article, Article]


def test_a_link_named_itself_is_followed(here):
    write("other/s.txt")
    Path("a.txt").symlink_to("other/s.txt")
    assert sources_of("a.txt") == ["a.txt"]


@pytest.mark.parametrize(
    ("target", "reason"),
    [("gone.txt", "No such file or directory"), ("a.txt", "Too many levels of symbolic links")],
)
def test_a_link_to_nothing_is_skipped(here, target, reason):
    write("news/b.txt")
    Path("news/a.txt").symlink_to(target)
    first, second = read_sources(["news"])
    assert first == Skipped(
        "news/a.txt", f"cannot be read ({reason}); check the file and its permissions"
    )
    assert isinstance(second, Article)


def test_a_named_pipe_is_skipped_without_waiting_for_it(here):
    write("news/b.txt")
    os.mkfifo("news/a.txt")
    first, second = read_sources(["news"])
    assert first == Skipped("news/a.txt", "not a regular file; remove it or name a file with text")
    assert isinstance(second, Article)


@contextlib.contextmanager
def without_privileges():
    """Root may read everything, so root becomes nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_what_permissions_hide_is_skipped_in_a_folder(here):
    write("news/a.txt", "news/b/c.txt", "news/d.txt")
    Path("news/a.txt").chmod(0)
    Path("news/b").chmod(0)
    here.chmod(0o755)
    try:
        with without_privileges():
            items = list(read_sources(["news"]))
    finally:
        Path("news/b").chmod(0o755)
    assert [type(item) for item in items] == [Skipped, Skipped, Article]


def test_any_name_that_the_system_allows_can_be_shown_and_stored(here):
    Path("news").mkdir()
    Path(os.fsdecode(b"news/\xff\n.txt")).write_text(PROSE)
    (item,) = read_sources(["news"])
    assert isinstance(item, Article)
    assert item.info.source == "news/\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.txt"
    assert len(item.digest) == 64


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone", "gone: no such file or folder; check the path"),
        ("empty/LICENSE/a.txt", "empty/LICENSE/a.txt: no such file or folder; check the path"),
        ("a\0b", "a\N{REPLACEMENT CHARACTER}b: no such file or folder; check the path"),
        (
            "a" * 300,
            "a" * 300 + ": cannot be read (File name too long); check the path and its permissions",
        ),
        (
            "empty",
            f"empty: no article in this folder; add files that end in {', '.join(FORMATS)}",
        ),
        ("pipe", "pipe: neither a file nor a folder; name one of those"),
    ],
)
def test_a_source_without_articles_is_an_error_that_names_it(here, source, message):
    write("empty/LICENSE")
    os.mkfifo("pipe")
    with pytest.raises(SourceError) as caught:
        find_files([source])
    assert str(caught.value) == message


def test_no_source_at_all_is_an_error():
    with pytest.raises(SourceError, match="name a file or a folder"):
        find_files([])


def test_a_missing_source_is_told_before_the_first_article_is_read(here):
    with pytest.raises(SourceError):
        read_sources(["gone"])


def test_articles_are_read_when_they_are_asked_for(here):
    write("a.txt", "b.txt")
    items = read_files(find_files(["a.txt", "b.txt"]))
    next(items)
    Path("b.txt").write_text("Written after the first one was read.")
    second = next(items)
    assert isinstance(second, Article)
    assert second.text == "Written after the first one was read."
