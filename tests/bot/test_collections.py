"""Questions that are limited to a collection, by an option or by the channel."""

from __future__ import annotations

import discord
import pytest

from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import make_bot, open_engine, shown
from tests.support import build_index, write_article

QUESTION = "What flew to Mars?"


@pytest.fixture
def settings(tmp_path) -> Settings:
    write_article(tmp_path / "news", "news", "The rocket flew to Mars.", title="News")
    write_article(tmp_path / "lore", "lore", "The dragon flew to Mars.", title="Lore")
    build_index(
        tmp_path / "index",
        collections={"lore": [tmp_path / "lore"], "news": [tmp_path / "news"]},
    )
    return Settings(index=str(tmp_path / "index"), threshold=0.0)


async def test_a_question_can_be_limited_to_a_collection(ann):
    answer = (await ann.ask(QUESTION)).response
    first = shown(answer)
    await ann.click(answer, "More quotes")
    both = first + shown(answer)
    assert "The rocket" in both
    assert "The dragon" in both
    text = shown((await ann.ask(QUESTION, collection="lore")).response)
    assert "The dragon" in text
    assert "The rocket" not in text


async def test_collections_are_offered_while_one_types(ann, channel):
    choices = await ann.actor.autocomplete(channel, "ask", "collection", "", question="x")
    assert [choice["value"] for choice in choices] == ["lore", "news"]
    choices = await ann.actor.autocomplete(channel, "ask", "collection", "LO", question="x")
    assert [choice["value"] for choice in choices] == ["lore"]
    # What one has typed is enough if only one fits.
    assert "The dragon" in shown((await ann.ask(QUESTION, collection="LO")).response)
    assert "There is no such" in shown((await ann.ask(QUESTION, collection="e")).response)


async def test_a_channel_can_have_a_collection(ann, channel, simcord_bot):
    await simcord_bot.services.guild_settings.save(
        channel.guild.id, GuildSettings(collections={channel.id: "news"})
    )
    assert "The dragon" not in shown((await ann.ask(QUESTION)).response)
    await ann.mention(QUESTION)
    assert "The dragon" not in shown(channel.last_message)
    # What a person asks for counts more.
    text = shown((await ann.ask(QUESTION, collection="lore")).response)
    assert "The rocket" not in text


async def test_a_follow_up_stays_in_the_collection(ann, channel):
    answer = (await ann.ask(QUESTION, collection="lore")).response
    form = await ann.click(answer, "Follow-up question")
    result = await ann.actor.submit_modal(form, {"question": "and what else?"})
    assert "The dragon" in shown(result.response)
    assert "The rocket" not in shown(result.response)


async def test_a_reply_stays_in_the_collection(ann, channel, simcord_bot):
    values = GuildSettings(collections={channel.id: "news"})
    await simcord_bot.services.guild_settings.save(channel.guild.id, values)
    await ann.mention(QUESTION)
    answer = channel.last_message
    await simcord_bot.services.guild_settings.save(channel.guild.id, GuildSettings())
    await ann.say("and what else?", reply_to=answer)
    assert "The rocket" in shown(channel.last_message)
    assert "The dragon" not in shown(channel.last_message)


async def test_a_collection_that_is_gone_is_told(ann):
    result = await ann.ask(QUESTION, collection="nothing")
    assert shown(result.response) == (
        f"There is no such collection of articles any more.\n>>> {QUESTION}"
    )


async def test_without_collections_there_is_no_such_option(simcord_env, index):
    settings = Settings(index=str(index))
    with open_engine(settings) as engine:
        bot = make_bot(engine, settings)
        await simcord_env.restart_bot(bot)
        command = bot.tree.get_command("ask")
        assert isinstance(command, discord.app_commands.Command)
        assert [parameter.name for parameter in command.parameters] == ["question", "private"]
        bot.services.close()
