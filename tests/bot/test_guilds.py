"""Guilds with settings of their own: privacy, places, threads, channels that opted in."""

from __future__ import annotations

import discord
import pytest

from qabot.bot.question_detector import looks_like_question
from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import LAUNCH, LAUNCHED, Member, make_bot, shown


async def configure(bot, channel, **values) -> None:
    await bot.services.guild_settings.save(channel.guild.id, GuildSettings(**values))


async def test_guilds_do_not_share_settings(ann, channel, simcord_bot):
    elsewhere = ann.env.create_guild("Another").create_text_channel("general")
    bob = Member(ann.env, elsewhere, "bob")
    await configure(simcord_bot, elsewhere, private=True)
    assert not (await ann.ask()).ephemeral
    assert (await bob.ask()).ephemeral
    # What a person asks for counts more.
    assert not (await bob.ask(private=False)).ephemeral


async def test_settings_last_through_a_restart(ann, channel, simcord_bot, engine, settings):
    await configure(simcord_bot, channel, private=True)
    bot = make_bot(engine, settings)
    await ann.env.restart_bot(bot)
    assert (await ann.ask()).ephemeral
    bot.services.close()


# --- Private guilds -------------------------------------------------------------------------------


async def test_in_a_private_guild_a_mention_is_answered_in_a_direct_message(
    ann, channel, simcord_bot
):
    await configure(simcord_bot, channel, private=True)
    await ann.mention()
    assert len(channel.history()) == 1
    (told,) = ann.direct_messages
    assert LAUNCHED in told


async def test_where_that_is_closed_the_channel_names_the_command(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, private=True)
    closed = f"/channels/{ann.actor.user.dm_channel.id}/messages"
    ann.env.inject_error("POST", closed, status=403, code=50007)
    await ann.mention()
    assert shown(channel.last_message) == (
        "Answers are private on this server, and I cannot send you direct messages. "
        "Ask with `/ask`."
    )


# --- Places ---------------------------------------------------------------------------------------


async def test_where_the_bot_may_not_answer_it_says_where_it_may(ann, channel, simcord_bot):
    questions = channel.guild.create_text_channel("questions")
    await configure(simcord_bot, channel, allowed_channels=(questions.id,))
    result = await ann.ask()
    assert result.ephemeral
    assert shown(result.response) == (
        f"I may not answer in this channel. Ask me in <#{questions.id}>.\n>>> {LAUNCH}"
    )
    await ann.mention()
    await ann.mention()
    assert ann.direct_messages == [
        f"I may not answer in <#{channel.id}>. Ask me in <#{questions.id}>."
    ]
    # None of the three was answered for others to see.
    assert len(channel.history(viewer=Member(ann.env, channel, "bob").actor)) == 2
    ann.channel = questions
    assert LAUNCHED in shown((await ann.ask()).response)


# --- Threads --------------------------------------------------------------------------------------


async def test_a_mention_is_answered_in_a_thread(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, threads=True)
    await ann.mention()
    (thread,) = channel.threads
    assert thread.name == LAUNCH
    assert LAUNCHED in shown(thread.last_message)
    # The conversation goes on there.
    ann.channel = thread
    await ann.mention("and why?")
    assert LAUNCHED in shown(thread.last_message)
    assert len(thread.history()) == 3
    assert len(channel.threads) == 1


async def test_a_long_question_makes_a_short_name(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, threads=True)
    await ann.mention("why " * 300)
    (thread,) = channel.threads
    assert thread.name == f"{'why ' * 24}why…"


async def test_a_command_is_answered_in_a_thread(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, threads=True)
    result = await ann.ask()
    assert shown(result.response) == f"The answer to “{LAUNCH}” is in the thread."
    (thread,) = channel.threads
    assert LAUNCHED in shown(thread.last_message)
    # What is private stays where it is.
    result = await ann.ask(private=True)
    assert LAUNCHED in shown(result.response)
    assert len(channel.threads) == 1


