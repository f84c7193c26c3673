"""The language of a text: declared, or identified by py3langid."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_SAMPLE = 5_000
_UNKNOWN = "en"
_TAG = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9_-]*)?")


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
    """The ISO 639-1 code of a language tag (``de-AT`` gives ``de``); ``None`` if it has none."""
    match = _TAG.fullmatch(tag.strip())
    return match[1].lower() if match else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    # Imported late and loaded once: it takes about a second, and declared languages need none.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([label for label in identifier.labels if len(label) == 2])
    return identifier
