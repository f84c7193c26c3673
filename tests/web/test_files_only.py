"""Rebuilds that read files only: what the web holds stays, and no server is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import write_article
from tests.web.support import build, held, sitemap, story, titles


@pytest.fixture
def files(tmp_path) -> Path:
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    folder: Path = tmp_path / "files"
    return folder


def test_pages_stay_and_files_are_read(index, site, files):
    bridge, tower = site.put_story("/bridge", "The bridge"), site.put_story("/tower", "The tower")
    sources = [files, site.put("/sitemap.xml", sitemap(bridge, tower), "application/xml")]
    build(index, *sources)
    before = held(index)
    site.put_story("/bridge", "The new bridge")
    site.put("/sitemap.xml", sitemap(bridge), "application/xml")
    write_article(files, "volcano", "The volcano erupted in 1949.")
    write_article(files, "storm", "The storm came in 2022.")
    site.forget()
    summary = build(index, *sources, files_only=True)
    assert (summary.changed, summary.articles, summary.skipped) == (True, 4, ())
    assert site.seen == []
    after = held(index)
    assert after[str(files / "volcano.md")].text == "The volcano erupted in 1949."
    assert {before[bridge], before[tower]} == {after[bridge], after[tower]}
    assert not build(index, *sources, files_only=True).changed
    # The next whole rebuild finds all that is new.
    build(index, *sources)
    assert held(index)[bridge].text == "\n\n".join(["The new bridge", *story("The new bridge")])


@pytest.mark.parametrize("change", ["added", "taken out", "in a collection", "in full"])
def test_servers_are_asked_where_their_addresses_are_others(index, site, files, change):
    bridge, tower = site.put_story("/bridge", "The bridge"), site.put_story("/tower", "The tower")
    build(index, files, bridge)
    site.put_story("/bridge", "The new bridge")
    if change == "added":
        build(index, files, bridge, tower, files_only=True)
        assert titles(index) == {"volcano", "The new bridge", "The tower"}
    elif change == "taken out":
        build(index, files, files_only=True)
        assert titles(index) == {"volcano"}
    elif change == "in a collection":
        build(index, files, collections={"sights": [bridge]}, files_only=True)
        assert held(index)[bridge].info.collections == ("sights",)
        assert titles(index) == {"volcano", "The new bridge"}
    else:
        build(index, files, bridge, files_only=True, full=True)
        assert titles(index) == {"volcano", "The new bridge"}


def test_in_a_new_index_pages_are_fetched(index, site, files):
    build(index, files, site.put_story("/bridge", "The bridge"), files_only=True)
    assert titles(index) == {"volcano", "The bridge"}


def test_of_collections_that_are_renewed_the_pages_stay(index, site, files):
    bridge = site.put_story("/bridge", "The bridge")
    tower = site.put_story("/tower", "The tower")
    collections: dict[str, list[Path | str]] = {"news": [files, bridge], "sights": [tower, bridge]}
    build(index, collections=collections)
    before = held(index)
    write_article(files, "storm", "The storm came in 2022.")
    site.forget()
    build(index, collections=collections, only=["news"], files_only=True)
    assert site.seen == []
    after = held(index)
    assert after.pop(str(files / "storm.md")).info.collections == ("news",)
    assert before == after


# Of two names, either may come first.
@pytest.mark.parametrize("name", ["files", "zzz"])
def test_a_file_and_a_page_of_one_name_have_ids_of_their_own(
    index, site, tmp_path, monkeypatch, name
):
    monkeypatch.chdir(tmp_path)
    place = site.url.removeprefix("http://").replace(":", "-")
    folder = Path(name)
    write_article(folder, "volcano", "The volcano erupted in 2021.")
    bridge = site.put_story("/bridge", "The bridge")
    build(index, folder, bridge)
    write_article(folder / place, "bridge", "The bridge is closed.")
    build(index, folder, bridge, files_only=True)
    kept = {source: article.info.id for source, article in held(index).items()}
    assert len(set(kept.values())) == 3
    assert not build(index, folder, bridge).changed
    assert kept == {source: article.info.id for source, article in held(index).items()}
