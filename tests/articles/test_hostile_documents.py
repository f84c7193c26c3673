"""Documents made to do harm: bounded time and memory, one reason, and the rest is read."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.articles import Skipped, read_sources
from qabot.articles.sandbox import ReadingProcess
from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.documents import docx, epub, lines, odt, pdf, stream, word_paragraph, zipped
from tests.articles.support import read
from tests.articles.test_properties import check

PROSE = "The ferry did not run on Tuesday. Nobody was told why."
DOCUMENTS = {
    ".pdf": pdf(lines(PROSE), lines("Page two."), info={"Title": "Ferry"}, outline=[("Two", 1)]),
    ".docx": docx(word_paragraph(PROSE), "<dc:title>Ferry</dc:title>"),
    ".epub": epub({"a.xhtml": f"<h1>Ferry</h1><p>{PROSE}</p>"}, "<dc:title>Ferry</dc:title>"),
    ".odt": odt(f"<text:h>Ferry</text:h><text:p>{PROSE}</text:p>"),
}


def refused(folder: Path, name: str, data: bytes) -> str:
    """Why a document is not read."""
    with pytest.raises(ArticleError) as caught:
        read(folder, name, data)
    return str(caught.value).removeprefix(f"{(folder / name).as_posix()}: ")


def shrunk(data: bytes, name: str, size: int) -> bytes:
    """An archive that lies about the size of a member, in both places."""
    out = bytearray(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        member = archive.getinfo(name)
    out[member.header_offset + 22 : member.header_offset + 26] = size.to_bytes(4, "little")
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(name.encode()))
    out[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(out)


@pytest.mark.parametrize("name", ["word/document.xml", "word/media/picture.png"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, name):
    bomb = docx(word_paragraph(PROSE), extra={name: b" " * 30_000_000})
    assert refused(tmp_path, "a.docx", bomb) == (
        "unpacks to over 200 times its size, as bombs do; remove it, or save it again"
    )


def test_archives_in_an_archive_are_not_unpacked(tmp_path: Path):
    # Four of these in each other would be petabytes.
    inner = b" " * 1_000_000
    for _ in range(4):
        inner = zipped({str(number): inner for number in range(16)})
    data = docx(word_paragraph(PROSE), extra={"word/embeddings/a.zip": inner})
    assert read(tmp_path, "a.docx", data).text == PROSE


def test_a_document_of_too_much_text_is_refused(tmp_path: Path):
    data = zipped({"content.xml": b" " * 40_000_001}, zipfile.ZIP_STORED)
    assert refused(tmp_path, "a.odt", data) == "unpacks to more than 40 MB; split it"


def test_a_member_that_lies_about_its_size_is_damaged(tmp_path: Path):
    data = shrunk(odt(f"<text:p>{PROSE}</text:p>" * 100), "content.xml", 100)
    assert refused(tmp_path, "a.odt", data) == (
        "damaged (content.xml: Bad CRC-32 for file 'content.xml'); save it again"
    )


def test_archives_packed_in_unusual_ways_are_refused(tmp_path: Path):
    # Python unpacks these all at once.
    data = zipped({"content.xml": "a" * 1000}, zipfile.ZIP_BZIP2)
    assert refused(tmp_path, "a.odt", data) == (
        "content.xml is packed in a way that is not read; save it again"
    )


def test_an_encrypted_archive_is_named_so(tmp_path: Path):
    data = bytearray(odt(f"<text:p>{PROSE}</text:p>"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        offsets = [archive.getinfo("content.xml").header_offset + 6]
    offsets.append(data.rfind(b"PK\x01\x02", 0, data.rfind(b"content.xml")) + 8)
    for offset in offsets:
        data[offset] |= 1
    assert refused(tmp_path, "a.odt", bytes(data)) == "encrypted; save it without a password"


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path):
    data = zipped({str(number): b"" for number in range(20_001)}, zipfile.ZIP_STORED)
    assert refused(tmp_path, "a.odt", data) == "holds 20001 files, 20000 at most; split it"


def test_elements_nested_too_deeply_are_no_reason_to_stop(tmp_path: Path):
    deep = "<text:list><text:list-item>" * 5_000
    for number, data in enumerate(
        (odt(deep), epub({"a": "<ul><li>" * 5_000}), docx("<w:p>" * 999))
    ):
        (tmp_path / f"{number}{('.odt', '.epub', '.docx')[number]}").write_bytes(data)
    (tmp_path / "z.odt").write_bytes(DOCUMENTS[".odt"])
    assert [type(item) for item in read_sources([tmp_path])][-1] is Article


def test_a_pdf_with_too_many_pages_is_refused(tmp_path: Path):
    data = pdf(*([[]] * 5_001))
    assert refused(tmp_path, "a.pdf", data) == "has 5001 pages, 5000 at most; split it"


def endless_pdf() -> bytes:
    """A PDF of a few hundred bytes that draws 10^12 words: each form draws the next ten times."""
    fields = (
        b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << /X %d 0 R "
    )
    fields += b">> /Font << /F 3 0 R >> >> "
    forms = {900 + n: stream(b"/X Do " * 10, fields % (901 + n)) for n in range(12)}
    forms[912] = stream(b"BT /F 9 Tf (word ) Tj ET", fields % 3)
    return pdf(lines(PROSE), extra={**forms, 6: stream(b"/X Do")})


def test_a_document_that_takes_for_ever_is_given_up_and_the_next_one_is_read():
    with closing(ReadingProcess(seconds=2)) as process:
        with pytest.raises(ArticleError, match="takes longer than 2 s to read; split it, or save"):
            process.read("pdf", endless_pdf())
        assert process.read("odt", DOCUMENTS[".odt"]).text == f"Ferry\n\n{PROSE}"


def test_a_document_that_takes_too_much_memory_is_given_up_and_the_next_one_is_read():
    paragraphs = "".join(word_paragraph(f"Paragraph {number}.") for number in range(200_000))
    with closing(ReadingProcess(memory=250_000_000)) as process:
        with pytest.raises(
            ArticleError, match=r"takes too much memory to read; split it|broke off"
        ):
            process.read("docx", docx(paragraphs))
        assert process.read("odt", DOCUMENTS[".odt"]).text == f"Ferry\n\n{PROSE}"


def test_the_reading_process_ends_with_the_one_that_asked_it():
    program = """
