"""Asking, in every way that Discord has for it."""

from __future__ import annotations

from tests.bot.support import shown

LAUNCH = "When was the telescope launched?"


async def test_ask_answers_with_a_quote(simcord_env):
    channel = simcord_env.create_guild().create_text_channel("general")
    ann = simcord_env.guild.add_member(simcord_env.create_user("ann"))
    result = await ann.slash(channel, "ask", question=LAUNCH)
    assert result.acknowledged
    assert not result.ephemeral
    assert "> The telescope was launched in December 2021 from French Guiana." in shown(
        result.response
    )
