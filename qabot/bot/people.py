"""The names of people who wrote lately, to leave questions to one of them alone."""

from __future__ import annotations

from collections import OrderedDict

import discord

_NAMES_KEPT, _CHANNELS_KEPT = 100, 500


class RecentNames:
    """Remembers who wrote in a channel lately; in memory only."""

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
        full = message.author.display_name.casefold()
        for name in (full, full.split(" ")[0], message.author.name.casefold()):
            names[name] = None
            names.move_to_end(name)
        while len(names) > _NAMES_KEPT:
            names.popitem(last=False)

    def of(self, channel_id: int) -> set[str]:
        """Return the names of people who wrote in a channel, in lower case, with first names."""
        return set(self._channels.get(channel_id, ()))
