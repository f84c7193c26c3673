from __future__ import annotations

import os
from pathlib import Path

import pytest

from qabot.articles import Skipped, find_files, read_article, read_sources
from qabot.articles.formats.language import identify
from qabot.errors import ArticleError
from qabot.types import Article
from tests.articles.support import read

PROSE = "The ferry did not run on Tuesday. Nobody was told why."


def test_an_article_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "b.txt").write_bytes(b"")
    (tmp_path / "c.html").write_text("<html></html>")
    (tmp_path / "d.txt").write_text(PROSE)
    folder = tmp_path.as_posix()
    *skipped, article = read_sources([tmp_path])
    assert skipped == [
        Skipped(
            f"{folder}/a.txt",
            "not a text file (looks like a PNG image); remove it or convert it to UTF-8 text",
        ),
        Skipped(f"{folder}/b.txt", "is empty; remove it or add text"),
        Skipped(
            f"{folder}/c.html",
            "no main text found in the page; save the page's text as Markdown or plain text",
        ),
    ]
    assert isinstance(article, Article)
    assert article.text == PROSE


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", ""),
        ("a.txt", " \r\n\t\n\ufeff"),
        ("a.txt", "* * *\n\n?!"),
        ("a.txt", "date 2022-09"),
        ("a.md", "---\ntitle: Nur ein Titel\n---\n"),
        ("a.md", "![Bild](a.png)\n\n<div hidden>weg</div>"),
    ],
)
def test_a_document_without_words_is_empty(tmp_path: Path, name, content):
    with pytest.raises(ArticleError) as caught:
        read(tmp_path, name, content)
    assert str(caught.value) == (f"{(tmp_path / name).as_posix()}: is empty; remove it or add text")


def test_a_file_over_the_limit_is_refused(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.touch()
    os.truncate(path, 20_000_001)
    (file,) = find_files([path])
    with pytest.raises(ArticleError, match=r": larger than 20 MB, the limit for one article; "):
        read_article(file)


def test_a_file_that_is_gone_by_the_time_it_is_read_is_skipped(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text(PROSE)
    items = read_sources([path])
    path.unlink()
    assert list(items) == [
        Skipped(
            path.as_posix(),
            "cannot be read (No such file or directory); check the file and its permissions",
        )
    ]


def test_reading_a_file_twice_gives_the_same_article(tmp_path: Path):
    first = read(tmp_path, "a.md", f"# Ferry\n\n{PROSE}")
    second = read(tmp_path, "a.md", f"# Ferry\n\n{PROSE}")
    assert first == second
    assert first.digest == second.digest


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "أعيد افتتاح الجسر يوم الاثنين بعد ثلاثة أشهر من أعمال الصيانة."),
        ("de", "Die Brücke ist seit Montag wieder offen. Niemand weiß, wie lange."),
        ("en", "The bridge has been open again since Monday. Nobody knows for how long."),
        ("es", "El puente está abierto de nuevo desde el lunes. Nadie sabe hasta cuándo."),
        ("fr", "Le pont est de nouveau ouvert depuis lundi. Personne ne sait jusqu'à quand."),
        ("ja", "橋は月曜日から再び通れるようになった。いつまでかは誰も知らない。"),
        ("zh", "大桥星期一重新开放。没有人知道会持续多久。"),
        ("en", "12 34 ?!"),
    ],
)
def test_the_language_of_a_text_is_identified(language, text):
    assert identify(text) == language


@pytest.mark.parametrize(("name", "warned"), [("a.adoc", True), ("a.TEX", True), ("notes", False)])
def test_markup_without_a_parser_is_read_as_text_and_told(tmp_path: Path, name, warned):
    article = read(tmp_path, name, "== Der Kai\n\nEr ist *breit*.")
    assert "Er ist *breit*." in article.text
    ending = Path(name).suffix.lower()
    warning = f"{ending} is read as plain text with its marks; convert it to HTML or Markdown"
    assert article.warnings == ((warning,) if warned else ())


def test_the_seed_articles_are_in_the_languages_they_declare():
    seeds = [
        item
        for item in read_sources([Path(__file__).parents[2] / "seeds"])
        if isinstance(item, Article)
    ]
    assert seeds
    assert [seed.info.language for seed in seeds] == [identify(seed.text) for seed in seeds]
