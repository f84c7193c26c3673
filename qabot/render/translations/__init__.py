"""Translations: gettext catalogues, and CLDR's names, dates and numbers.

English texts are the keys. The ``.po`` files are edited by hand; ``make translations`` updates them
from the code and compiles them.
"""

from __future__ import annotations

import contextlib
import functools
from datetime import date
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

LANGUAGES = ("en", "de", "fr", "es", "ja")
"""The languages of the interface; English for people with any other language."""

CATALOGUES = Path(__file__).parent
_SKELETONS = ("y", "yMMMM", "yMMMd")


def mark(message: str) -> str:
    """Mark a text for the catalogues that is translated elsewhere; return it unchanged."""
    return message


def translate(message: str, locale: str, **values: object) -> str:
    """Translate ``message`` and replace each ``{name}`` by its value.

    Args:
        message: The English text.
        locale: A locale, such as Discord's ``es-419``.
    """
    text = _catalogue(language_of(locale)).gettext(message)
    return text.format(**values) if values else text


def plural(one: str, many: str, n: int, locale: str, **values: object) -> str:
    """Translate ``one`` or ``many`` in the language's form for ``n``, and replace ``{n}``."""
    return _catalogue(language_of(locale)).ngettext(one, many, n).format(n=n, **values)


def translation_or_none(message: str, locale: str) -> str | None:
    """Translate ``message``; ``None`` if the language is English."""
    language = language_of(locale)
    return None if language == "en" else _catalogue(language).gettext(message)


def language_of(locale: str) -> str:
    """Choose the one of ``LANGUAGES`` for a locale; ``en`` if none fits."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else "en"


def language_name(code: str, locale: str) -> str:
    """Name a language in the language of ``locale``; its code if CLDR has no name."""
    name = _cldr(language_of(locale)).languages.get(code)
    return str(name) if name else code


def date_text(published: str, locale: str) -> str:
    """Write ``2022``, ``2022-09`` or ``2022-09-12`` as usual in the language of ``locale``."""
    from babel.dates import format_skeleton

    parts = published.split("-")
    with contextlib.suppress(ValueError):
        day = date(*(int(part) for part in [*parts, "1", "1"][:3]))
        return str(format_skeleton(_SKELETONS[len(parts) - 1], day, locale=language_of(locale)))
    return published


def number_text(number: int, locale: str) -> str:
    """Write ``12345`` as usual in the language of ``locale``: ``12,345``."""
    from babel.numbers import format_decimal

    return str(format_decimal(number, locale=language_of(locale)))


def percent_text(share: float, locale: str) -> str:
    """Write ``0.82`` as usual in the language of ``locale``: ``82%`` or ``82 %``."""
    from babel.numbers import format_percent

    return str(format_percent(share, locale=language_of(locale)))


@functools.cache
def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    with (CATALOGUES / f"{language}.mo").open("rb") as file:
        return GNUTranslations(file)


@functools.cache
def _cldr(language: str) -> Locale:
    from babel import Locale

    return Locale(language)
