"""Asking, in every way that Discord has for it."""

from __future__ import annotations

import pytest

from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import LAUNCH, LAUNCHED, Member, components, labels, shown
from tests.support import rocket_index


def answer_to(message, channel):
    """The bot's reply to a message, in its channel."""
    return next(
        m for m in channel.history() if m.reference and m.reference.message_id == message.id
    )


# --- The ways -------------------------------------------------------------------------------------


async def test_ask_shows_a_quote_with_where_it_is_from(ann):
    result = await ann.ask()
    assert not result.ephemeral
    text = shown(result.response)
    assert text.startswith(f"**{LAUNCHED}**\n")
    assert "\ntelescope\n-# as of Dec 25, 2021 · " in text
    assert f"\n{LAUNCH}\n> **{LAUNCHED}**\n" in text


async def test_ask_in_private_is_seen_by_one_person(ann, channel):
    result = await ann.ask(private=True)
    assert result.ephemeral
    assert LAUNCHED in shown(result.response)
    bob = Member(ann.env, channel, "bob")
    assert channel.history(viewer=bob.actor) == []


async def test_a_mention_is_answered_by_a_reply(ann, channel):
    message = await ann.mention()
    assert LAUNCHED in shown(answer_to(message, channel))


async def test_a_direct_message_is_answered(ann):
    await ann.actor.send_dm(LAUNCH)
    (answer,) = ann.direct_messages
    assert LAUNCHED in answer


async def test_the_menu_of_a_message_asks_it(ann, channel):
    message = await ann.say(LAUNCH)
    bob = Member(ann.env, channel, "bob")
    result = await bob.actor.context_menu(channel, "Ask the articles about this", message)
    assert LAUNCHED in shown(result.response)


async def test_a_reply_to_an_answer_is_a_follow_up(ann, channel):
    first = answer_to(await ann.mention("Who erupted on La Palma?"), channel)
    bob = Member(ann.env, channel, "bob")
    message = await bob.say("and when was that?", reply_to=first)
    # By itself it would be about nothing; both articles have a month in them.
    text = shown(answer_to(message, channel))
    assert "\nvolcano\n" in text
    assert "\n> **The volcano on La Palma erupted" in text
    # Whoever reads it sees the question above it.
    assert "and when was that?" not in text


async def test_questions_of_others_are_not_stored_with_ones_own(ann, channel, simcord_bot):
    first = answer_to(await ann.mention("Who erupted on La Palma?"), channel)
    bob = Member(ann.env, channel, "bob")
    second = answer_to(await bob.say("and when was that?", reply_to=first), channel)
    form = await bob.click(first, "Follow-up question")
    await bob.actor.submit_modal(form, {"question": "and why?"})
    simcord_bot.services.state.forget_user(ann.actor.id)
    kept = simcord_bot.services.state.answer_by_message(second.id)
    assert (kept.question, kept.previous) == ("and when was that?", ())
    assert b"Palma?" not in simcord_bot.services.state.path.read_bytes()


async def test_all_ways_give_the_same_answer(ann, channel):
    def quotes(message):
        # A command's question is seen by nobody else.
        return message.content, {**message.embeds[0].to_dict(), "title": ""}

    slash = quotes((await ann.ask()).response)
    mention = quotes(answer_to(await ann.mention(), channel))
    message = await ann.say(LAUNCH)
    menu = await ann.actor.context_menu(channel, "Ask the articles about this", message)
    await ann.actor.send_dm(LAUNCH)
    direct = quotes(ann.actor.user.dm_channel.history()[-1])
    assert slash == mention == quotes(menu.response) == direct


# --- Who is not answered --------------------------------------------------------------------------


async def test_nobody_is_answered_unasked(ann, channel):
    await ann.say(LAUNCH)
    await ann.say("@everyone when was the telescope launched?")
    assert [m.author.id for m in channel.history()] == [ann.actor.id] * 2


async def test_bots_and_webhooks_are_not_answered(simcord_env, ann, channel):
    robot = channel.guild.add_member(simcord_env.create_user("robot", bot=True))
    await robot.send(channel, f"<@{simcord_env.bot.user.id}> {LAUNCH}")
    webhook = channel.guild.create_webhook(channel)
    await webhook.send(f"<@{simcord_env.bot.user.id}> {LAUNCH}")
    assert len(channel.history()) == 2


