"""Documents from the command line: built, asked, quoted with pages, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qabot.answering.engine import Engine
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.articles.documents import docx, lines, pdf, word_paragraph
from tests.support import HashingEncoder, build_index, write_article

PAGES = (
    lines("The harbour was built in 1890 by the town of Wittsiel itself."),
    lines("Its lighthouse is 31 metres tall. It was lit for the first time"),
    lines("in March 1902. A lamp of that year stands in the museum."),
)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    told = {"Title": "The harbour", "Author": "A. Friis", "CreationDate": "D:20210503"}
    (folder / "harbour.pdf").write_bytes(pdf(*PAGES, info=told))
    (folder / "ship.docx").write_bytes(docx(word_paragraph("The ship is red. Its crew is small.")))
    build_index(tmp_path / "index", folder)
    return tmp_path / "index"


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("built in 1890 by the town", 1),
        ("lighthouse is 31 metres tall", 2),
        ("a lamp of that year stands in the museum", 3),
        ("the ship is red", None),
    ],
)
def test_a_quote_says_on_which_page_its_answer_begins(index, question, page):
    with Engine(IndexStore(index), HashingEncoder(), Settings(threshold=0.0, quotes=1)) as engine:
        (quote,) = engine.ask(question).quotes
        article = engine.article(quote.article.id)
    assert quote.page == page
    assert article.text[quote.start : quote.end] == quote.text
    if page:
        ((start, _), *_) = quote.highlights
        assert article.pages[page - 1] <= start < (*article.pages, len(article.text))[page]


def test_what_is_indexed_of_a_document_comes_back_whole(index):
    generation = IndexStore(index).open()
    article = generation.database.article("harbour")
    generation.close()
    assert article is not None
    assert article.text == (
        "The harbour was built in 1890 by the town of Wittsiel itself.\n\n"
        "Its lighthouse is 31 metres tall. It was lit for the first time in March 1902. A lamp of "
        "that year stands in the museum."
    )
    assert [article.text[start : start + 9] for start in article.pages] == [
        "The harbo",
        "Its light",
        "in March ",
    ]
    assert (article.info.author, article.info.published) == ("A. Friis", "2021-05-03")


def test_an_unchanged_document_is_not_read_again(index, tmp_path):
    # A generation whose readers are the same takes articles by the content of their files.
    again = build_index(tmp_path / "index", tmp_path / "articles")
    assert (again.changed, again.reused, again.encoded) == (False, again.passages, 0)
    moved = tmp_path / "articles/moved.pdf"
    (tmp_path / "articles/harbour.pdf").rename(moved)
    renamed = build_index(tmp_path / "index", tmp_path / "articles")
    assert (renamed.changed, renamed.encoded) == (True, 0)
    generation = IndexStore(index).open()
    article = generation.database.article("moved")
    generation.close()
    assert article is not None
    assert len(article.pages) == 3


def test_a_rebuild_says_what_it_leaves_out(call, model_cache, monkeypatch, tmp_path):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    (tmp_path / "qabot.toml").write_text('sources = ["news"]\nexclude = ["drafts/", "*.tmp.md"]\n')
    for name in ("a", "b.tmp", "drafts/c"):
        write_article(tmp_path / "news", name, "The harbour was built in 1890.")
    for name in ("a.jpg", "b.doc", "c.DOC", "d.bin", "e.ppt"):
        (tmp_path / "news" / name).write_bytes(b"\0")
    built = call("rebuild")
    assert built.code == 0
    assert built.out.splitlines()[-1] == (
        "Left out: 2 of a type that is not read (.doc), 1 excluded by the pattern *.tmp.md, "
        "1 excluded by the pattern drafts/, 1 of a type that is not read (.ppt)"
    )
    summary = call("rebuild", "--json").object
    assert (summary["articles"], summary["skipped"]) == (1, [])
    assert {item["source"]: item["reason"] for item in summary["left_out"]} == {
        "news/a.jpg": "of a type that is not read (.jpg)",
        "news/b.doc": "of a type that is not read (.doc)",
        "news/b.tmp.md": "excluded by the pattern *.tmp.md",
        "news/c.DOC": "of a type that is not read (.doc)",
        "news/d.bin": "of a type that is not read (.bin)",
        "news/drafts": "excluded by the pattern drafts/",
        "news/e.ppt": "of a type that is not read (.ppt)",
    }


def test_patterns_on_the_command_line_take_the_place_of_the_settings(
    call, model_cache, monkeypatch, tmp_path
):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    (tmp_path / "qabot.toml").write_text('sources = ["news"]\nexclude = ["c.md"]\n')
    for name in ("a", "drafts/b", "drafts/keep", "c", "d.tmp"):
        write_article(tmp_path / "news", name, "The harbour was built in 1890.")
    patterns = ("drafts/*", "!keep.md", "*.tmp.md")
    flags = [part for pattern in patterns for part in ("--exclude", pattern)]
    summary = call("rebuild", "--json", *flags).object
    assert {item["source"]: item["reason"] for item in summary["left_out"]} == {
        "news/d.tmp.md": "excluded by the pattern *.tmp.md",
        "news/drafts/b.md": "excluded by the pattern drafts/*",
    }
    assert (summary["articles"], summary["skipped"]) == (3, [])
    wrong = call("rebuild", "--exclude", "")
    assert (wrong.code, wrong.complaint[:10]) == (2, "--exclude:")
    none = call("rebuild", "--exclude", "*")
    assert none.code == 2
    assert none.complaint.endswith(
        "is excluded by the pattern *, and nothing is left; see to exclude"
    )


def test_a_rebuild_says_nothing_of_data_and_pictures_beside_articles(
    call, model_cache, monkeypatch, tmp_path
):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    write_article(tmp_path / "seeds", "a", "The harbour was built in 1890.")
    for name in ("questions.jsonl", "a.jpg", "LICENSE"):
        (tmp_path / "seeds" / name).write_bytes(b"\0")
    built = call("rebuild")
    assert (built.code, built.out.count("\n")) == (0, 1)
    assert "Left out" not in built.out
    assert len(call("rebuild", "--json").object["left_out"]) == 3


def test_a_pdf_is_asked_from_the_command_line_and_its_pages_verified(
    call, model_cache, monkeypatch, tmp_path
):
    monkeypatch.setenv("QABOT_CACHE", str(model_cache))
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds/harbour.pdf").write_bytes(pdf(*PAGES, info={"Title": "The harbour"}))
    assert call("rebuild").code == 0
    asked = call("ask", "How tall is the lighthouse?", "--json")
    (quote, *_) = asked.object["quotes"]
    assert quote["page"] == 2
    assert "page 2 · seeds/harbour.pdf:" in call("ask", "How tall is the lighthouse?").out
    (tmp_path / "answer.json").write_text(asked.out)
    assert call("verify", "answer.json").code == 0
    moved = json.loads(asked.out)
    moved["quotes"][0]["page"] = 9
    (tmp_path / "answer.json").write_text(json.dumps(moved))
    wrong = call("verify", "answer.json")
    assert wrong.code == 1
    assert "it is not on page 9" in wrong.out
