"""People's names, to leave questions to one of them alone."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator, Set

import discord

from qabot.text import function_word_languages, function_words

_NAMES_KEPT, _CHANNELS_KEPT = 100, 500
# Discord is asked about no more words of one message, and for no longer.
_WORDS_ASKED, _SECONDS_TO_ASK = 4, 2.0
_MOST_MEMBERS = 25

_log = logging.getLogger(__name__)


class People:
    """Knows the people of a guild by their names: those who wrote lately, and those it asks for.

    The names are in memory only.
    """

    def __init__(self) -> None:
        self._channels: OrderedDict[int, OrderedDict[str, None]] = OrderedDict()

    def note(self, message: discord.Message) -> None:
        """Remember the author of a message."""
        if message.guild is None or message.author.bot:
            return
        names = self._channels.setdefault(message.channel.id, OrderedDict())
        self._channels.move_to_end(message.channel.id)
        if len(self._channels) > _CHANNELS_KEPT:
            self._channels.popitem(last=False)
        for name in _names(message.author):
            names[name] = None
            names.move_to_end(name)
        while len(names) > _NAMES_KEPT:
            names.popitem(last=False)

    def forget(self, person: discord.abc.User) -> None:
        """Forget a person's names."""
        for names in self._channels.values():
            for name in _names(person):
                names.pop(name, None)

    async def are_any(self, words: Set[str], message: discord.Message) -> bool:
        """Return whether one of these words, in lower case, is the name of somebody there."""
        if not words.isdisjoint(self._channels.get(message.channel.id, ())):
            return True
        # Names that are function words, too, would be asked for again and again.
        asked = [word for word in sorted(words, key=len) if word.isalpha() and not _is_common(word)]
        if message.guild is None or not asked:
            return False
        guild = message.guild
        known: set[str] = set()
        try:
            # Finding members by the beginning of their names needs no intent.
            async with asyncio.timeout(_SECONDS_TO_ASK):
                for word in asked[:_WORDS_ASKED]:
                    found = await guild.query_members(word, limit=_MOST_MEMBERS, cache=False)
                    for member in found:
                        known.update(() if member.bot else _names(member))
        except (TimeoutError, discord.DiscordException, OSError) as error:
            _log.info("Discord did not find people by name: %s", error)
        return not words.isdisjoint(known)


def _names(person: discord.abc.User) -> Iterator[str]:
    """Yield a person's full name, first name and user name, in lower case."""
    full = person.display_name.casefold()
    yield from (full, full.split(" ")[0], person.name.casefold())


def _is_common(word: str) -> bool:
    return any(word in function_words(language) for language in function_word_languages())
