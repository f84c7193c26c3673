"""Whom the bot answers, and what it takes for the question."""

from __future__ import annotations

import discord
import pytest

from qabot.bot.message_text import plain
from qabot.bot.question_detector import called_names, is_small_talk
from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import LAUNCH, LAUNCHED, Member, shown

PALMA = "Who erupted on La Palma?"
HOW_TO_ASK = "Mention me together with a question, or use `/ask`."


def replies(channel) -> list[str]:
    """What the bot said in a channel, in order."""
    return [shown(m) for m in channel.history() if m.author.bot]


async def configure(bot, channel, **values) -> None:
    await bot.services.guild_settings.save(channel.guild.id, GuildSettings(**values))


async def posted(member, forum):
    """A post of a member in a forum, whose question is its title alone: its thread."""
    backend = member.env.backend
    post = backend.create_thread(forum.id, LAUNCH, owner_id=member.actor.id)
    starter = backend.prepare_message(post.id, member.actor.id, "I read nothing of it.")
    starter.id = post.id
    backend.commit_message(starter)
    await member.env.settle()
    (thread,) = forum.threads
    return thread


# --- Small talk -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["thanks!", "ok", "that helped", "?", "👍", "1"])
async def test_small_talk_does_not_repeat_the_last_answer(ann, channel, text):
    await ann.mention()
    await ann.say(text, reply_to=channel.last_message)
    await ann.actor.send_dm(LAUNCH)
    await ann.actor.send_dm(text)
    assert len(replies(channel)) == 1
    assert sum(LAUNCHED in told for told in ann.direct_messages) == 1


async def test_someone_who_has_no_answer_yet_is_told_how_to_ask(ann, channel):
    await ann.mention("hello")
    assert replies(channel) == [HOW_TO_ASK]


async def test_someone_who_asks_about_the_bot_is_told_how_to_ask_it(ann, channel):
    await ann.mention()
    await ann.say("what can you do?", reply_to=channel.last_message)
    assert replies(channel)[1:] == [HOW_TO_ASK]


async def test_small_talk_is_no_question_to_a_command(ann):
    await ann.ask()
    result = await ann.ask("thanks!")
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "There is no question. Please type one.\n>>> thanks!",
    )


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("thanks!", True),
        ("that helped", True),
        ("!!!", True),
        ("7", True),
        ("thx", True),
        ("lol thx", True),
        ("what can you do?", True),
        ("was kannst du?", True),
        ("how do you do that?", False),
        ("where can you see it?", False),
        ("and when?", False),
        ("and why", False),
        ("telescope launch", False),
        ("refund?", False),
        ("E4", False),
        ("1984", False),
        ("wann", False),
        ("いつ", False),
    ],
)
def test_what_is_small_talk(text, small):
    assert is_small_talk(text) is small


# --- Channels where every question is answered ----------------------------------------------------