import os, subprocess
from qabot.articles.sandbox import ReadingProcess
started = subprocess.Popen
subprocess.Popen = lambda *given, **named: started(*given, **named, pass_fds=[os.dup(1)])
try:
    ReadingProcess().read("odt", b"")
except Exception as error:
    print(error, flush=True)
os.kill(os.getpid(), 9)
"""
    # run() returns when nobody holds the other end of standard output any more: both have ended.
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -9
    assert done.stdout.startswith("not an ODT document, or damaged")


@pytest.mark.parametrize("ending", sorted(DOCUMENTS))
@given(data=st.data())
@settings(deadline=None, max_examples=4)
def test_damaged_documents_give_an_article_or_an_error_for_a_person(ending, data):
    whole = DOCUMENTS[ending]
    places = st.integers(0, len(whole) - 1)
    flips = st.lists(st.tuples(places, st.integers(1, 255)), max_size=8)
    # Many at a time, as the process that reads them takes longer to start than to read one.
    damages = data.draw(st.lists(st.tuples(flips, places), min_size=10, max_size=25))
    with tempfile.TemporaryDirectory() as folder:
        for number, (flipped, cut) in enumerate(damages):
            damaged = bytearray(whole)
            for place, bits in flipped:
                damaged[place] ^= bits
            # Half of them are cut short as well.
            kept = damaged[: cut + 1] if number % 2 else damaged
            (Path(folder) / f"{number}{ending}").write_bytes(kept)
        items = list(read_sources([folder]))
    assert len(items) == len(damages)
    for item in items:
        if isinstance(item, Skipped):
            assert item.reason
            assert item.reason.isprintable()
        else:
            check(item)
            assert list(item.pages) == sorted(item.pages)


@pytest.mark.parametrize("ending", sorted(DOCUMENTS))
@given(junk=st.binary(max_size=200))
@settings(deadline=None, max_examples=3)
def test_any_bytes_under_the_name_of_a_document_are_refused(ending, junk):
    with tempfile.TemporaryDirectory() as folder, pytest.raises(ArticleError):
        read(Path(folder), f"a{ending}", junk)
