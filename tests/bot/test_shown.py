"""People see exactly the article's text: nothing in it pings, links or formats."""

from __future__ import annotations

import pytest

from qabot.settings import Settings
from tests.bot.support import Member
from tests.render.discord_markdown import shown as read_markdown
from tests.render.discord_markdown import shown_quote
from tests.support import build_index

FULL = (
    "The alarm of @everyone and @here woke <@&1> and <@1> in `code` and ||spoilers|| near "
    "[x](https://example.org/y) at <t:1:R> with **stars**, __lines__ and :smile:"
)
QUESTION = "Who woke by the alarm of @everyone [x](y) <@&1> `code`?"


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "articles").mkdir()
    # Plain text, in which markup is nothing but characters.
    text = f"@everyone: [the alarm](https://example.org)\n\n{FULL}\n\nIt was # 1. > - late.\n"
    (tmp_path / "articles" / "alarm.txt").write_text(text)
    build_index(tmp_path / "index", tmp_path / "articles")
    return Settings(index=str(tmp_path / "index"), threshold=0.0)


def assert_no_pings(message) -> None:
    assert not message.mention_everyone
    assert (message.mentions, message.role_mentions) == ([], [])


async def test_an_article_full_of_pings_and_markup_is_shown_as_it_stands(ann, channel):
    result = await ann.ask(QUESTION)
    message = result.response.message
    assert_no_pings(message)
    (embed,) = message.embeds
    lines = embed.description.split("\n")
    quote = shown_quote("\n".join(line for line in lines if line.startswith("> ")))
    # "@everyone" and "@here" keep an invisible character.
    assert FULL in quote.text.replace("\u200b", "")
    # An id means nothing to people.
    assert read_markdown(embed.title).text.replace("\u200b", "") == QUESTION.replace(" <@&1>", "")


async def test_nor_does_it_ping_in_other_places(ann, channel):
    answer = (await ann.ask(QUESTION)).response
    result = await ann.context(answer)
    assert_no_pings(result.response.message)
    for command, options in (
        ("articles", {"filter": "alarm"}),
        ("show", {"article": "alarm"}),
        ("status", {}),
    ):
        message = (await ann.actor.slash(channel, command, **options)).response.message
        assert_no_pings(message)
        for embed in message.embeds:
            read_markdown(embed.title)
            assert "@everyone" not in embed.description


async def test_a_mention_full_of_pings_gets_an_answer_without(ann, channel):
    await ann.mention(QUESTION)
    assert_no_pings(channel.last_message)
    await Member(ann.env, channel, "bob").say("@everyone", reply_to=channel.last_message)


async def test_no_request_of_the_bot_allows_mentions(ann, channel):
    await ann.ask(QUESTION)
    await ann.mention(QUESTION)
    await ann.actor.send_dm(QUESTION)
    sent = [
        request.json
        for request in ann.env.http_requests
        if request.method in ("POST", "PATCH") and request.path.endswith(("messages", "@original"))
    ]
    assert len(sent) == 3
    assert all(body["allowed_mentions"]["parse"] == [] for body in sent)


async def test_the_bot_asks_for_no_privileged_intent(simcord_bot):
    intents = simcord_bot.intents
    privileged = intents.members, intents.presences, intents.message_content
    assert privileged == (False, False, False)
