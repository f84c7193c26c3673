"""The bot as a whole: shards, dropped gateways, commands registered only when they change."""

from __future__ import annotations

import discord
import pytest

from qabot.settings import Settings
from tests.bot.support import LAUNCHED, Member, make_bot, open_engine, shown
from tests.support import PATIENCE


class TestShards:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, shards=True)

    @pytest.mark.simcord(shard_count=2, settle_timeout=PATIENCE)
    async def test_a_sharded_bot_answers_in_all_its_shards(self, simcord_env, simcord_bot):
        assert isinstance(simcord_bot, discord.AutoShardedClient)
        for shard in (0, 1):
            guild = simcord_env.create_guild(f"Guild {shard}", shard_id=shard)
            person = Member(simcord_env, guild.create_text_channel("general"), f"ann{shard}")
            assert LAUNCHED in shown((await person.ask()).response)

    @pytest.mark.simcord(shard_count=2, settle_timeout=PATIENCE)
    async def test_a_gateway_that_drops_and_returns(self, simcord_env, simcord_bot):
        guild = simcord_env.create_guild(shard_id=1)
        person = Member(simcord_env, guild.create_text_channel("general"))
        answer = (await person.ask()).response
        shard = simcord_bot.get_shard(1)
        await shard.disconnect()
        await shard.reconnect()
        await simcord_env.settle()
        assert LAUNCHED in shown((await person.ask()).response)
        assert LAUNCHED in shown((await person.context(answer)).response)


def registrations(env) -> int:
    """How often the commands were registered."""
    return sum(request.method == "PUT" for request in env.http_requests)


async def test_commands_are_registered_when_they_change_and_at_no_other_time(
    simcord_env, settings, monkeypatch
):
    assert registrations(simcord_env) == 1
    for changed, expected in ((False, 1), (True, 2), (True, 2)):
        with open_engine(settings) as engine:
            bot = make_bot(engine, settings)
            if changed:

                @bot.tree.command(description="Another one.")
                async def another(interaction: discord.Interaction) -> None:
                    await interaction.response.send_message("x")

            await simcord_env.restart_bot(bot)
            assert registrations(simcord_env) == expected
            bot.services.close()


async def test_commands_that_cannot_be_registered_do_not_stop_the_bot(
    simcord_env, settings, caplog
):
    with open_engine(settings) as engine:
        bot = make_bot(engine, settings, sync_always=True)
        simcord_env.inject_error("PUT", "/applications/*/commands", status=403, code=50001)
        await simcord_env.restart_bot(bot)
        assert "try `qabot bot --sync` later" in caplog.text
        person = Member(simcord_env, simcord_env.create_guild().create_text_channel("general"))
        assert LAUNCHED in shown((await person.ask()).response)
        bot.services.close()


async def test_nothing_is_logged_of_questions_unless_that_is_turned_on(
    simcord_env, simcord_bot, settings, index, caplog
):
    channel = simcord_env.create_guild().create_text_channel("general")
    ann = Member(simcord_env, channel)
    await ann.ask("Who has a secret question?")
    assert "secret" not in caplog.text
    # What the buttons need goes with the month.
    await simcord_env.advance_time(33 * 24 * 3600)
    assert b"secret" not in simcord_bot.services.state.path.read_bytes()


async def test_logged_questions_stay(simcord_env, index):
    settings = Settings(index=str(index), threshold=0.0, log_questions=True)
    with open_engine(settings) as engine:
        bot = make_bot(engine, settings)
        await simcord_env.restart_bot(bot)
        ann = Member(simcord_env, simcord_env.create_guild().create_text_channel("general"))
        answer = (await ann.ask()).response
        await ann.click(answer, "👍")
        await simcord_env.advance_time(33 * 24 * 3600)
        (feedback,) = bot.services.state.feedback()
        assert feedback.question == "When was the telescope launched?"
        bot.services.close()
