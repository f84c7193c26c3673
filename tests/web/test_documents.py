"""Documents behind web addresses: read as files are, whatever the server calls them."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from qabot.web.policy import MEGABYTE
from tests.articles.documents import (
    docx,
    epub,
    lines,
    odt,
    pdf,
    pptx,
    shape,
    stream,
    word_paragraph,
    zipped,
)
from tests.web.support import OPTIONS, build, held, page, reasons, rss, sitemap, story, titles

PDF = pdf(
    lines("The harbour was closed in 1911."),
    lines("It was opened again in 1913."),
    info={"Title": "The harbour", "Author": "A. Mole", "CreationDate": "D:20230504"},
    language="en",
)
DOCX = docx(
    word_paragraph("The river froze in 1912."),
    "<dc:title>The river</dc:title><dc:creator>A. Otter</dc:creator>",
)
EPUB = epub(
    {"1.xhtml": "<p>The forest burned in 1913.</p>"},
    "<dc:title>The forest</dc:title><dc:creator>A. Fox</dc:creator>",
)
ODT = odt("<text:p>The valley was flooded in 1914.</text:p>", "<dc:title>The valley</dc:title>")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OPEN = "application/vnd.oasis.opendocument.text"
ALL = {
    "application/pdf": (PDF, "The harbour", "A. Mole"),
    WORD: (DOCX, "The river", "A. Otter"),
    "application/epub+zip": (EPUB, "The forest", "A. Fox"),
    OPEN: (ODT, "The valley", None),
}


def test_documents_are_articles_with_what_they_say_of_themselves(index, site):
    for number, (media, (body, *_)) in enumerate(ALL.items()):
        site.put(f"/{number}", body, media=media)
    addresses = [f"{site.url}/{number}" for number in range(len(ALL))]
    summary = build(index, *addresses)
    assert (4, ()) == (summary.articles, summary.skipped)
    found = held(index)
    for address, (_, title, author) in zip(addresses, ALL.values(), strict=True):
        info = found[address].info
        assert (title, author, address) == (info.title, info.author, info.url)
    harbour = found[addresses[0]]
    assert harbour.info.published == "2023-05-04"
    assert [harbour.text[start:][:7] for start in harbour.pages] == ["The har", "It was "]


def test_presentations_and_texts_of_all_kinds_are_read_as_what_they_are(index, site):
    slides = pptx([shape("The dam", kind="title") + shape("It was built in 1915.")])
    content = {"[Content_Types].xml": "<Types/>"}
    sent = {
        "/a": (slides, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        "/b": (b"Ship,Length\nHeron,41 m\nOtter,20 m\n", "text/csv"),
        "/c.rst": (b"The lock\n========\n\nIt was built in *1916*.\n", "text/plain"),
        "/d": (b"WEBVTT\n\n00:01.000 --> 00:02.000\nThe pier burned.\n", "text/vtt"),
    }
    for place, (body, media) in sent.items():
        site.put(place, body, media=media)
    site.put("/e", zipped(content), media="application/zip")
    summary = build(index, *(f"{site.url}{place}" for place in (*sent, "/e")))
    told = {
        (article.info.url or "").removeprefix(site.url): article for article in held(index).values()
    }
    assert "It was built in 1915." in told["/a"].text
    assert told["/b"].text.endswith("Heron | Length: 41 m\nOtter | Length: 20 m")
    assert told["/c.rst"].text == "The lock\n\nIt was built in 1916."
    assert told["/d"].text == "[0:01] The pier burned."
    assert len(summary.skipped) == 1


def test_an_unchanged_document_is_not_sent_again(index, site):
    address = site.put("/a.pdf", PDF, media="application/pdf")
    build(index, address)
    site.forget()
    assert not build(index, address).changed
    assert site.asked("/a.pdf") == [304]
    site.put("/a.pdf", pdf(lines("The harbour is a park now.")), media="application/pdf")
    assert build(index, address).changed
    assert held(index)[address].text == "The harbour is a park now."
    del site.replies["/a.pdf"]
    assert build(index, address).skipped[0].kept


def test_lists_lead_to_documents(index, site):
    first = site.put("/a.pdf", PDF, media="application/pdf")
    second = site.put("/b.docx", DOCX, media=WORD)
    build(
        index,
        site.put("/sitemap.xml", sitemap(first), media="text/xml"),
        site.put("/feed", rss((second, "In short.")), media="text/xml"),
    )
    assert {article.info.title for article in held(index).values()} == {"The harbour", "The river"}


@pytest.mark.parametrize("media", ["text/html; charset=ISO-8859-1", "application/octet-stream"])
@pytest.mark.parametrize("body", [PDF, DOCX])
def test_a_document_that_is_called_something_else_is_read_as_what_it_is(index, site, body, media):
    address = site.put("/get?id=1", body, media=media)
    assert build(index, address).skipped == ()
    assert held(index)[address].info.title in ("The harbour", "The river")


def test_a_page_that_is_called_a_document_is_read_as_a_page(index, site):
    address = site.put("/a.pdf", page(*story("The bridge")), media="application/pdf")
    assert build(index, address).skipped == ()
    assert "opened in 1907" in held(index)[address].text


@pytest.mark.parametrize(
    ("body", "media", "reason"),
    [
        (
            "Please log in.",
            "application/pdf",
            "is declared as application/pdf, but is not a PDF document",
        ),
        (b"", WORD, f"is declared as {WORD}, but is not a DOCX document"),
        (
            zipped({"a.txt": "A"}),
            "text/html",
            "is text/html and a ZIP archive, not a page, document, sitemap or feed",
        ),
        (zipped({"a.txt": "A"}), "application/epub+zip", "not an EPUB book (holds no META-INF/"),
        (PDF[:200], "application/pdf", "damaged: PDFium cannot open it"),
        (pdf(lines()), "application/pdf", "holds no text, perhaps pictures of it"),
        (docx("<w:p/>"), WORD, "holds no text, perhaps pictures of it"),
    ],
)
def test_what_is_no_document_has_its_reason(index, site, body, media, reason):
    good = site.put_story("/good", "The bridge")
    bad = site.put("/bad", body, media=media)
    summary = build(index, good, bad)
    assert summary.articles == 1
    assert reasons(summary)[bad].startswith(reason)


def test_what_no_article_can_be_made_of_is_neither_kept_nor_sent_again(index, site):
    good = site.put_story("/good", "The bridge")
    noise = random.Random(1).randbytes(2 * MEGABYTE)
    scanned = pdf(lines(), extra={950: stream(noise)})
    bad = site.put("/bad.pdf", scanned, media="application/pdf")
    reason = reasons(build(index, good, bad))
    assert (index / "web.sqlite").stat().st_size < 100_000
    site.forget()
    assert reasons(build(index, good, bad)) == reason
    assert site.asked("/bad.pdf") == [304]
    assert reasons(build(index, good, bad, full=True)) == reason
    assert site.asked("/bad.pdf") == [304, 200]
    with closing(sqlite3.connect(index / "web.sqlite")) as memory, memory:
        memory.execute("UPDATE page SET readers = 'older' WHERE refused IS NOT NULL")
    assert reasons(build(index, good, bad)) == reason
    assert site.asked("/bad.pdf") == [304, 200, 200]
    site.put("/bad.pdf", PDF, media="application/pdf")
    assert build(index, good, bad).skipped == ()
    assert "The harbour" in titles(index)


def test_a_document_may_be_larger_than_a_page(index, site):
    body = pdf(lines("The harbour was closed."), extra={950: stream(bytes(MEGABYTE))})
    address = site.put("/a.pdf", body, media="text/html")
    options = replace(OPTIONS, page_bytes=200_000, listing_bytes=200_000)
    assert build(index, address, web=options).skipped == ()
    smaller = replace(options, document_bytes=300_000)
    summary = build(index, address, web=smaller, full=True)
    assert reasons(summary) == {
        address: "is larger than 0.3 MB, the limit; the article is kept as it was"
    }
