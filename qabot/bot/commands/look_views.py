"""The texts of ``/status`` and ``/help``; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from qabot.render.discord import View
from qabot.render.markup import inert
from qabot.render.translations import language_name, number_text, translate

if TYPE_CHECKING:
    from qabot.index import Manifest

# More languages than this are counted, not named.
_NAMED = 12


def status_view(
    manifest: Manifest,
    locale: str,
    rebuilds: Sequence[tuple[str, str]] = (),
    *,
    manages: bool = False,
) -> View:
    """Show what the live generation holds and how old it is; to managers, also what made it.

    Args:
        rebuilds: Further rows: names and values.
    """
    built = int(datetime.fromisoformat(manifest.created).timestamp())
    lines = [
        (translate("Articles", locale), number_text(manifest.articles, locale)),
        (translate("Languages", locale), _languages(manifest, locale)),
        # Discord shows a time in each reader's zone and language.
        (translate("Built", locale), f"<t:{built}:f> (<t:{built}:R>)"),
        *rebuilds,
    ]
    if manages:
        lines += [
            (translate("Passages", locale), number_text(manifest.passages, locale)),
            (translate("Generation", locale), number_text(manifest.generation, locale)),
            (translate("Model", locale), inert(manifest.encoder.name)),
        ]
    text = "\n".join(f"**{name}:** {value}" for name, value in lines)
    return View(translate("Status", locale), (text,))


def help_view(locale: str) -> View:
    """Show how to ask, what else there is, and what is stored."""
    ask, articles, show = (translate(name, locale) for name in ("ask", "articles", "show"))
    status, forget = (translate(name, locale) for name in ("status", "forget-me"))
    parts = (
        translate(
            "I answer questions by quoting the articles, word for word. Ask in any language.",
            locale,
        ),
        "\n".join(
            (
                translate("**Ask:** `/{ask}`, mention me, or send me a message.", locale, ask=ask),
                translate(
                    "**A message asks it already:** its menu → Apps → "
                    "“Ask the articles about this”.",
                    locale,
                ),
                translate(
                    "**Go on:** the buttons below an answer show more quotes, their context, and "
                    "take a follow-up question. You may also reply to my answer.",
                    locale,
                ),
                translate(
                    "**Look around:** `/{articles}`, `/{show}`, `/{status}`.",
                    locale,
                    articles=articles,
                    show=show,
                    status=status,
                ),
            )
        ),
        translate(
            "For a month I keep my answers with their questions, for the buttons. "
            "`/{forget}` removes what I have of you.",
            locale,
            forget=forget,
        ),
    )
    return View(translate("How to use me", locale), parts)


def _languages(manifest: Manifest, locale: str) -> str:
    counts = sorted(manifest.languages.items(), key=lambda item: (-item[1], item[0]))
    names = [f"{language_name(code, locale)} ({count})" for code, count in counts[:_NAMED]]
    if len(counts) > _NAMED:
        names.append(f"+ {number_text(len(counts) - _NAMED, locale)}")
    return ", ".join(names)
