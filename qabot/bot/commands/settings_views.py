"""The text of the ``/settings`` panel; pure."""

from __future__ import annotations

from collections.abc import Sequence

from qabot.bot.store.records import GuildSettings
from qabot.render.discord import View
from qabot.render.markup import one_line
from qabot.render.translations import translate

# More channels than this are counted, not named.
_NAMED = 25


def settings_view(settings: GuildSettings, locale: str, *, hears: bool, collections: bool) -> View:
    """Describe a server's settings in words.

    Args:
        hears: True if the bot has the message-content intent.
        collections: True if the articles are in collections.
    """
    everywhere = translate("everywhere", locale)
    nowhere = translate("nowhere", locale)
    lines = [
        (translate("I answer in", locale), _channels(settings.allowed_channels) or everywhere),
        (
            translate("I answer every question, unasked, in", locale),
            _channels(settings.answer_channels) or nowhere,
        ),
        (translate("In threads", locale), _yes_no(settings.threads, locale)),
        (translate("In private", locale), _yes_no(settings.private, locale)),
        (translate("I am managed by", locale), _managers(settings, locale)),
    ]
    if collections:
        chosen = [f"<#{key}>: {one_line(name, 100)}" for key, name in settings.collections.items()]
        none = translate("all articles everywhere", locale)
        lines.append((translate("Collections", locale), ", ".join(chosen[:_NAMED]) or none))
    text = "\n".join(f"**{name}:** {value}" for name, value in lines)
    return View(
        translate("Settings of this server", locale), (text, *_notes(settings, locale, hears))
    )


def collection_view(channel: int, locale: str) -> View:
    """Ask which collection a channel is about."""
    text = translate("Questions in {channel} are about:", locale, channel=f"<#{channel}>")
    return View(translate("Collection", locale), (text,))


def _notes(settings: GuildSettings, locale: str, hears: bool) -> Sequence[str]:
    notes = []
    if not hears:
        notes.append(
            translate(
                "Answering every question needs the message-content intent, which is off. Whoever "
                "runs me can turn it on: in the Developer Portal (Bot → Message Content Intent) "
                "and by the setting `message_content = true`.",
                locale,
            )
        )
    if settings.role_id is not None:
        notes.append(
            translate(
                "Discord hides these commands from people without Manage Server. To show them to "
                "the role too: Server Settings → Integrations → my name → add the role.",
                locale,
            )
        )
    return notes


def _managers(settings: GuildSettings, locale: str) -> str:
    people = translate("people with Manage Server", locale)
    return people if settings.role_id is None else f"{people}, <@&{settings.role_id}>"


def _channels(ids: Sequence[int]) -> str:
    names = [f"<#{channel}>" for channel in ids[:_NAMED]]
    return ", ".join(names + [f"+ {len(ids) - _NAMED}"] * (len(ids) > _NAMED))


def _yes_no(value: bool, locale: str) -> str:
    return translate("yes", locale) if value else translate("no", locale)
