"""The language of a text: declared, or identified by py3langid."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_SAMPLE = 5_000
_UNKNOWN = "en"
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_.@][A-Za-z0-9_.@-]*)?")
_LONGEST_NAME = 40


def identify(text: str) -> str:
    """The ISO 639-1 code of the language that ``text`` is most likely written in.

    Only the beginning is looked at. A text without a letter counts as English, because every
    article has some language.
    """
    return likelihood(text)[0]


def likelihood(text: str) -> tuple[str, float]:
    """The most likely language of ``text`` and its probability among all that are known."""
    sample = text[:_SAMPLE]
    if not any(map(str.isalpha, sample)):
        return _UNKNOWN, 0.0
    language, probability = _identifier().classify(sample)
    return str(language), float(probability)


def language_code(tag: str) -> str | None:
    """The ISO 639-1 code of a language tag: ``de-AT`` and ``deu`` give ``de``.

    Returns:
        ``None`` if it is no tag, or the language has no such code.
    """
    match = _TAG.fullmatch(tag.strip())
    if match is None:
        return None
    code = match[1].lower()
    if len(code) == 2:
        return code
    from babel.core import get_global

    short = str(get_global("language_aliases").get(code, ""))
    return short if len(short) == 2 else None


def language_named(name: str) -> str | None:
    """The ISO 639-1 code of a language by its tag, or by its name in English or in itself."""
    if code := language_code(name):
        return code
    name = name.strip().casefold()
    return _names().get(name) if len(name) <= _LONGEST_NAME else None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    from babel import Locale, localedata

    english = {str(code): str(name) for code, name in Locale("en").languages.items()}
    codes = [code for code in english if len(code) == 2]
    own = {
        str(name).casefold(): code
        for code in codes
        if localedata.exists(code) and (name := Locale(code).languages.get(code))
    }
    return own | {english[code].casefold(): code for code in codes}


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported late and loaded once: it takes about a second, and declared languages need none.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([label for label in identifier.labels if len(label) == 2])
    return identifier
