"""What the tests of the bot share."""

from __future__ import annotations

from qabot.bot import create_bot
from qabot.bot.client import Bot
from qabot.bot.protocols import Engine, Rebuild
from qabot.settings import Settings


def make_bot(engine: Engine, settings: Settings, rebuild: Rebuild | None = None) -> Bot:
    """A bot that is not started yet."""
    return create_bot(engine, settings, rebuild=rebuild)


def shown(message) -> str:
    """All text that a person reads in a message: content, embeds, labels of buttons."""
    parts = [message.content]
    for embed in message.embeds:
        parts += [embed.title, embed.description]
        for field in embed.fields:
            parts += [field.name, field.value]
        parts.append(embed.footer.text)
    return "\n".join(part for part in parts if part)
