"""The buttons under answers: paging, context, follow-ups, ratings; after restarts, for a month."""

from __future__ import annotations

import pytest

from qabot.bot.store.records import GuildSettings
from qabot.settings import Settings
from tests.bot.support import (
    Manager,
    Member,
    buttons,
    components,
    labels,
    make_bot,
    open_engine,
    shown,
)
from tests.support import build_index, write_article

MARS = "What flew to Mars?"
RATINGS = ["👍", "👎"]
MENU = "📖 Context …"
FORGOTTEN = "I have forgotten this answer: I keep answers for a month. Please ask again."


FLIGHTS = (
    "The rocket flew to Mars.",
    "To Mars flew the rocket.",
    "Flew the rocket to Mars!",
    "To Mars the rocket flew.",
    "The rocket to Mars flew.",
)


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Five articles that all answer alike, two quotes on a page."""
    for number, flight in enumerate(FLIGHTS, 1):
        write_article(
            tmp_path / "articles",
            f"rocket-{number}",
            f"# Building\n\nIt was built in spring {number}.\n\n# Flight\n\n{flight}\n\n"
            f"# End\n\nIt landed in autumn {number}.",
            title=f"Rocket {number}",
        )
    build_index(tmp_path / "index", tmp_path / "articles")
    return Settings(index=str(tmp_path / "index"), threshold=0.0, quotes=2)


def page(message) -> str:
    """Which page of the quotes a message shows."""
    return str(message.embeds[0].footer.text).split(" · ")[-1]


async def test_one_quote_is_shown_and_more_in_place(ann, channel):
    answer = (await ann.ask(MARS)).response
    assert answer.embeds[0].description.count("> ") == 1
    assert labels(answer) == [
        "More quotes ▸",
        "Follow-up question",
        *RATINGS,
        "Context",
        "Read the article",
        "Dismiss",
    ]
    await ann.click(answer, "More quotes")
    answer = channel.last_message
    assert page(answer) == "Page 2 of 3"
    assert answer.embeds[0].description.count("> ") == 2
    assert labels(answer) == [
        "◂ Previous quotes",
        "More quotes ▸",
        "Follow-up question",
        *RATINGS,
        "Dismiss",
        MENU,
    ]
    await ann.click(answer, "More quotes")
    answer = channel.last_message
    assert labels(answer) == [
        "◂ Previous quotes",
        "Follow-up question",
        *RATINGS,
        "Dismiss",
        MENU,
    ]
    await ann.click(answer, "Previous quotes")
    assert page(channel.last_message) == "Page 2 of 3"
    assert len(channel.history()) == 1


async def test_pages_together_hold_every_quote_once(ann, channel):
    answer = (await ann.ask(MARS)).response
    text = answer.embeds[0].description
    for _ in range(2):
        await ann.click(channel.last_message, "More quotes")
        text += channel.last_message.embeds[0].description
    for flight in FLIGHTS:
        assert text.count(f"**{flight}**") == 1


async def test_others_turn_pages_for_themselves(ann, channel):
    answer = (await ann.ask(MARS)).response
    bob = Member(ann.env, channel, "bob")
    result = await bob.click(answer, "More quotes")
    assert result.ephemeral
    assert page(result.response) == "Page 2 of 3"
    assert page(answer) == "Page 1 of 3"
    assert page((await bob.click(result.response, "More quotes")).response) == "Page 3 of 3"


async def test_context_shows_the_passages_round_a_quote_in_private(ann, channel):
    answer = (await ann.ask(MARS)).response
    bob = Member(ann.env, channel, "bob")
    result = await bob.context(answer)
    assert result.ephemeral
    assert labels(result.response) == ["Read the article"]
    read = await bob.click(result.response, "Read the article")
    assert read.ephemeral
    assert "It was built in spring" in shown(read.response)
    text = shown(result.response)
    number = int(text.split()[1])
    assert text.startswith(f"Rocket {number}\n")
    assert f"> It was built in spring {number}." in text
    assert f"> **{FLIGHTS[number - 1]}**" in text
    assert f"> It landed in autumn {number}." in text


async def test_a_title_without_an_address_opens_the_article(ann, channel):
    answer = (await ann.ask(MARS)).response
    read = await ann.click(answer, "Read the article")
    assert read.ephemeral
    assert "It was built in spring" in shown(read.response)
    # Below several quotes, the menu has each article once, beside the context of each quote.
    await ann.click(answer, "More quotes")
    [menu] = [item for item in components(channel.last_message) if item.get("options")]
    values = [option["value"] for option in menu["options"]]
    assert values == ["1", "2", "read:1", "read:2"]
    bob = Member(ann.env, channel, "bob")
    for value in ("read:1", "read:2"):
        read = await bob.actor.select(channel.last_message, [value], custom_id=menu["custom_id"])
        assert read.ephemeral
        title = next(o["label"] for o in menu["options"] if o["value"] == value)
        assert shown(read.response).startswith(f"{title}\n")


async def test_context_of_a_changed_article_says_so(ann, settings, tmp_path):
    answer = (await ann.ask(MARS)).response
    for path in (tmp_path / "articles").iterdir():
        write_article(tmp_path / "articles", path.stem, "Short.")
    build_index(tmp_path / "index", tmp_path / "articles")
    result = await ann.context(answer, 1)
    assert result.ephemeral
    assert shown(result.response) == "The article has changed since. Please ask again."


async def test_a_follow_up_opens_a_form_and_is_asked_with_what_it_follows(ann):
    answer = (await ann.ask("What was built in spring?")).response
    form = await ann.click(answer, "Follow-up question")
    assert form.modal["title"] == "Follow-up question"
    bob = Member(ann.env, ann.channel, "bob")
    alone = shown((await bob.ask("and when?")).response)
    result = await ann.actor.submit_modal(form, {"question": "and when?"})
    text = shown(result.response)
    assert "\nand when?\n" in text
    assert "It was built in spring" in text
    assert text != alone
    assert not result.ephemeral


async def test_a_follow_up_to_a_private_answer_is_private(ann):
    answer = (await ann.ask(MARS, private=True)).response
    form = await ann.click(answer, "Follow-up question")
    assert (await ann.actor.submit_modal(form, {"question": "and when?"})).ephemeral


async def test_ratings_are_kept_and_the_last_counts(ann, channel, simcord_bot):
    answer = (await ann.ask(MARS)).response
    result = await ann.click(answer, "👍")
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "Thank you. You found this answer helpful.",
    )
    bob = Member(ann.env, channel, "bob")
    await bob.click(answer, "👎")
    result = await ann.click(answer, "👎")
    assert shown(result.response) == "Thank you. You found this answer not helpful."
    feedback = list(simcord_bot.services.state.feedback())
    assert [(f.question, f.helpful) for f in feedback] == [(MARS, False)] * 2


async def test_buttons_work_after_a_restart(ann, channel, settings):
    answer = (await ann.ask(MARS)).response
    form = await ann.click(answer, "Follow-up question")
    with open_engine(settings) as engine:
        bot = make_bot(engine, settings)
        await ann.env.restart_bot(bot)
        await ann.click(channel.last_message, "More quotes")
        assert page(channel.last_message) == "Page 2 of 3"
        assert "Mars" in shown((await ann.context(channel.last_message, 3)).response)
        assert "helpful" in shown((await ann.click(answer, "👍")).response)
        # Opened before the restart.
        result = await ann.actor.submit_modal(form, {"question": "and what landed?"})
        assert "landed in autumn" in shown(result.response)
        bot.services.close()


async def test_buttons_work_for_a_month_and_then_say_so_kindly(ann):
    answer = (await ann.ask(MARS)).response
    form = await ann.click(answer, "Follow-up question")
    await ann.env.advance_time(30 * 24 * 3600)
    assert "Mars" in shown((await ann.context(answer, 1)).response)
    await ann.env.advance_time(2 * 24 * 3600)
    for label in ("More quotes", "👎", "Follow-up question"):
        result = await ann.click(answer, label)
        assert (result.ephemeral, shown(result.response)) == (True, FORGOTTEN)
    result = await ann.actor.submit_modal(form, {"question": "and when?"})
    # The question is given back.
    assert (result.ephemeral, shown(result.response)) == (True, f"{FORGOTTEN}\n>>> and when?")


async def test_an_answer_is_dismissed_by_its_asker_and_by_managers(ann, channel):
    bob = Member(ann.env, channel, "bob")
    answer = (await ann.ask(MARS)).response
    refused = await bob.click(answer, "Dismiss")
    assert refused.ephemeral
    assert shown(refused.response).startswith("Only the person who asked")
    await ann.click(answer, "Dismiss")
    assert channel.history() == []
    boss = Manager(ann.env, channel, "boss")
    await ann.mention(MARS)
    await boss.click(channel.last_message, "Dismiss")
    assert len(channel.history()) == 1


async def test_a_follow_up_obeys_the_rules_of_the_channel(ann, channel, simcord_bot):
    answer = (await ann.ask(MARS)).response
    form = await ann.click(answer, "Follow-up question")
    settings = GuildSettings(allowed_channels=(1,))
    await simcord_bot.services.guild_settings.save(channel.guild.id, settings)
    result = await ann.actor.submit_modal(form, {"question": "and when?"})
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "I may not answer in this channel. Ask me in <#1>.\n>>> and when?",
    )


async def test_answers_older_than_a_month_are_not_kept(ann, simcord_bot):
    await ann.ask(MARS)
    assert simcord_bot.services.state.conversation(ann.channel.id, ann.actor.id, 0)
    await ann.env.advance_time(33 * 24 * 3600)
    assert not simcord_bot.services.state.conversation(ann.channel.id, ann.actor.id, 0)


async def test_quotes_of_articles_in_direct_messages_have_the_same_buttons(ann):
    await ann.actor.send_dm(MARS)
    user = ann.actor.user
    answer = user.dm_channel.last_message
    custom_id = buttons(answer)[0]["custom_id"]
    await user.click(answer, custom_id=custom_id)
    assert page(user.dm_channel.last_message) == "Page 2 of 3"


async def test_a_failing_engine_is_told(ann, engine, monkeypatch):
    def broken(*arguments):
        raise OSError("the disk is gone")

    answer = (await ann.ask(MARS)).response
    monkeypatch.setattr(engine, "context", broken)
    result = await ann.context(answer, 1)
    assert result.ephemeral
    assert shown(result.response) == "Something went wrong on my side. Please ask again later."