async def test_without_permission_for_threads_answers_are_inline(ann, channel, simcord_bot):
    overwrite = discord.PermissionOverwrite(create_public_threads=False)
    plain = channel.guild.create_text_channel("plain", overwrites={channel.guild.me: overwrite})
    await configure(simcord_bot, channel, threads=True)
    ann.channel = plain
    await ann.mention()
    assert LAUNCHED in shown(plain.last_message)
    assert LAUNCHED in shown((await ann.ask()).response)
    assert plain.threads == []


# --- Channels that opted in -----------------------------------------------------------------------


async def test_without_the_intent_opted_in_channels_stay_silent(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, answer_channels=(channel.id,))
    assert not simcord_bot.intents.message_content
    await ann.say(LAUNCH)
    assert len(channel.history()) == 1


class TestOptedIn:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, message_content=True)

    async def test_questions_are_answered_and_nothing_else(self, ann, channel, simcord_bot):
        await configure(simcord_bot, channel, answer_channels=(channel.id,))
        for text in (
            "good morning everyone",
            "really?",
            "see https://example.org/?q=1 and this",
            "`what is this?`",
        ):
            await ann.say(text)
        assert len(channel.history()) == 4
        await ann.say(LAUNCH)
        assert LAUNCHED in shown(channel.last_message)

    async def test_only_the_channels_that_opted_in(self, ann, channel, simcord_bot):
        other = channel.guild.create_text_channel("other")
        await configure(simcord_bot, channel, answer_channels=(channel.id,))
        ann.channel = other
        await ann.say(LAUNCH)
        assert len(other.history()) == 1

    async def test_bots_are_ignored_there_too(self, ann, channel, simcord_bot):
        await configure(simcord_bot, channel, answer_channels=(channel.id,))
        robot = channel.guild.add_member(ann.env.create_user("robot", bot=True))
        await robot.send(channel, LAUNCH)
        assert len(channel.history()) == 1

    async def test_threads_of_an_opted_in_channel_count(self, ann, channel, simcord_bot):
        await configure(simcord_bot, channel, answer_channels=(channel.id,), threads=True)
        await ann.say(LAUNCH)
        (thread,) = channel.threads
        ann.channel = thread
        await ann.say("And when did the volcano erupt on La Palma?")
        assert "The volcano on La Palma erupted" in shown(thread.last_message)

    async def test_a_forum_post_gets_one_reply(self, ann, channel, simcord_bot):
        forum = channel.guild.create_forum_channel("help")
        await configure(simcord_bot, channel, answer_channels=(forum.id,))
        backend = ann.env.backend
        post = backend.create_thread(forum.id, "Launch", owner_id=ann.actor.id)
        starter = backend.prepare_message(post.id, ann.actor.id, LAUNCH)
        starter.id = post.id  # As Discord has it, which simcord does for the bot's own posts only.
        backend.commit_message(starter)
        await ann.env.settle()
        (ann.channel,) = forum.threads
        await ann.say("And how wide is its mirror, does anybody know?")
        _, answer, _ = ann.channel.history()
        assert LAUNCHED in shown(answer)
        # Unless it is asked.
        await ann.mention("How wide is its mirror?")
        assert "Its mirror is 6.5 metres wide" in shown(ann.channel.last_message)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("When was it launched?", True),
        ("When was it launched? I forgot.", True),
        ("望遠鏡はいつ打ち上げられましたか", True),
        ("望遠鏡はいつ？", True),
        ("متى أطلق التلسكوب؟", True),
        ("Πότε εκτοξεύτηκε το τηλεσκόπιο;", True),
        ("**Why did the rocket fail?**", True),
        ("lol?", False),
        ("what?!", False),
        ("done; next one is tomorrow", False),
        ("x = a ? b : c", False),
        ("```\nis this code?\n```", False),
        ("I wonder when it was launched.", False),
        ("", False),
    ],
)
def test_what_looks_like_a_question(text, asks):
    assert looks_like_question(text) is asks