class TestOptedIn:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, message_content=True)

    @pytest.fixture
    async def channel(self, simcord_env, simcord_bot):
        channel = simcord_env.create_guild().create_text_channel("general")
        await configure(simcord_bot, channel, answer_channels=(channel.id,))
        return channel

    async def test_questions_to_a_person_are_left_alone(self, ann, channel):
        bob = Member(ann.env, channel, "bob")
        said = await bob.say("good morning, the telescope is up")
        for text in (
            f"<@{bob.actor.id}> when was the telescope launched?",
            "Bob, when was the telescope launched?",
            "hey bob, when was the telescope launched?",
            "when was the telescope launched, Bob?",
        ):
            await ann.say(text)
        await ann.say(LAUNCH, reply_to=said)
        assert replies(channel) == []
        await ann.say("Please, when was the telescope launched?")
        assert LAUNCHED in shown(channel.last_message)

    async def test_so_are_those_to_a_person_who_has_not_written(self, ann, channel):
        for name in ("Zoe", "Zoltan Nagy", "launcher"):
            channel.guild.add_member(ann.env.create_user(name))
        for text in (
            "Zoe, when was the telescope launched?",
            "hey zoltan, when was the telescope launched?",
            "when was the telescope launched, zoe?",
        ):
            await ann.say(text)
        assert replies(channel) == []
        # "Zo" begins a name and is none; the bot itself is no person.
        await ann.say("Zo, when was the telescope launched?")
        await ann.say(f"{ann.env.bot.user.name}, when was the telescope launched?")
        assert len(replies(channel)) == 2

    async def test_a_question_of_function_words_is_for_nobody(self, ann, channel):
        await ann.say(LAUNCH)
        await ann.say("what time is it?")
        assert len(replies(channel)) == 1

    async def test_in_its_own_thread_no_mention_is_needed(self, ann, channel, simcord_bot):
        await configure(simcord_bot, channel, threads=True)
        await ann.mention()
        (thread,) = channel.threads
        ann.channel = thread
        await ann.say(PALMA)
        assert "La Palma erupted" in shown(thread.last_message)
        bob = Member(ann.env, channel, "bob")
        bob.channel = thread
        for text in ("thanks!", f"<@{ann.actor.id}> do you know that volcano?"):
            await bob.say(text)
        assert len(replies(thread)) == 2

    async def test_a_helper_who_mentions_the_bot_means_the_question_replied_to(self, ann, channel):
        question = await ann.say("telescope launch date please")
        bob = Member(ann.env, channel, "bob")
        await bob.mention("", reply_to=question)
        assert LAUNCHED in shown(channel.last_message)

    async def test_that_question_may_be_a_file_or_a_forwarded_message(self, ann, channel):
        bob = Member(ann.env, channel, "bob")
        file = await ann.say("", attachments=[("message.txt", LAUNCH.encode())])
        await bob.mention("", reply_to=file)
        assert LAUNCHED in replies(channel)[0]
        said = await ann.say("telescope launch date please")
        await bob.mention("", reply_to=await ann.actor.forward(said, channel))
        assert LAUNCHED in replies(channel)[1]

    async def test_that_question_may_be_the_title_of_a_forum_post(self, ann, channel):
        thread = await posted(ann, channel.guild.create_forum_channel("help"))
        bob = Member(ann.env, channel, "bob")
        bob.channel = thread
        await bob.mention("", reply_to=thread.history()[0])
        assert LAUNCHED in shown(thread.last_message)

    async def test_the_title_of_a_forum_post_is_a_part_of_the_question(
        self, ann, channel, simcord_bot
    ):
        forum = channel.guild.create_forum_channel("help")
        await configure(simcord_bot, channel, answer_channels=(forum.id,))
        thread = await posted(ann, forum)
        assert LAUNCHED in shown(thread.last_message)

    async def test_a_mention_of_its_role_counts(self, ann, channel, simcord_bot):
        role = channel.guild.create_role("qabot")
        await ann.env.settle()
        # simcord makes no role for a bot, as Discord does.
        known = simcord_bot.get_guild(channel.guild.id).get_role(role.id)
        known.tags = discord.RoleTags({"bot_id": str(simcord_bot.user.id)})
        await ann.say(f"<@&{role.id}>, telescope launch date please")
        assert LAUNCHED in shown(channel.last_message)
        assert "<@" not in shown(channel.last_message)


class TestNothingFoundUnasked:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=1.0, message_content=True)

    async def test_nothing_is_said_unless_the_bot_was_asked(self, ann, channel, simcord_bot):
        await configure(simcord_bot, channel, answer_channels=(channel.id,))
        await ann.say("Which spices belong in a green curry?")
        assert replies(channel) == []
        await ann.mention("Which spices belong in a green curry?")
        assert len(replies(channel)) == 1


# --- What is taken for the question ---------------------------------------------------------------


async def test_without_the_intent_a_helper_is_shown_another_way(ann, channel):
    question = await ann.say(LAUNCH)
    bob = Member(ann.env, channel, "bob")
    await bob.mention("", reply_to=question)
    assert replies(channel) == [
        "Discord does not show me that message. Open its menu → Apps → “Ask the articles about "
        "this”, or mention me together with the question."
    ]


