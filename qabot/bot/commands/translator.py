"""Names commands in each reader's language."""

from __future__ import annotations

from discord import Locale
from discord.app_commands import TranslationContextTypes, Translator, locale_str

from qabot.render.translations import translation_or_none


class CommandTranslator(Translator):
    """Translates names and descriptions of commands, options and choices by the catalogues."""

    async def translate(
        self,
        string: locale_str,
        locale: Locale,
        context: TranslationContextTypes,  # noqa: ARG002 (discord.py passes it by place)
    ) -> str | None:
        """Look a text up; ``None`` makes Discord show the English one."""
        return translation_or_none(string.message, locale.value)
