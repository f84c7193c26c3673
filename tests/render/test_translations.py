"""The catalogues: complete, compiled and true to the code."""

from __future__ import annotations

import io
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import qabot
from qabot.render.translations import (
    CATALOGUES,
    LANGUAGES,
    date_text,
    language_name,
    language_of,
    number_text,
    percent_text,
    plural,
    translate,
)

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
# As `make translations` finds them.
KEYWORDS = {"mark": None, "translate": None, "plural": (1, 2)}
MESSAGES = {
    message
    for part in ("bot", "render")
    for _, _, message, _, _ in extract_from_dir(
        Path(qabot.__file__).parent / part, keywords=KEYWORDS
    )
}


def read(language: str) -> Catalog:
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def forms(message: Message) -> tuple[str, ...]:
    """A message's translation, in each form if it has a plural; empty if there is none yet."""
    string = message.string
    return (string or "",) if isinstance(string, str | None) else tuple(string)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_the_code_has_texts_for_every_part_of_the_bot():
    assert len(MESSAGES) > 100
    assert {"ask", "The articles don't answer that.", ("{n} passage", "{n} passages")} <= MESSAGES


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_is_left_over(language):
    catalogue = {message.id: message for message in read(language) if message.id}
    assert set(catalogue) == MESSAGES
    for message in catalogue.values():
        assert all(forms(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_and_marks_agree_in_every_form(language):
    for message in read(language):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        for form in forms(message):
            assert placeholders(form) == placeholders(ids[-1]), message.id
            assert form.count("**") == ids[-1].count("**"), message.id
            assert form.count("`") == ids[-1].count("`"), message.id
            assert "\n" not in form
            assert form == form.strip()


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_is_compiled_is_what_was_edited(language):
    compiled = io.BytesIO()
    write_mo(compiled, read(language))
    assert (CATALOGUES / f"{language}.mo").read_bytes() == compiled.getvalue()


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("en-GB", "en"), ("es-419", "es"), ("fr_CA", "fr"), ("ja", "ja"), ("ko", "en")],
)
def test_a_locale_is_spoken_to_in_its_language(locale, language):
    assert language_of(locale) == language
    assert translate("Source", locale) == translate("Source", language)


def test_a_text_without_a_translation_is_shown_in_english():
    assert translate("No catalogue has {this}.", "de", this="{x}") == "No catalogue has {x}."


@pytest.mark.parametrize(
    ("locale", "one", "two"),
    [
        ("en-US", "1 passage", "2 passages"),
        ("de", "1 Abschnitt", "2 Abschnitte"),
        ("fr", "1 passage", "2 passages"),
        ("es-ES", "1 pasaje", "2 pasajes"),
        ("ja", "1 節", "2 節"),
    ],
)
def test_plurals_are_those_of_the_language(locale, one, two):
    counted = [plural("{n} passage", "{n} passages", n, locale) for n in (0, 1, 2)]
    assert counted[1:] == [one, two]
    # French counts none like one.
    assert counted[0].split()[1] == (one if locale == "fr" else two).split()[1]


@pytest.mark.parametrize(
    ("locale", "month", "day", "language", "number", "share"),
    [
        ("en-US", "September 2022", "Sep 12, 2022", "German", "12,345", "82%"),
        ("de", "September 2022", "12. Sept. 2022", "Deutsch", "12.345", "82\xa0%"),
        ("fr", "septembre 2022", "12 sept. 2022", "allemand", "12\u202f345", "82\xa0%"),
        ("es-419", "septiembre de 2022", "12 sept 2022", "alemán", "12.345", "82\xa0%"),
        ("ja", "2022年9月", "2022年9月12日", "ドイツ語", "12,345", "82%"),
    ],
)
def test_dates_names_and_numbers_are_written_as_in_the_language(
    locale, month, day, language, number, share
):
    assert date_text("2022-09", locale) == month
    assert date_text("2022-09-12", locale) == day
    assert language_name("de", locale) == language
    assert number_text(12345, locale) == number
    assert percent_text(0.82, locale) == share


def test_what_is_no_date_or_language_is_shown_as_it_is():
    assert date_text("soon", "de") == "soon"
    assert date_text("2022-13", "de") == "2022-13"
    assert date_text("2022", "ja") == "2022年"
    assert language_name("xx", "de") == "xx"


def test_every_language_says_something_of_its_own():
    said = [translate("The articles don't answer that.", language) for language in LANGUAGES]
    assert len(set(said)) == len(LANGUAGES)
