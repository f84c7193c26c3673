"""The catalogues' upkeep, for ``make translations``: texts out of the code, into every language.

Needs Babel and the source tree; the bot needs only the compiled ``.mo`` files.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from qabot.render.translations import CATALOGUES, LANGUAGES

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
_KEYWORDS = {"_": None, "mark": None, "translate": None, "plural": (1, 2)}
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
_PACKAGE = CATALOGUES.parents[1]


def collect() -> Catalog:
    """Every text that the code marks, with the files that it stands in."""
    catalogue = _empty(None)
    for path in sorted([*_PACKAGE.glob("bot/**/*.py"), *_PACKAGE.glob("render/**/*.py")]):
        place = path.relative_to(_PACKAGE.parent).as_posix()
        for _, message, comments, _ in extract_from_file(
            "python", str(path), keywords=_KEYWORDS, comment_tags=("Translators:",)
        ):
            catalogue.add(message, locations=[(place, 0)], auto_comments=comments)
    return catalogue


def read(language: str) -> Catalog:
    """The catalogue of a language, as it was edited."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language)


def compiled(language: str) -> bytes:
    """What the ``.mo`` file of a language has to hold."""
    buffer = io.BytesIO()
    write_mo(buffer, read(language))
    return buffer.getvalue()


def po_path(language: str) -> Path:
    """The file that people edit."""
    return CATALOGUES / f"{language}.po"


def mo_path(language: str) -> Path:
    """The file that the bot reads."""
    return CATALOGUES / f"{language}.mo"


def renew() -> list[str]:
    """Bring every catalogue up to date with the code and compile it; the texts still to translate.

    Texts that the code no longer has are dropped; no other text is guessed for a new one.
    """
    template = collect()
    missing = []
    for language in TRANSLATED:
        old = read(language) if po_path(language).exists() else _empty(language)
        new = _empty(language)
        for message in template:
            if not message.id:
                continue
            known = old.get(message.id)
            new.add(
                message.id,
                known.string if known else None,
                locations=message.locations,
                auto_comments=message.auto_comments,
            )
            if not known or not all(forms(known)):
                missing.append(f"{language}: {message.id}")
        with po_path(language).open("wb") as file:
            write_po(file, new, sort_output=True, include_lineno=False, width=100)
        mo_path(language).write_bytes(compiled(language))
    return missing


def forms(message: Message) -> tuple[str, ...]:
    """A message's translation, in each form where it has a plural; empty where it has none yet."""
    string = message.string
    return (string or "",) if isinstance(string, str | None) else tuple(string)


def _empty(language: str | None) -> Catalog:
    # Without times of its own, so that the same texts make the same files.
    return Catalog(
        locale=language,
        project="qabot",
        version="-",
        msgid_bugs_address="-",
        last_translator="-",
        language_team="-",
        charset="utf-8",
        fuzzy=False,
        header_comment="# Texts of qabot's Discord bot.",
        creation_date=_WRITTEN,
        revision_date=_WRITTEN,
    )


if __name__ == "__main__":
    left = renew()
    sys.stdout.writelines(f"to be translated: {line}\n" for line in left)
    sys.exit(1 if left else 0)
