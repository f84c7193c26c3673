"""The doctor on what is remembered of the web."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qabot.index import IndexStore
from tests.support import write_article
from tests.web.support import Site, build, sitemap

AGAIN = "`qabot rebuild` makes it again and fetches every page in full; no article is lost"
Look = Callable[..., dict[str, Any] | None]


@pytest.fixture
def look(call, tmp_path, monkeypatch) -> Look:
    """The doctor's check of the web, with these sources in the settings."""
    monkeypatch.setenv("QABOT_CACHE", str(tmp_path / "cache"))

    def run(*sources: str) -> dict[str, Any] | None:
        (tmp_path / "qabot.toml").write_text(f"sources = {list(sources)}")
        files = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").rglob("*")}
        found = [
            check for check in call("doctor", "--json").object["checks"] if check["name"] == "web"
        ]
        # The lock is taken, to see whether a rebuild runs.
        assert files == {
            path: path.stat().st_mtime_ns
            for path in (tmp_path / "index").rglob("*")
            if path.name != "LOCK" or path in files
        }
        return found[0] if found else None

    return run


@pytest.fixture
def source(index: Path, site: Site) -> str:
    """A sitemap of one page, indexed."""
    page = site.put_story("/bridge", "The bridge")
    address = site.put("/sitemap.xml", sitemap(page), media="text/xml")
    build(index, address)
    return address


def test_all_is_well(look, source, index):
    check = look(source)
    size = (index / "web.sqlite").stat().st_size / 1e6
    assert ("ok", None) == (check["status"], check["remedy"])
    assert check["detail"] == f"2 addresses remembered in {size:.1f} MB"
    # As little is wrong where sources are named on the command line.
    assert look("seeds")["status"] == "ok"


def test_an_index_of_files_has_nothing_to_remember(look, index, tmp_path):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    build(index, tmp_path / "files")
    assert look("files") is None


def cut_short(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:5000])
    return "is damaged ("


def overwritten(path: Path) -> str:
    path.write_bytes(b"no database" * 1000)
    return "is damaged (file is not a database)"


def scrambled(path: Path) -> str:
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    return "is damaged ("


def of_another_version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    return "is of another version of qabot (99, not 2)"


def removed(path: Path) -> str:
    path.unlink()
    return "not there"


def left_half_written(path: Path) -> str:
    path.with_name("web.sqlite-journal").write_bytes(b"a journal")
    return "a rebuild was killed while it was written"


@pytest.mark.parametrize(
    "spoil", [cut_short, overwritten, scrambled, of_another_version, removed, left_half_written]
)
def test_what_the_next_rebuild_puts_right_is_a_warning(look, index, source, spoil):
    told = spoil(index / "web.sqlite")
    check = look(source)
    assert ("warning", AGAIN) == (check["status"], check["remedy"])
    assert check["detail"].startswith(f"index/web.sqlite: {told}")
    # And it does.
    assert build(index, source).articles == 1
    assert look(source)["status"] == "ok"


def test_a_folder_in_its_place_stops_rebuilds(look, index, source):
    (index / "web.sqlite").unlink()
    (index / "web.sqlite").mkdir()
    check = look(source)
    assert ("fault", "index/web.sqlite: is not a file") == (check["status"], check["detail"])
    assert check["remedy"].startswith("move it away; ")


def test_sources_that_were_never_asked_for(look, site, source):
    check = look(source, f"{site.url}/new#top", f"{site.url}/newer")
    assert ("warning", "run `qabot rebuild`") == (check["status"], check["remedy"])
    assert check["detail"] == f"index/web.sqlite: {site.url}/new (and 1 more) never fetched"


def test_articles_that_it_knows_nothing_of(look, index, site, source):
    with closing(sqlite3.connect(index / "web.sqlite")) as connection, connection:
        connection.execute("DELETE FROM page WHERE address LIKE '%/bridge'")
    check = look(source)
    assert ("warning", AGAIN) == (check["status"], check["remedy"])
    assert check["detail"] == (
        f"index/web.sqlite: {site.url}/bridge in the index, but not remembered"
    )


def test_lists_that_no_source_names(look, index, site, source):
    with closing(sqlite3.connect(index / "web.sqlite")) as connection, connection:
        connection.execute("INSERT INTO member VALUES ('https://example.org/feed', 'a')")
    check = look(source)
    assert check["detail"] == (
        "index/web.sqlite: https://example.org/feed remembered, but in no source"
    )
    build(index, source)
    assert look(source)["status"] == "ok"


def test_while_a_rebuild_runs_nothing_is_wrong(look, index, source):
    with IndexStore(index).rebuild():
        assert look(source)["detail"] == "a rebuild is running"
