"""Commands under their names in the language of whoever reads them."""

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
        """What the catalogue has; ``None`` lets Discord show the English text."""
        return translation_or_none(string.message, locale.value)
