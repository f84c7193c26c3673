"""Five languages: whatever the bot itself says is in the language of whoever asks."""

from __future__ import annotations

import pytest

from qabot.render.translations import translate
from qabot.settings import Settings
from tests.bot.support import LAUNCH, LAUNCHED, Member, labels, shown

LOCALES = ("en-GB", "de", "fr", "es-419", "ja")


@pytest.fixture(params=LOCALES)
def person(request, simcord_env, channel) -> Member:
    """Someone whose Discord speaks one of the languages."""
    return Member(simcord_env, channel, "someone", locale=request.param)


def said(person: Member, message: str, **values: object) -> str:
    text = translate(message, person.locale, **values)
    assert person.locale.startswith("en") == (text == message.format(**values))
    return text


async def test_answers_and_buttons(person):
    answer = (await person.ask()).response
    assert LAUNCHED in shown(answer)
    follow, dismiss = said(person, "Follow-up question"), said(person, "Dismiss")
    context = said(person, "Context")
    read = said(person, "Read the article")
    assert labels(answer) == [follow, "👍", "👎", context, read, dismiss]
    form = await person.click(answer, said(person, "Follow-up question"))
    assert form.modal["title"] == said(person, "Follow-up question")
    result = await person.click(answer, "👎")
    assert shown(result.response) == said(person, "Thank you. You found this answer not helpful.")


async def test_refusals(person):
    result = await person.ask(" ")
    assert shown(result.response) == said(person, "There is no question. Please type one.")
    text = shown((await person.ask("x" * 2345)).response)
    assert "2,345" in text or "2.345" in text or "2\u202f345" in text or "2345" in text


async def test_lists_status_and_help(person, channel):
    titles = {"articles": "Articles", "status": "Status", "help": "How to use me"}
    for command, title in titles.items():
        result = await person.actor.slash(channel, command)
        assert shown(result.response).startswith(translate(title, person.locale))


async def test_a_mention_is_answered_in_the_language_last_seen(person, channel):
    await person.actor.slash(channel, "status")
    await person.mention()
    assert labels(channel.last_message)[0] == said(person, "Follow-up question")


async def test_a_stranger_is_answered_in_the_language_of_the_server(simcord_env):
    guild = simcord_env.create_guild(preferred_locale="fr")
    ann = Member(simcord_env, guild.create_text_channel("salon"), "ann")
    await ann.mention()
    assert labels(ann.channel.last_message)[0] == translate("Follow-up question", "fr")


async def test_commands_are_registered_in_all_languages(simcord_env):
    (commands,) = [
        request.json for request in simcord_env.http_requests if request.path.endswith("/commands")
    ]
    for command in commands:
        assert {"de", "fr", "es-ES", "es-419", "ja"} <= set(command["name_localizations"])
        if command["type"] == 1:
            assert {"de", "fr", "es-ES", "ja"} <= set(command["description_localizations"])


class TestNothingFound:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=1.0)

    async def test_nothing_found_says_so_and_quotes_nothing(self, person):
        answer = (await person.ask(LAUNCH)).response
        assert said(person, "The articles don't answer that.") in shown(answer)
        assert LAUNCHED not in shown(answer)
