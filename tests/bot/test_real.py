"""Answers of the packaged model, as people in Discord see them."""

from __future__ import annotations

import pytest

from qabot.answering.engine import Engine
from qabot.settings import Settings
from tests.bot.support import Member, shown


@pytest.fixture
def settings(real_index, tmp_path):
    # The bot's state stands beside the index, which is not this test's own.
    (tmp_path / "index").symlink_to(real_index.folder)
    index, cache = str(tmp_path / "index"), str(real_index.cache)
    return Settings(index=index, cache=cache, reader="none")


@pytest.fixture
def engine(settings):
    with Engine.open(settings=settings) as engine:
        yield engine


async def test_a_quote_links_to_its_place_on_the_web(ann):
    answer = (await ann.ask("How wide is the mirror of the telescope?")).response
    text = shown(answer)
    assert "6.5 metres wide" in text.replace("*", "")
    assert "[A telescope for the infrared](<" in text
    assert "\n-# as of Dec 25, 2021 · Mirror · " in text
    assert "(<https://example.org/jwst#:~:text=Its%20main%20mirror%20is%206.5" in text


async def test_a_quote_in_another_language_stands_as_it_is_and_says_so(simcord_env, channel):
    jutta = Member(simcord_env, channel, "jutta", locale="de")
    text = shown((await jutta.ask("Wo ist die Kapsel der Sonde Hayabusa2 gelandet?")).response)
    assert "オーストラリアのウーメラ砂漠に着地した。" in text.replace("*", "")
    assert "auf Japanisch" in text
    text = shown((await jutta.ask("Wann gingen die letzten Kernkraftwerke vom Netz?")).response)
    assert "Stand: April 2023" in text
    assert "auf Deutsch" not in text


@pytest.mark.parametrize(
    "text", ["lol", "lol you are awesome", "vielen lieben Dank, du bist super"]
)
async def test_small_talk_in_words_gets_no_answer(ann, channel, simcord_bot, text):
    await ann.mention(text)
    assert shown(channel.last_message) == "Mention me together with a question, or use `/ask`."
    said = await ann.ask(text)
    assert shown(said.response) == f"There is no question. Please type one.\n>>> {text}"
    await ann.mention("How wide is the mirror of the telescope?")
    answer = channel.last_message
    await ann.mention(text)
    await ann.mention(text, reply_to=answer)
    assert [m for m in channel.history() if m.author.bot][-1].id == answer.id
    kept = simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0.0)
    assert kept == ("How wide is the mirror of the telescope?",)


@pytest.mark.parametrize("text", ["PyTorch", "wifi", "Kernkraftwerke", "nubes"])
async def test_one_word_that_names_a_matter_is_looked_up(ann, text):
    assert "There is no question" not in shown((await ann.ask(text)).response)


async def test_what_the_articles_lack_is_not_found(ann):
    text = shown((await ann.ask("Which spices belong in a Thai green curry?")).response)
    assert "The articles don't answer that." in text
    assert "Source" not in text
    assert "> " not in text
