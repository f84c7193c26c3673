"""Reads the question in a message, wherever it stands, without Discord's raw ids."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import discord

from qabot.bot.interactions import UNDELIVERED

# People put one after the name of whom they call.
_COMMA = "[,:;，、،]"
# <@1>, <@!1>, <@&1>, <#1>, <:name:1>, <a:name:1>, <t:1:R>, </command:1>, <id:customize>, and links
# to messages.
_RAW = re.compile(
    r"(?:<(?:(?:@[!&]?|\#)(?P<id>\d+)|a?:\w+:\d+|t:-?\d+(?::\w)?"
    r"|/(?P<command>[^:<>\n]+):\d+|id:\w+)>"
    r"|<?https?://(?:\w+\.)?discord(?:app)?\.com/channels/[\w@/]+>?)"
    rf"(?P<comma>\s*{_COMMA})?"
)
# Discord turns a longer message into this file.
_LONG_MESSAGE = "message.txt"
_LARGEST = 64 * 1024

_log = logging.getLogger(__name__)


async def question_of(message: discord.Message, user: discord.abc.User | None) -> str:
    """Return the question that a message puts to the bot; empty if there is none.

    It is the message's own text, a forwarded text, the file of a long message, or the same of the
    person's message that it replies to; a forum post begins with its title.

    Args:
        user: The bot's own user.
    """
    text = await _whole_text(message, user)
    original = replied_to(message)
    if not text and original is not None and (user is None or original.author != user):
        text = await _whole_text(original, user)
    return text


async def _whole_text(message: discord.Message, user: discord.abc.User | None) -> str:
    """Return the text of a message or of its file, after the title if it begins a forum post."""
    return (_title(message) + (own_text(message, user) or await _attached(message))).strip()


def own_text(message: discord.Message, user: discord.abc.User | None) -> str:
    """Return the text of a message, or the text that it forwards, without raw ids."""
    names = _names(message)
    mentions = _own_mentions(message, user)
    text = plain(mentions.sub(" ", message.content) if mentions else message.content, names)
    if not text and message.message_snapshots:
        text = plain("\n".join(part.content for part in message.message_snapshots), names)
    return text


def replied_to(message: discord.Message) -> discord.Message | None:
    """Return the message that ``message`` replies to, if Discord sent it along."""
    if message.type is not discord.MessageType.reply or message.reference is None:
        return None
    resolved = message.reference.resolved
    return resolved if isinstance(resolved, discord.Message) else None


def is_own_role(role: discord.Role, user: discord.abc.User) -> bool:
    """Return whether ``role`` is the one that Discord made for the bot."""
    return role.tags is not None and role.tags.bot_id == user.id


def plain(text: str, names: Mapping[int, str] | None = None) -> str:
    """Replace raw ids by names, or drop them: nobody means them, and no article holds them.

    Whatever is dropped takes the comma after it along.

    Args:
        names: Id → name of people, roles and channels.
    """

    def name(match: re.Match[str]) -> str:
        known = (names or {}).get(int(match["id"])) if match["id"] else None
        if match["command"]:
            known = f"/{match['command']}"
        return " " if known is None else f"{known}{match['comma'] or ''}"

    return re.sub(r"[^\S\n]+", " ", _RAW.sub(name, text)).strip()


def _own_mentions(
    message: discord.Message, user: discord.abc.User | None
) -> re.Pattern[str] | None:
    """Match mentions of the bot and of its role, with the comma that people put after them."""
    if user is None:
        return None
    roles = [rf"@&{role.id}" for role in message.role_mentions if is_own_role(role, user)]
    return re.compile(rf"<(?:{'|'.join([rf'@!?{user.id}', *roles])})>\s*{_COMMA}?")


def _names(message: discord.Message) -> dict[int, str]:
    named = [*message.role_mentions, *message.channel_mentions]
    return {
        **{person.id: person.display_name for person in message.mentions},
        **{thing.id: thing.name for thing in named},
    }


def _title(message: discord.Message) -> str:
    """Return the title of a forum post, for its first message."""
    channel = message.channel
    if not isinstance(channel, discord.Thread) or message.id != channel.id:
        return ""
    return f"{channel.name}\n" if isinstance(channel.parent, discord.ForumChannel) else ""


async def _attached(message: discord.Message) -> str:
    """Return the text of a message that was so long that Discord made a file of it."""
    for file in message.attachments:
        if file.filename == _LONG_MESSAGE and file.size <= _LARGEST:
            try:
                return plain((await file.read()).decode("utf-8", "replace"), _names(message))
            except UNDELIVERED as error:
                _log.info("%s could not be fetched: %s", _LONG_MESSAGE, error)
    return ""
