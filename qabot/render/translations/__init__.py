"""What qabot says to people in their language: gettext catalogues, and names and dates from CLDR.

English texts are the keys. ``de.po`` and its like are edited by hand; ``make translations`` brings
them up to date with the code and compiles them.
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
"""What the interface speaks; English where someone's language is none of them."""

CATALOGUES = Path(__file__).parent
_SKELETONS = ("y", "yMMMM", "yMMMd")


def mark(message: str) -> str:
    """``message`` itself: marks a text for the catalogues that is translated elsewhere."""
    return message


def translate(message: str, locale: str, **values: object) -> str:
    """``message`` in the language of ``locale``, with ``{name}`` replaced by its value.

    Args:
        message: In English.
        locale: Discord's or any other name of a language, such as ``es-419``.
    """
    text = _catalogue(language_of(locale)).gettext(message)
    return text.format(**values) if values else text


def plural(one: str, many: str, n: int, locale: str, **values: object) -> str:
    """``one`` or ``many`` in the form that ``n`` takes in the language, with ``{n}`` replaced."""
    return _catalogue(language_of(locale)).ngettext(one, many, n).format(n=n, **values)


def translation_or_none(message: str, locale: str) -> str | None:
    """``message`` in the language of ``locale``; ``None`` where that is English."""
    language = language_of(locale)
    return None if language == "en" else _catalogue(language).gettext(message)


def language_of(locale: str) -> str:
    """The one of ``LANGUAGES`` that fits a locale; ``en`` where none does."""
    language = locale.replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else "en"


def language_name(code: str, locale: str) -> str:
    """A language's name in the language of ``locale``; its code where it has none there."""
    name = _cldr(language_of(locale)).languages.get(code)
    return str(name) if name else code


def date_text(published: str, locale: str) -> str:
    """``2022``, ``2022-09`` or ``2022-09-12`` as people write it in the language of ``locale``."""
    from babel.dates import format_skeleton

    parts = published.split("-")
    with contextlib.suppress(ValueError):
        day = date(*(int(part) for part in [*parts, "1", "1"][:3]))
        return str(format_skeleton(_SKELETONS[len(parts) - 1], day, locale=language_of(locale)))
    return published


def number_text(number: int, locale: str) -> str:
    """``12345`` as people write it in the language of ``locale``: ``12,345``."""
    from babel.numbers import format_decimal

    return str(format_decimal(number, locale=language_of(locale)))


def percent_text(share: float, locale: str) -> str:
    """``0.82`` as people write it in the language of ``locale``: ``82%`` or ``82 %``."""
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
