"""Pages as sources: read, asked for again, changed, moved, gone, out of reach."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from qabot.errors import SourceError, StorageError
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from tests.support import HashingEncoder, build_index, shared_cache, write_article
from tests.web.support import OPTIONS, build, held, page, reasons, set_memory, story, titles

CANONICAL = '<link rel="canonical" href="{}">'
DATED = '<meta property="article:published_time" content="2023-05-04">'


def test_a_page_is_an_article_with_what_it_says_of_itself(index, site):
    address = site.put_story("/news/bridge.html", "The bridge", head=DATED)
    summary = build(index, address)
    assert (1, (), True) == (summary.articles, summary.skipped, summary.changed)
    article = held(index)[address]
    assert article.text == "\n\n".join(["The bridge", *story("The bridge")])
    info = article.info
    assert ("The bridge", "en", "2023-05-04") == (info.title, info.language, info.published)
    assert (address, address) == (info.source, info.url)
    assert info.id == f"127.0.0.1-{site.url.rpartition(':')[2]}/news/bridge"


def test_files_and_addresses_stand_together(index, site, tmp_path):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    address = site.put_story("/bridge", "The bridge")
    summary = build(index, tmp_path / "files", address)
    assert summary.articles == 2
    assert titles(index) == {"volcano", "The bridge"}
    assert not build(index, tmp_path / "files", address).changed


def test_an_unchanged_page_is_not_sent_again(index, site):
    address = site.put_story("/bridge", "The bridge")
    build(index, address)
    site.forget()
    summary = build(index, address)
    assert not summary.changed
    assert site.asked("/bridge") == [304]
    build(index, address, full=True)
    assert site.asked("/bridge") == [304, 200]


def test_a_date_of_change_does_as_well(index, site):
    address = site.put_story(
        "/bridge",
        "The bridge",
        etag=False,
        headers={"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"},
    )
    build(index, address)
    site.forget()
    assert not build(index, address).changed
    (_, headers, _) = site.seen[-1]
    assert headers["if-modified-since"] == "Tue, 02 Jan 2024 00:00:00 GMT"
    assert "if-none-match" not in headers


def test_a_changed_page_replaces_its_old_version(index, site):
    address = site.put_story("/bridge", "The bridge")
    build(index, address)
    site.put_story("/bridge", "The tunnel")
    summary = build(index, address)
    assert (True, 1) == (summary.changed, summary.articles)
    assert titles(index) == {"The tunnel"}
    assert not build(index, address).changed


def test_a_page_that_moved_keeps_its_vectors(index, site):
    old = site.put_story("/old", "The bridge")
    build(index, old)
    new = site.put_story("/new", "The bridge")
    site.redirect("/old", "/new")
    summary = build(index, old)
    assert (1, 0) == (summary.articles, summary.encoded)
    assert held(index)[old].info.url == new
    site.forget()
    assert not build(index, old).changed
    assert (site.asked("/old"), site.asked("/new")) == ([301], [304])


def test_two_addresses_of_one_page_are_one_article(index, site):
    new = site.put_story("/new", "The bridge")
    old = site.redirect("/old", new, 308)
    summary = build_index(index, collections={"a": [old], "b": [new]}, web=OPTIONS)
    assert summary.articles == 1
    (article,) = held(index).values()
    assert article.info.collections == ("a", "b")
    assert build_index(index, collections={"a": [old], "b": [new]}, web=OPTIONS).changed is False


@pytest.mark.parametrize(
    ("spelled", "same"), [("{}/bridge#top", True), ("{}/x/../bridge", True), ("{}/Bridge", False)]
)
def test_one_page_spelled_in_two_ways_is_asked_for_once(index, site, spelled, same):
    address = site.put_story("/bridge", "The bridge")
    build(index, address, spelled.format(site.url))
    assert site.asked("/bridge") == [200]
    assert site.asked("/Bridge") == ([] if same else [404])


def test_a_page_may_name_a_better_address_of_its_own_server_only(index, site):
    own = site.put_story("/a?x=1", "The bridge", head=CANONICAL.format(f"{site.url}/a"))
    other = site.put_story("/b", "The tunnel", head=CANONICAL.format("https://example.org/b"))
    build(index, own, other)
    found = held(index)
    assert found[own].info.url == f"{site.url}/a"
    assert found[other].info.url == other


def test_an_encoding_that_only_the_server_names_is_understood(index, site):
    text = page(*story("Der Tunnel unter der Straße"), title="Größe")
    address = site.put("/a", text.encode("latin-1"), media="text/html; charset=ISO-8859-1")
    build(index, address)
    assert "unter der Straße" in held(index)[address].text


def test_text_and_markdown_are_read_as_such(index, site):
    plain = site.put("/notes.txt", "The harbour\n\nIt was closed in 1911.", media="text/plain")
    marked = site.put("/a.md", "# The river\n\nIt *froze* in 1912.", media="text/markdown")
    other = [
        site.put(f"/{n}.md", f"# Lock {n}\n\nIt *froze*.", media=media)
        for n, media in enumerate(("application/octet-stream", "text/x-markdown", "text/plain"))
    ]
    build(index, plain, marked, *other)
    found = held(index)
    assert [found[address].text for address in other] == [
        f"Lock {n}\n\nIt froze." for n in range(3)
    ]
    assert found[plain].text == "The harbour\n\nIt was closed in 1911."
    assert found[marked].text == "The river\n\nIt froze in 1912."


# --- What is gone, and what is only out of reach --------------------------------------------------


def test_a_page_leaves_after_it_was_gone_in_some_rebuilds_in_a_row(index, site):
    stays = site.put_story("/bridge", "The bridge")
    goes = site.put_story("/tunnel", "The tunnel")
    build(index, stays, goes)
    del site.replies["/tunnel"]
    for times in (1, 2):
        summary = build(index, stays, goes)
        assert (2, False, 0) == (summary.articles, summary.changed, summary.removed)
        assert reasons(summary) == {
            goes: "is not there (404 Not Found); "
            f"kept until that is so in 3 rebuilds in a row, now {times}"
        }
        assert summary.skipped[0].kept
    summary = build(index, stays, goes)
    assert (1, True, 1) == (summary.articles, summary.changed, summary.removed)
    assert reasons(summary) == {goes: "is not there (404 Not Found)"}
    assert not summary.skipped[0].kept


def test_rebuilds_in_quick_succession_count_once(index, site):
    stays, goes = site.put_story("/bridge", "The bridge"), site.put_story("/b", "The tunnel")
    options = replace(OPTIONS, gone_hours=20)
    build(index, stays, goes)
    del site.replies["/b"]
    for times in (1, 2):
        for _ in range(4):
            summary = build(index, stays, goes, web=options)
            assert reasons(summary) == {
                goes: "is not there (404 Not Found); kept until that is so in 3 rebuilds in a row "
                f"at least 20 hours apart, now {times}"
            }
        set_memory(index, "counted", -20 * 3600)
    assert build(index, stays, goes, web=options).articles == 1


def test_a_clock_that_was_set_back_neither_counts_nor_stops_counting(index, site):
    stays, goes = site.put_story("/bridge", "The bridge"), site.put_story("/b", "The tunnel")
    options = replace(OPTIONS, gone_after=2, gone_hours=20)
    build(index, stays, goes)
    del site.replies["/b"]
    build(index, stays, goes, web=options)
    set_memory(index, "counted", 365 * 86_400)
    for _ in range(2):
        assert reasons(build(index, stays, goes, web=options))[goes].endswith("now 1")
    set_memory(index, "counted", -20 * 3600)
    assert build(index, stays, goes, web=options).articles == 1


def test_a_page_that_comes_back_is_counted_anew(index, site):
    stays = site.put_story("/bridge", "The bridge")
    address = site.put_story("/tunnel", "The tunnel")
    options = replace(OPTIONS, gone_after=2)
    build(index, stays, address, web=options)
    for _ in range(3):
        site.put("/tunnel", "", status=410)
        assert build(index, stays, address, web=options).articles == 2
        site.put_story("/tunnel", "The tunnel")
        assert build(index, stays, address, web=options).skipped == ()


def test_a_page_that_holds_no_article_any_more_is_as_good_as_gone(index, site):
    stays = site.put_story("/bridge", "The bridge")
    address = site.put_story("/tunnel", "The tunnel")
    build(index, stays, address)
    site.put("/tunnel", "<html><body></body></html>")
    kept = build(index, stays, address)
    assert kept.articles == 2
    assert "no main text found in the page" in reasons(kept)[address]
    build(index, stays, address)
    assert build(index, stays, address).articles == 1
    site.forget()
    build(index, stays, address)
    assert site.asked("/tunnel") == [304]


@pytest.mark.parametrize("status", [500, 502, 503, 403, 418, 429])
def test_a_server_in_trouble_costs_no_article(index, site, status):
    address = site.put_story("/bridge", "The bridge")
    build(index, address)
    site.put("/bridge", "sorry", status=status)
    for _ in range(4):
        summary = build(index, address)
        assert (1, False) == (summary.articles, summary.changed)
        (reason,) = reasons(summary).values()
        assert f"the server answers {status}" in reason
        assert reason.endswith("; the article is kept as it was")
        assert summary.skipped[0].kept


def test_nothing_is_lost_when_the_network_is_down(index, site, tmp_path):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    addresses = [site.put_story(f"/{n}", f"Bridge {n}") for n in range(5)]
    build(index, tmp_path / "files", *addresses)
    before = held(index)
    site.replies.clear()
    site.raw("/robots.txt", lambda handler: None)  # The connection ends without an answer.
    for _ in range(4):
        summary = build(index, tmp_path / "files", *addresses)
        assert (6, False) == (summary.articles, summary.changed)
        (problem,) = summary.skipped
        assert problem.source == addresses[0]
        assert "cannot be reached" in problem.reason
        assert "(and the same for 4 more pages of this server)" in problem.reason
        assert problem.reason.endswith("; their articles are kept as they were")
    assert held(index) == before


def test_a_first_rebuild_without_the_network_says_so(index):
    with pytest.raises(
        SourceError, match=r"no article could be read: http://127\.0\.0\.1:9/a cannot"
    ):
        build(index, "http://127.0.0.1:9/a")
    with pytest.raises(
        SourceError, match=r"no article .* https://nowhere\.invalid/a cannot be reach"
    ):
        build(index, "https://nowhere.invalid/a")


def test_what_is_named_no_more_leaves_at_once(index, site):
    one, other = site.put_story("/a", "The bridge"), site.put_story("/b", "The tunnel")
    build(index, one, other)
    summary = build(index, one)
    assert (1, 1, ()) == (summary.articles, summary.removed, summary.skipped)


# --- Between rebuilds -----------------------------------------------------------------------------


def test_going_back_to_an_earlier_generation_does_not_keep_old_pages(index, site):
    address = site.put_story("/bridge", "The bridge")
    build(index, address)
    site.put_story("/bridge", "The tunnel")
    build(index, address)
    IndexStore(index).rollback()
    assert titles(index) == {"The bridge"}
    assert build(index, address).changed
    assert titles(index) == {"The tunnel"}


def test_what_was_fetched_before_a_rebuild_was_stopped_is_not_fetched_again(index, site):
    first, second = site.put_story("/a", "The bridge"), site.put_story("/b", "The tunnel")
    kept = site.put_story("/c", "The harbour")
    build(index, kept)

    class StoppedError(Exception):
        pass

    def stop(progress):
        if progress.stage != "fetching":
            raise StoppedError

    with pytest.raises(StoppedError):
        rebuild(
            IndexStore(index),
            HashingEncoder(),
            IndexPlan((first, second), shared_cache(), web=OPTIONS),
            stop,
        )
    assert titles(index) == {"The harbour"}
    site.forget()
    build(index, first, second)
    assert (site.asked("/a"), site.asked("/b")) == ([304], [304])
    assert titles(index) == {"The bridge", "The tunnel"}


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_memory_costs_requests_and_no_article(index, site, content):
    address = site.put_story("/bridge", "The bridge")
    build(index, address)
    (index / "web.sqlite").write_bytes(content)
    site.forget()
    summary = build(index, address)
    assert (1, False, ()) == (summary.articles, summary.changed, summary.skipped)
    assert site.asked("/bridge") == [200]
    build(index, address)
    assert site.asked("/bridge") == [200, 304]


def test_an_index_of_files_only_remembers_nothing_of_the_web(index, tmp_path):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    build(index, tmp_path / "files")
    assert not (index / "web.sqlite").exists()


def test_only_what_is_indexed_already_is_dropped_from_the_memory(index, site):
    addresses = [site.put_story(f"/{n}", f"Bridge {n}") for n in range(20)]
    build(index, *addresses)
    first = (index / "web.sqlite").stat().st_size
    for _ in range(3):
        build(index, *addresses)
    assert (index / "web.sqlite").stat().st_size <= first


# --- Collections ----------------------------------------------------------------------------------


def test_a_collection_of_addresses_is_renewed_alone(index, site, tmp_path):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    news, other = site.put_story("/news", "The bridge"), site.put_story("/other", "The tunnel")
    collections = {"news": [news], "other": [other, tmp_path / "files"]}
    build(index, collections=collections)
    site.put_story("/news", "The new bridge")
    site.put_story("/other", "The new tunnel")
    site.forget()
    summary = build(index, collections=collections, only=["news"])
    assert summary.articles == 3
    assert titles(index) == {"The new bridge", "The tunnel", "volcano"}
    assert site.asked("/other") == []
    site.put("/news", "", status=404)
    both = ["news", "other"]
    counts = [build(index, collections=collections, only=both).articles for _ in range(3)]
    assert counts == [3, 3, 2]


def test_a_page_of_two_collections_stays_in_the_other(index, site):
    both, more = site.put_story("/both", "The bridge"), site.put_story("/more", "The tunnel")
    collections = {"a": [both, more], "b": [both]}
    build(index, collections=collections)
    assert held(index)[both].info.collections == ("a", "b")
    build(index, collections={"a": [more], "b": [both]}, only=["a"])
    assert held(index)[both].info.collections == ("b",)


# --- The command ----------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path, real_index) -> Path:
    path = tmp_path / "qabot.toml"
    path.write_text(
        f'allow_private_addresses = true\nweb_delay = 0\ncache = "{real_index.cache}"\n', "utf-8"
    )
    return path


def test_the_command_reads_addresses_and_tells_what_it_kept(call, site, settings):
    bridge, tunnel = site.put_story("/bridge", "The bridge"), site.put_story("/b", "The tunnel")
    result = call("rebuild", bridge, tunnel, "--json")
    assert result.code == 0
    site.put("/b", "", status=500)
    result = call("rebuild", bridge, tunnel, "--json")
    assert (2, 2, False) == (result.code, result.object["articles"], result.object["changed"])
    (skipped,) = result.object["skipped"]
    assert (tunnel, True) == (skipped["source"], skipped["kept"])
    result = call("rebuild", bridge, tunnel)
    assert result.code == 2
    assert f"qabot: kept {tunnel}: cannot be reached (the server answers 500" in result.err
    (agent,) = {headers["user-agent"] for _, headers, _ in site.seen}
    assert agent.startswith("qabot/")


def test_articles_of_the_web_are_shown_cited_and_filtered(call, site, settings):
    bridge, tunnel = site.put_story("/x/bridge", "The bridge"), site.put_story("/y/b", "The tunnel")
    assert call("rebuild", bridge, tunnel).code == 0
    listed = call("articles", "--json").objects
    assert {item["source"] for item in listed} == {bridge, tunnel}
    shown = call("show", next(item["id"] for item in listed if item["source"] == bridge), "--json")
    assert shown.object["url"] == bridge
    for prefix in (f"{site.url}/x", f"{site.url}/x/", bridge):
        answer = call("ask", "who opened it?", "--source", prefix, "--json", "--no-reader").object
        assert {quote["article"]["source"] for quote in answer["quotes"]} <= {bridge}
    call("doctor", "--json")


def test_addresses_that_are_none_are_named_before_anything_is_loaded(call):
    for wrong, complaint in (
        ("http://", "http://: not an http or https address with a host; correct the address"),
        (
            "https://me:secret@example.org/a",
            "https://example.org/a: contains a name or password",
        ),
        ("http://example.org:99999/", "http://example.org:99999/: Port out of range"),
        # Mistyped, they are no paths either: a missing file would be named with the password.
        (" https://me:secret@example.org/a", " https://example.org/a: contains a name or password"),
        ("http:/me:secret@example.org/a", "http:/example.org/a: not an http or https address"),
        ("https:\\\\me:secret@example.org", "https:\\example.org: not an http or https address"),
    ):
        result = call("rebuild", wrong)
        assert (2, "") == (result.code, result.out)
        assert result.complaint.startswith(complaint)
        assert "secret" not in result.err


@pytest.mark.parametrize("option", ["--index", "--encoder"])
def test_an_option_with_a_password_is_refused_without_it(call, tmp_path, option):
    write_article(tmp_path / "seeds", "bridge", "The bridge is long.")
    result = call("rebuild", option, "http://me:secret@example.org/a")
    assert (2, "") == (result.code, result.out)
    assert "http://example.org/a" in result.complaint
    assert "secret" not in result.err


def test_progress_tells_how_many_pages_of_how_many(site, settings, tmp_path, call):
    addresses = [site.put_story(f"/{n}", f"Bridge {n}") for n in range(3)]
    result = call("rebuild", *addresses, "--json", "--progress")
    progress = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    assert "fetching" in [item["stage"] for item in progress]
    assert all(item["done"] <= item["total"] for item in progress)


def test_the_doctor_asks_nobody(call, site, settings, real_index):
    settings.write_text(settings.read_text() + f'sources = ["{site.url}/bridge"]\n')
    found = {check["name"]: check for check in call("doctor", "--json").object["checks"]}
    assert (found["sources"]["status"], site.seen) == ("ok", [])
    assert "1 web addresses (not fetched)" in found["sources"]["detail"]


def test_a_pipe_in_the_place_of_the_crawl_state_is_named(index, site):
    index.mkdir()
    os.mkfifo(index / "web.sqlite")
    with pytest.raises(StorageError) as caught:
        build(index, site.put_story("/bridge", "The bridge"))
    remedy = "remove it and run `qabot rebuild` again"
    assert str(caught.value) == f"{index}/web.sqlite: is no regular file; {remedy}"


def test_an_address_with_a_password_reaches_no_article(index, site, tmp_path):
    secret = site.url.replace("//", "//me:secret@")
    head = f'<link rel="canonical" href="{secret}/bridge">'
    bridge = site.put_story("/bridge", "The bridge", head=head)
    file = tmp_path / "tunnel.html"
    file.write_text(page(*story("The tunnel"), title="The tunnel", head=head), "utf-8")
    note = write_article(tmp_path / "notes", "canal", "The canal is long.", url=f"{secret}/canal")
    build(index, bridge, file, note)
    found = held(index)
    assert found[bridge].info.url == bridge
    assert [found[str(path)].info.url for path in (file, note)] == [None, None]
    written = [path for path in index.rglob("*") if path.is_file()]
    assert [path for path in written if b"secret" in path.read_bytes()] == []


def test_a_source_of_another_kind_is_refused_without_its_password(index):
    with pytest.raises(SourceError, match=r"^ftp://example\.org/a: not an http or https address"):
        build(index, "ftp://me:secret@example.org/a")