async def test_a_mention_without_a_question_is_told_how_to_ask(ann, channel):
    message = await ann.mention("")
    assert shown(answer_to(message, channel)) == (
        "Mention me together with a question, or use `/ask`."
    )


async def test_a_reply_that_discord_hides_is_told_of_the_button(ann, channel):
    slash = await ann.ask()
    message = await ann.say("and when was that?", reply_to=slash.response)
    assert "Press “Follow-up question” below my answer" in shown(answer_to(message, channel))


# --- Questions ------------------------------------------------------------------------------------


async def test_a_question_of_4000_characters_is_refused_in_private(ann, channel):
    result = await ann.ask("why " * 1000)
    assert result.ephemeral
    assert shown(result.response) == (
        "Your question has 3,999 characters. Please shorten it to 2,000."
    )
    result = await ann.ask("a" * 1900)
    assert len(result.response.message.embeds[0].title) <= 256


async def test_a_question_that_is_refused_is_given_back(ann):
    question = "why " * 1000
    result = await ann.ask(question)
    (file,) = result.response.attachments
    assert file.filename == "question.txt"
    assert (await file.read()).decode().strip() == question.strip()


async def test_a_question_without_words_is_refused_in_private(ann):
    result = await ann.ask("  ")
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "There is no question. Please type one.",
    )


async def test_a_follow_up_uses_the_conversation_of_the_person_in_the_channel(ann, channel):
    await ann.ask("Who erupted on La Palma?")
    assert "The volcano on La Palma erupted" in shown((await ann.ask("and when?")).response)
    bob = Member(ann.env, channel, "bob")
    other = ann.env.guild.create_text_channel("other")
    await bob.ask(LAUNCH)
    assert LAUNCHED in shown((await bob.ask("and when?")).response)
    elsewhere = await ann.actor.slash(other, "ask", question="and when?")
    assert LAUNCHED not in shown(elsewhere.response)


async def test_a_conversation_ends_after_half_an_hour(ann):
    await ann.ask("Who erupted on La Palma?")
    alone = shown((await Member(ann.env, ann.channel, "bob").ask("and when?")).response)
    await ann.env.advance_time(31 * 60)
    assert shown((await ann.ask("and when?")).response) == alone


# --- Nothing found --------------------------------------------------------------------------------


class TestNothingFound:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(index=str(rocket_index(tmp_path)), threshold=1.0)

    async def test_articles_are_suggested_where_they_are_near(self, ann):
        text = shown((await ann.ask("What flew to Mars?")).response)
        assert "The articles don't answer that." in text
        assert "Articles on similar subjects:\n- **Rocket**" in text
        assert "> " not in text

    async def test_there_a_title_without_an_address_opens_the_article(self, ann, channel):
        answer = (await ann.ask("What flew to Mars?")).response
        [menu] = [item for item in components(answer) if item.get("options")]
        bob = Member(ann.env, channel, "bob")
        chosen = [menu["options"][0]["value"]]
        read = await bob.actor.select(answer, chosen, custom_id=menu["custom_id"])
        assert read.ephemeral
        assert shown(read.response).startswith("Rocket\n")

    async def test_there_people_browse_or_are_sent_to_someone(self, ann, channel, simcord_bot):
        answer = (await ann.ask("Which spices belong in a curry?")).response
        assert labels(answer) == ["Follow-up question", "Browse articles", "Dismiss"]
        result = await ann.click(answer, "Browse articles")
        assert result.ephemeral
        assert "**Rocket**" in shown(result.response)
        settings = GuildSettings(person_channel_id=channel.id)
        await simcord_bot.services.guild_settings.save(channel.guild.id, settings)
        text = shown((await ann.ask("Which spices belong in a curry?")).response)
        assert text.splitlines()[1] == f"Ask a person: <#{channel.id}>"

    async def test_and_only_there(self, ann):
        text = shown((await ann.ask("Which spices belong in a curry?")).response)
        assert text.splitlines()[0] == "The articles don't answer that."
        assert "Rocket" not in text
