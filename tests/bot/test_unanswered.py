"""``/unanswered``: managers see what was not found, and write the article that is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qabot.bot.alike import Group, grouped
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from tests.bot.support import Manager, Member, labels, make_bot, shown
from tests.support import HashingEncoder, rocket_index

CURRY = "Which spices belong in a curry?"
NO_QUESTION = "Of the last month, I know no question that was not answered."


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Nothing is sure enough to be an answer, and questions are kept."""
    index = rocket_index(tmp_path)
    uploads = str(tmp_path / "uploads")
    return Settings(index=str(index), threshold=1.0, log_questions=True, uploads=uploads)


@pytest.fixture
def simcord_bot(engine, settings, tmp_path):
    class Renewal:
        def __call__(self, sources: Any, report: Any, *, files_only: bool) -> Any:
            store = IndexStore(Path(settings.index))
            return rebuild(store, engine.encoder, IndexPlan(tuple(sources), tmp_path), report)

        def stop(self) -> None:
            """It is over at once."""

    bot = make_bot(engine, settings, Renewal())
    yield bot
    bot.services.close()


@pytest.fixture
def mod(simcord_env, channel) -> Manager:
    return Manager(simcord_env, channel)


async def test_what_was_not_found_is_grouped_and_counted(mod, ann, channel):
    for question in (CURRY, "How old is the moon?", "In a curry, which spices belong?", CURRY):
        await ann.ask(question)
    result = await mod.use("unanswered")
    assert result.ephemeral
    title, first, others, second, *_ = shown(result.response).splitlines()
    assert title == "Unanswered questions"
    assert first == f"**3 ×** {CURRY}"
    assert others.startswith("<t:")
    assert others.endswith(":R> · “In a curry, which spices belong?”")
    assert second == ""
    assert "**1 ×** How old is the moon?" in shown(result.response)
    assert "4 questions in the last month" in shown(result.response)
    (file,) = result.response.attachments
    assert file.filename == "unanswered.txt"
    assert (await file.read()).decode() == (
        f"3 × {CURRY}\n    In a curry, which spices belong?\n1 × How old is the moon?\n"
    )


async def test_only_what_was_asked_on_the_server_in_the_last_month(mod, ann, channel):
    elsewhere = mod.env.create_guild("Another").create_text_channel("general")
    await Member(mod.env, elsewhere, "bob").ask(CURRY)
    await ann.actor.send_dm(CURRY)
    await ann.ask("?")
    assert shown((await mod.use("unanswered")).response) == NO_QUESTION
    await ann.ask(CURRY)
    await mod.env.advance_time(32 * 24 * 3600)
    assert shown((await mod.use("unanswered")).response) == NO_QUESTION


async def test_whoever_was_forgotten_left_no_question(mod, ann, channel):
    await ann.ask(CURRY)
    await ann.actor.slash(channel, "forget-me")
    assert shown((await mod.use("unanswered")).response) == NO_QUESTION


async def test_many_questions_fit_and_all_are_in_the_file(mod, channel):
    people = [Member(mod.env, channel, f"person{number}") for number in range(8)]
    for number, person in enumerate(people):
        for letter in "abcdefgh":
            await person.ask(f"@everyone {letter * 9}{number} " + f"{letter}{number}" * 80 + "?")
    result = await mod.use("unanswered")
    assert "64 questions in the last month · the file holds all" in shown(result.response)
    assert "@everyone" not in shown(result.response)
    (file,) = result.response.attachments
    assert (await file.read()).decode().count("@everyone") == 64


async def test_the_missing_article_is_written_in_a_form(mod, ann, channel):
    await ann.ask(CURRY)
    result = await mod.use("unanswered")
    assert labels(result.response) == ["Add an article"]
    form = await mod.click(result.response, "Add an article")
    assert form.modal["title"] == "Add an article"
    title = 'Curry: "green" & red?'
    text = "Lemongrass and basil belong in a *green* curry."
    preview = await mod.actor.submit_modal(form, {"title": title, "text": text})
    assert preview.ephemeral
    assert shown(preview.response).startswith('Add this article?\n**Curry: "green" & red?**\n')
    await mod.click(preview.response, "Add")
    assert shown(preview.response).startswith("The articles are renewed\n")
    read = await ann.actor.slash(channel, "show", article="Curry")
    assert "> Lemongrass and basil belong in a green curry." in shown(read.response)


async def test_a_form_without_an_article_is_given_back(mod, ann):
    await ann.ask(CURRY)
    form = await mod.click((await mod.use("unanswered")).response, "Add an article")
    told = await mod.actor.submit_modal(form, {"title": "Nothing", "text": "<!-- -->"})
    assert shown(told.response).startswith("I cannot read this file as an article:")
    assert shown(told.response).endswith("\n>>> \\<!-- --\\>")


async def test_a_form_that_is_refused_is_given_back(mod, ann):
    await ann.ask(CURRY)
    form = await mod.click((await mod.use("unanswered")).response, "Add an article")
    mod.env.backend.remove_member_role(mod.channel.guild.id, mod.actor.id, mod.role.id)
    told = await mod.actor.submit_modal(form, {"title": "Curry", "text": "Basil belongs in it."})
    assert shown(told.response).startswith("For that you need the permission “Manage Server”")
    assert shown(told.response).endswith("\n>>> Basil belongs in it.")


async def test_a_form_that_cannot_be_kept_is_given_back(mod, ann, settings):
    Path(settings.uploads).write_text("no folder", "utf-8")  # noqa: ASYNC240 (nothing else runs)
    await ann.ask(CURRY)
    form = await mod.click((await mod.use("unanswered")).response, "Add an article")
    told = await mod.actor.submit_modal(form, {"title": "Curry", "text": "Basil belongs in it."})
    assert shown(told.response) == (
        "Something went wrong on my side. Please ask again later.\n>>> Basil belongs in it."
    )


async def test_whoever_manages_no_articles_gets_no_button(mod):
    elsewhere = mod.env.create_guild("Another").create_text_channel("general")
    other = Manager(mod.env, elsewhere, "other")
    await Member(mod.env, elsewhere, "bob").ask(CURRY)
    result = await other.use("unanswered")
    assert f"**1 ×** {CURRY}" in shown(result.response)
    assert labels(result.response) == []


class TestWithoutLogging:
    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        return Settings(index=str(rocket_index(tmp_path)), threshold=1.0)

    async def test_nothing_is_kept_and_that_is_said(self, mod, ann):
        await ann.ask(CURRY)
        assert shown((await mod.use("unanswered")).response) == (
            "I keep no questions. Whoever runs me can change that by the setting "
            "`log_questions = true`."
        )


def test_wordings_are_counted_whatever_their_case_and_signs():
    asked = [("what is a quark", 9.0), ("What is a  Quark?", 5.0), ("Who was Bohr?", 7.0)]
    assert grouped(asked, HashingEncoder()) == [
        Group(2, 9.0, ("what is a quark",)),
        Group(1, 7.0, ("Who was Bohr?",)),
    ]
    assert grouped([], HashingEncoder()) == []
