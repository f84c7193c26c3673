"""Choices that Discord offers while people type: at most 25, of 1 to 100 characters each."""

from __future__ import annotations

from discord.app_commands import Choice

from qabot.bot.article_list import article_name, key_of
from qabot.types import ArticleInfo

MOST_CHOICES, LONGEST_CHOICE = 25, 100


def article_choice(info: ArticleInfo) -> Choice[str]:
    """Offer an article by its title; its value is the id, or a key if the id is too long."""
    value = info.id if len(info.id) <= LONGEST_CHOICE else key_of(info)
    return Choice(name=article_name(info, LONGEST_CHOICE), value=value)


def words_choice(info: ArticleInfo, longest: int) -> Choice[str]:
    """Offer the title of an article as words to search for.

    Args:
        longest: Characters of the value.
    """
    words = " ".join(info.title.split())[:longest].strip() or info.id[:longest]
    return Choice(name=article_name(info, LONGEST_CHOICE), value=words)