async def test_the_menu_of_a_forwarded_message_asks_what_it_forwards(ann, channel):
    message = await ann.say(LAUNCH)
    other = channel.guild.create_text_channel("other")
    forwarded = await ann.actor.forward(message, other)
    result = await ann.actor.context_menu(other, "Ask the articles about this", forwarded)
    assert LAUNCHED in shown(result.response)


async def test_a_message_that_discord_made_a_file_of_is_read(ann, channel):
    await ann.mention("", attachments=[("message.txt", LAUNCH.encode())])
    assert LAUNCHED in shown(channel.last_message)


async def test_an_edit_that_adds_the_mention_is_answered(ann, channel, simcord_bot):
    message = await ann.say(LAUNCH)
    await ann.actor.edit(message, f"<@{simcord_bot.user.id}> {LAUNCH}")
    assert LAUNCHED in shown(channel.last_message)


async def test_an_edit_that_repairs_the_question_changes_the_answer(ann, channel, simcord_bot):
    message = await ann.mention(PALMA)
    await ann.actor.edit(message, f"<@{simcord_bot.user.id}> {LAUNCH}")
    (answer,) = replies(channel)
    assert LAUNCHED in answer
    # The same text again, as when Discord adds a preview, changes nothing.
    requests = len(ann.env.http_requests)
    await ann.actor.edit(message, f"<@{simcord_bot.user.id}>  {LAUNCH}")
    assert len(ann.env.http_requests) == requests


async def test_an_edit_of_an_old_message_asks_nothing(ann, channel, simcord_bot):
    message = await ann.say(LAUNCH)
    await ann.env.advance_time(16 * 60)
    await ann.actor.edit(message, f"<@{simcord_bot.user.id}> {LAUNCH}")
    assert replies(channel) == []


async def test_raw_ids_reach_neither_titles_nor_threads_nor_the_search(ann, channel, simcord_bot):
    await configure(simcord_bot, channel, threads=True)
    bob = Member(ann.env, channel, "bob")
    await ann.say(
        f"<@{simcord_bot.user.id}>, when <:sad:123> did <@{bob.actor.id}> in <#{channel.id}> "
        "<t:5:R> launch the telescope?"
    )
    (thread,) = channel.threads
    assert thread.name == "when did bob in general launch the telescope?"
    result = await ann.ask("<@123> when was the telescope launched? <a:yes:5>", private=True)
    assert result.response.embeds[0].title == "when was the telescope launched?"
    assert simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0)[-1] == (
        "when was the telescope launched?"
    )


@pytest.mark.parametrize(
    "text", ["<@{}>, {}", "<@!{}>: {}", "{1} <@{0}>", "<@{}>،  {}", "Hello <@{}>，\n{}"]
)
async def test_its_own_mention_is_taken_off_everywhere(ann, channel, simcord_bot, text):
    text = text.format(simcord_bot.user.id, LAUNCH)
    message = await ann.say(text)
    await ann.actor.context_menu(channel, "Ask the articles about this", message)
    await ann.ask(text)
    await ann.actor.send_dm(text)
    state = simcord_bot.services.state
    direct = ann.actor.user.dm_channel.id
    asked = [
        *state.conversation(channel.id, ann.actor.id, 0),
        *state.conversation(direct, ann.actor.id, 0),
    ]
    assert [question.removeprefix("Hello ") for question in asked] == [LAUNCH] * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <@!5> b", "a Ann b"),
        ("a <@6> b", "a b"),
        ("</ask:77> it", "/ask it"),
        ("<id:browse> <t:1700000000> x", "x"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("https://discord.com/channels/1/2/3 why?", "why?"),
        ("see <https://ptb.discord.com/channels/@me/2>.", "see ."),
        ("<@6>, when?", "when?"),
        ("<@!5>, when?", "Ann, when?"),
        ("hi <:wave:7> : when?", "hi when?"),
    ],
)
def test_ids_become_names(text, expected):
    assert plain(text, {5: "Ann"}) == expected


@pytest.mark.parametrize(
    ("text", "called"),
    [("Ann, when?", True), ("when, ann?", True), ("Ann when?", False), ("One, two, ann, 3", False)],
)
def test_who_is_called(text, called):
    assert ("ann" in called_names(text)) is called
