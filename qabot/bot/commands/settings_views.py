"""The text of the ``/settings`` panel; pure."""

from __future__ import annotations

from collections.abc import Sequence

from qabot.bot.channels import person_of
from qabot.bot.store.records import GuildSettings
from qabot.render.discord import View
from qabot.render.markup import one_line
from qabot.render.translations import translate

# More channels than this are counted, not named.
_NAMED = 25


def settings_view(
    settings: GuildSettings,
    locale: str,
    *,
    hears: bool,
    collections: bool,
    gone: Sequence[str] = (),
) -> View:
    """Describe a server's settings in words.

    Args:
        hears: True if the bot has the message-content intent.
        collections: True if the articles are in collections.
        gone: Names of the settings that held channels or roles that were deleted.
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
        (
            translate("If I find nothing, people ask", locale),
            person_of(settings) or translate("nobody", locale),
        ),
    ]
    if collections:
        chosen = [f"<#{key}>: {one_line(name, 40)}" for key, name in settings.collections.items()]
        none = translate("all articles everywhere", locale)
        lines.append((translate("Collections", locale), ", ".join(chosen[:_NAMED]) or none))
    text = "\n".join(f"**{name}:** {value}" for name, value in lines)
    return View(
        translate("Settings of this server", locale),
        (text, *_gone(gone, locale), *_notes(settings, locale, hears)),
    )


def empty_states(locale: str) -> Sequence[str]:
    """Say on each menu of channels and roles what holds while nothing is chosen in it."""
    names = (
        (translate("I answer in", locale), translate("everywhere", locale)),
        (
            translate("I answer every question, unasked, in", locale),
            translate("nowhere", locale),
        ),
        (
            translate("I am managed by", locale),
            translate("people with Manage Server", locale),
        ),
    )
    return [f"{name}: {state}" for name, state in names]


def collection_view(channel: int, locale: str) -> View:
    """Ask which collection a channel is about."""
    text = translate("Questions in {channel} are about:", locale, channel=f"<#{channel}>")
    return View(translate("Collection", locale), (text,))


def person_view(locale: str) -> View:
    """Ask whom people are sent to if nothing is found."""
    text = translate("If I find nothing, I send people to a channel or a role:", locale)
    return View(translate("Ask a person …", locale), (text,))


def _gone(gone: Sequence[str], locale: str) -> Sequence[str]:
    if not gone:
        return ()
    labels = {
        "answer_channels": translate("I answer every question, unasked, in", locale),
        "allowed_channels": translate("I answer in", locale),
        "role_id": translate("I am managed by", locale),
        "collections": translate("Collections", locale),
        "person_channel_id": translate("If I find nothing, people ask", locale),
        "person_role_id": translate("If I find nothing, people ask", locale),
    }
    places = ", ".join(dict.fromkeys(f"“{labels[name]}”" for name in gone))
    return (
        translate(
            "⚠️ What was deleted on the server I have taken out of: {places}.",
            locale,
            places=places,
        ),
    )


def _notes(settings: GuildSettings, locale: str, hears: bool) -> Sequence[str]:
    notes = []
    allowed = settings.allowed_channels
    barred = [c for c in settings.answer_channels if allowed and c not in allowed]
    if barred:
        notes.append(
            translate(
                "⚠️ I am to answer every question in {channels}, but may not answer there.",
                locale,
                channels=_channels(barred),
            )
        )
    if settings.private and settings.threads:
        notes.append(translate("⚠️ Private answers never go into threads.", locale))
    if hears and settings.private and settings.answer_channels:
        notes.append(
            translate(
                "⚠️ Answers are private, so questions in {channels} are answered by direct "
                "messages, unasked.",
                locale,
                channels=_channels(settings.answer_channels),
            )
        )
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
