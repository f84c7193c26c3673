"""The language of each person, as last seen: messages do not say it."""

from __future__ import annotations

from typing import Any

import discord

_MOST = 10_000
_DEFAULT = "en-US"


class Locales:
    """Remembers the languages of people who used commands and buttons; in memory only."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    def see(self, interaction: discord.Interaction[Any]) -> None:
        """Remember a person's language."""
        self._known.pop(interaction.user.id, None)
        self._known[interaction.user.id] = interaction.locale.value
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]

    def forget(self, user_id: int) -> None:
        """Forget a person's language."""
        self._known.pop(user_id, None)

    def of(self, message: discord.Message) -> str:
        """Return the author's language; the server's if it was never seen."""
        known = self._known.get(message.author.id)
        return known or (message.guild.preferred_locale.value if message.guild else _DEFAULT)
