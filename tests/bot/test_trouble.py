"""Failures: engines, limits, permissions, vanishing messages and guilds, the index."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
from collections.abc import Sequence

import discord
import pytest

from qabot.bot.message_replies import Heard, MessageReply, TypingIndicator
from qabot.bot.messages import notice
from qabot.bot.store.records import GuildSettings
from qabot.errors import DamagedIndexError
from qabot.settings import Settings
from qabot.types import Answer, Request
from tests.bot.support import (
    LAUNCH,
    LAUNCHED,
    Member,
    ask_at_once,
    begin,
    open_engine,
    shown,
    until,
)
from tests.support import PATIENCE, build_index, index_files, write_article

WRONG = "Something went wrong on my side. Please ask again later."
UNREADABLE = "I cannot read the articles right now. Whoever runs me has to renew them."
BUSY = f"Too many questions are waiting right now. Please ask again in a minute.\n>>> {LAUNCH}"


class Troubled:
    """An engine that fails on certain words, and that can be held up.

    Attributes:
        gate: Questions wait while it is closed (``clear``).
        reached: Set once a question has come.
    """

    def __init__(self, engine) -> None:
        self._engine = engine
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()

    def __getattr__(self, name: str):
        return getattr(self._engine, name)

    def ask_many(self, requests: Sequence[Request], **options: float) -> list[Answer]:
        self.reached.set()
        self.gate.wait(PATIENCE)
        for request in requests:
            if "boom" in request.question:
                raise ZeroDivisionError("boom")
            if "damaged" in request.question:
                raise DamagedIndexError("index: vectors.faiss is missing; rebuild")
        answers: list[Answer] = self._engine.ask_many(requests, **options)
        return answers


@pytest.fixture
def engine(settings):
    with open_engine(settings) as engine:
        troubled = Troubled(engine)
        yield troubled
        troubled.gate.set()


async def held(engine: Troubled) -> None:
    """Wait until the engine holds a question up."""
    assert await asyncio.to_thread(engine.reached.wait, PATIENCE)


async def settle(env) -> None:
    await env.settle(timeout=PATIENCE)


# --- The engine -----------------------------------------------------------------------------------


async def test_an_engine_that_raises_is_told_in_place_of_the_answer(ann, caplog):
    result = await ann.ask("boom?")
    # The question is given back.
    assert shown(result.response) == f"{WRONG}\n>>> boom?"
    assert "ZeroDivisionError" in caplog.text
    assert LAUNCHED in shown((await ann.ask()).response)


async def test_one_question_that_fails_does_not_reach_the_others(ann, channel):
    people = [Member(ann.env, channel, f"person{number}") for number in range(6)]
    texts = [LAUNCH, LAUNCH, "boom?", LAUNCH, "boom?", LAUNCH]
    askers = [(person.actor, channel, text) for person, text in zip(people, texts, strict=True)]
    results = await ask_at_once(ann.env, askers)
    await settle(ann.env)
    for text, result in zip(texts, results, strict=True):
        assert (WRONG if text == "boom?" else LAUNCHED) in shown(result.response)


async def test_a_failing_engine_is_told_to_whoever_mentions_the_bot(ann, channel):
    await ann.mention("boom?")
    assert shown(channel.last_message) == WRONG


async def test_an_index_that_cannot_be_read_is_told_and_logged(ann, caplog):
    result = await ann.ask("damaged?")
    assert shown(result.response) == f"{UNREADABLE}\n>>> damaged?"
    assert "index: vectors.faiss is missing; rebuild" in caplog.text


# --- The index ------------------------------------------------------------------------------------


async def test_answers_go_on_when_the_index_is_taken_away(ann, settings):
    shutil.rmtree(settings.index)
    assert LAUNCHED in shown((await ann.ask()).response)
    assert "**Articles:** 2" in shown((await ann.actor.slash(ann.channel, "status")).response)


async def test_answers_go_on_when_the_index_is_damaged(ann, index):
    (index / "CURRENT").write_text("nonsense")
    assert LAUNCHED in shown((await ann.ask()).response)


@pytest.mark.parametrize("name", index_files())
@pytest.mark.parametrize("healed", ["as it was", "by a rebuild"])
async def test_a_damaged_file_is_told_until_it_is_healed(ann, channel, index, name, healed, caplog):
    """Under the open bot, in each way to look at articles."""
    before = await ann.ask()
    assert LAUNCHED in shown(before.response)
    path = index / name
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.write(bytes(len(whole) // 2))
    assert shown((await ann.ask()).response) == f"{UNREADABLE}\n>>> {LAUNCH}"
    for told in (
        await ann.actor.slash(channel, "articles"),
        await ann.actor.slash(channel, "status"),
        await ann.context(before.response),
    ):
        assert shown(told.response) == UNREADABLE
    await ann.mention()
    assert shown(channel.last_message) == UNREADABLE
    assert f"{path}: changed since it was written; run `qabot rebuild --full`" in caplog.text
    assert "Traceback" not in caplog.text
    if healed == "as it was":
        path.write_bytes(whole)
    else:
        await asyncio.to_thread(build_index, index, index.parent / "articles", full=True)
    assert LAUNCHED in shown((await ann.ask()).response)
    assert "**Articles:** 2" in shown((await ann.actor.slash(channel, "status")).response)


async def test_a_rebuild_during_50_questions_loses_none(ann, channel, index, engine):
    people = [Member(ann.env, channel, f"person{number}") for number in range(50)]
    question = "Where was the submarine found?"
    askers = [(person.actor, channel, question) for person in people]
    engine.gate.clear()
    before = await ask_at_once(ann.env, askers[:25])
    write_article(
        index.parent / "articles", "submarine", "The submarine was found near Crete in May."
    )
    rebuilt = asyncio.create_task(asyncio.to_thread(build_index, index, index.parent / "articles"))
    engine.gate.set()
    during = await ask_at_once(ann.env, askers[25:])
    assert (await rebuilt).generation == 2
    await settle(ann.env)
    results = [*before, *during]
    assert all(result.acknowledged and result.response for result in results)
    assert all(question in shown(result.response) for result in results)
    assert "near Crete in May" in shown((await people[0].ask(question)).response)


# --- Limits ---------------------------------------------------------------------------------------


class TestLimits:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, user_questions=2, guild_questions=4)

    async def test_a_person_who_asks_too_much_is_told_when_to_try_again(self, ann, channel):
        now = int(ann.env.now().timestamp())
        for _ in range(2):
            assert LAUNCHED in shown((await ann.ask()).response)
        result = await ann.ask()
        assert result.ephemeral
        text = shown(result.response)
        start = "That was a lot of questions at once. Please ask again <t:"
        assert text.startswith(start)
        again = int(text.removeprefix(start).removesuffix(f":R>.\n>>> {LAUNCH}"))
        assert now + 60 <= again <= now + 62
        assert LAUNCHED in shown((await Member(ann.env, channel, "bob").ask()).response)
        await ann.env.advance_time(again - ann.env.now().timestamp())
        assert LAUNCHED in shown((await ann.ask()).response)

    async def test_a_mention_too_many_is_told_in_a_direct_message_once(self, ann, channel):
        for _ in range(4):
            await ann.mention()
        assert len(channel.history()) == 4 + 2
        (told,) = ann.direct_messages
        assert told.startswith("That was a lot of questions at once.")

    async def test_a_guild_that_asks_too_much_does_not_reach_another(self, ann, channel):
        for name in ("bob", "cleo"):
            person = Member(ann.env, channel, name)
            for _ in range(2):
                await person.ask()
        result = await ann.ask()
        assert result.ephemeral
        assert "Please ask again" in shown(result.response)
        elsewhere = ann.env.create_guild("Another").create_text_channel("general")
        assert LAUNCHED in shown((await Member(ann.env, elsewhere, "dan").ask()).response)


class TestQueue:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, waiting=3)

    async def test_more_questions_than_may_wait_are_refused_kindly(self, ann, channel, engine):
        engine.gate.clear()
        people = [Member(ann.env, channel, f"person{number}") for number in range(5)]
        askers = [(person.actor, channel, LAUNCH) for person in people]
        results = await ask_at_once(ann.env, askers)
        for _ in range(int(PATIENCE * 100)):
            await asyncio.sleep(0.01)
            if all(result.acknowledged for result in results):
                break
        # All have heard of the bot before any has an answer.
        assert all(result.acknowledged for result in results)
        engine.gate.set()
        await settle(ann.env)
        texts = [shown(result.response) for result in results]
        assert sum(text == BUSY for text in texts) == 2
        assert sum(LAUNCHED in text for text in texts) == 3
        assert [text == BUSY for text in texts] == [result.ephemeral for result in results]


async def test_while_100_questions_wait_all_are_acknowledged_and_others_are_answered(
    ann, channel, engine
):
    engine.gate.clear()
    people = [Member(ann.env, channel, f"person{number}") for number in range(100)]
    results = await ask_at_once(ann.env, [(person.actor, channel, LAUNCH) for person in people])
    helped = begin(ann.env, ann.actor, channel, "help")
    for _ in range(int(PATIENCE * 100)):
        await asyncio.sleep(0.01)
        told = helped.response and "`/ask`" in shown(helped.response)
        if told and all(result.acknowledged for result in results):
            break
    assert all(result.acknowledged for result in results)
    assert "`/ask`" in shown(helped.response)
    assert not any(LAUNCHED in shown(result.response) for result in results)
    engine.gate.set()
    await settle(ann.env)
    assert all(LAUNCHED in shown(result.response) for result in results)


# --- Channels, messages, guilds -------------------------------------------------------------------


def quiet_channel(guild, **denied: bool):
    overwrite = discord.PermissionOverwrite(**denied)
    return guild.create_text_channel("quiet", overwrites={guild.me: overwrite})


async def test_missing_permissions_are_told_once_in_private(ann, channel):
    quiet = quiet_channel(channel.guild, send_messages=False, embed_links=False)
    ann.channel = quiet
    await ann.mention()
    await ann.mention()
    (told,) = ann.direct_messages
    assert told == (
        f"I cannot answer in <#{quiet.id}>: I lack the permission “Send Messages”, “Embed Links”. "
        "Whoever runs the server can give it to me, or you ask me here."
    )
    assert len(quiet.history()) == 2
    # Commands need no permission in the channel.
    assert LAUNCHED in shown((await ann.ask()).response)


async def test_closed_direct_messages_are_no_error(ann, channel):
    ann.channel = quiet_channel(channel.guild, send_messages=False)
    ann.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    ann.env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)
    await ann.mention()
    assert len(ann.channel.history()) == 1


async def test_a_message_that_is_deleted_before_its_answer_gets_none(ann, channel, engine):
    engine.gate.clear()
    backend = ann.env.backend
    message = backend.create_message(channel.id, ann.actor.id, f"<@{ann.env.bot.user.id}> {LAUNCH}")
    await held(engine)
    backend.delete_message(channel.id, message.id)
    engine.gate.set()
    await settle(ann.env)
    assert channel.history() == []


async def test_a_message_that_is_edited_before_its_answer_gets_one(ann, channel, engine):
    engine.gate.clear()
    backend, mention = ann.env.backend, f"<@{ann.env.bot.user.id}>"
    message = backend.create_message(channel.id, ann.actor.id, f"{mention} Who erupted?")
    await held(engine)
    backend.edit_message(channel.id, message.id, {"content": f"{mention} {LAUNCH}"})
    await asyncio.sleep(0.2)
    engine.gate.set()
    await settle(ann.env)
    _, answer = channel.history()
    assert LAUNCHED in shown(answer)


async def test_memory_keeps_no_message_that_was_answered(ann, channel):
    await ann.mention()
    await ann.env.settle()
    gc.collect()
    # By type(): lazy objects of some modules warn, or load more, when asked for their class.
    kept = [m.content for m in gc.get_objects() if issubclass(type(m), discord.Message)]
    assert not any(LAUNCH in content for content in kept)


async def test_nor_does_one_that_is_deleted_at_once(ann, channel):
    backend = ann.env.backend
    message = backend.create_message(channel.id, ann.actor.id, f"<@{ann.env.bot.user.id}> {LAUNCH}")
    backend.delete_message(channel.id, message.id)
    await settle(ann.env)
    assert channel.history() == []


@pytest.mark.parametrize("private", [False, True])
async def test_an_answer_that_comes_too_late_comes_as_a_message(ann, channel, engine, private):
    engine.gate.clear()
    await ask_at_once(ann.env, [(ann.actor, channel, LAUNCH)], private=private)
    await held(engine)
    ann.env.backend.advance_clock(16 * 60)
    engine.gate.set()
    await settle(ann.env)
    place = ann.actor.user.dm_channel if private else channel
    assert LAUNCHED in shown(place.last_message)


async def test_an_interaction_that_discord_has_forgotten_is_no_error(ann):
    ann.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
    result = await ann.ask()
    assert not result.acknowledged


async def test_discord_failing_is_no_error(ann, channel):
    ann.env.inject_error("PATCH", "/webhooks/*", status=500, times=None)
    await ann.ask()
    assert LAUNCHED in shown(channel.last_message)


async def test_an_answer_that_discord_refuses_ends_in_a_short_line(ann, channel, caplog):
    ann.env.inject_error("PATCH", "/webhooks/*", status=400, code=50035)
    result = await ann.ask()
    assert shown(result.response) == "Discord does not take my answer. Whoever runs me sees why."
    assert "Discord refuses a message" in caplog.text
    ann.env.inject_error("PATCH", "/webhooks/*", status=400, code=50035)
    result = await ann.actor.slash(channel, "articles")
    assert shown(result.response) == "Discord does not take my answer. Whoever runs me sees why."


WAITING = "I am still looking …"


async def reply_to(bot, person: Member, values: GuildSettings) -> MessageReply:
    """The way back to someone who mentioned the bot, before there is an answer.

    simcord lets no time pass while the engine works, so nobody waits long there.
    """
    heard: list[discord.Message] = []

    async def on_message(message: discord.Message) -> None:
        heard.append(message)

    bot.add_listener(on_message)
    await person.mention("")
    bot.remove_listener(on_message)
    return MessageReply(
        heard[0],
        values,
        locale="en-US",
        addressed=True,
        deleted=(),
        typing=TypingIndicator(),
        heard=Heard(),
    )


def by_bot(place) -> list[str]:
    return [shown(m) for m in place.history() if m.author.bot]


@pytest.mark.parametrize(
    "values", [GuildSettings(), GuildSettings(threads=True), GuildSettings(private=True)]
)
async def test_whoever_waits_long_is_told_where_the_answer_will_stand(
    ann, channel, simcord_bot, values
):
    reply = await reply_to(simcord_bot, ann, values)
    await reply.acknowledge()
    await reply.wait(WAITING, LAUNCH)
    place = ann.actor.user.dm_channel if values.private else channel
    if values.threads:
        (place,) = channel.threads
    before = [text for text in by_bot(place) if text != WAITING]
    assert by_bot(place)[-1] == WAITING
    assert await reply.place(LAUNCH) == place.id
    await reply.send(notice(LAUNCHED))
    assert by_bot(place) == [*before, LAUNCHED]


async def test_what_was_said_meanwhile_is_taken_back_if_nothing_is_left_to_say(
    ann, channel, simcord_bot
):
    reply = await reply_to(simcord_bot, ann, GuildSettings())
    before = by_bot(channel)
    await reply.acknowledge()
    await reply.wait(WAITING, LAUNCH)
    assert by_bot(channel) == [*before, WAITING]
    await reply.withdraw()
    assert by_bot(channel) == before


async def test_a_page_that_discord_refuses_ends_in_a_short_line(ann, channel):
    answer = (await ann.ask("When did the telescope and the volcano launch?")).response
    ann.env.inject_error("PATCH", "/webhooks/*", status=400, code=50035)
    await ann.click(answer, "More quotes")
    assert shown(channel.last_message) == (
        "Discord does not take my answer. Whoever runs me sees why."
    )


async def test_a_channel_has_one_typing_loop(ann, channel, engine):
    engine.gate.clear()
    backend = ann.env.backend
    for _ in range(4):
        backend.create_message(channel.id, ann.actor.id, f"<@{ann.env.bot.user.id}> {LAUNCH}")
    await held(engine)
    await asyncio.sleep(0.2)
    typing = [r for r in ann.env.http_requests if r.path.endswith("/typing")]
    engine.gate.set()
    await settle(ann.env)
    assert len(typing) == 1


async def test_what_was_told_months_ago_is_told_again(ann, channel, simcord_bot):
    ann.channel = quiet_channel(channel.guild, send_messages=False)
    await ann.mention()
    await ann.env.advance_time(33 * 24 * 3600)
    await until(lambda: not simcord_bot.services.state._all("SELECT * FROM told"))
    await ann.mention()
    await ann.mention()
    assert len(ann.direct_messages) == 2


async def test_whoever_is_forgotten_in_the_middle(ann, channel, engine, simcord_bot):
    engine.gate.clear()
    engine.reached.clear()
    await ask_at_once(ann.env, [(ann.actor, channel, LAUNCH)])
    await held(engine)
    forgotten = begin(ann.env, ann.actor, channel, "forget-me")
    await until(lambda: shown(forgotten.response) == "I had nothing stored of you.")
    engine.gate.set()
    await settle(ann.env)
    assert LAUNCHED in shown(channel.last_message)
    assert simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0) == ()
    await ann.env.advance_time(1)
    await ann.ask()
    assert simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0) == (LAUNCH,)


async def test_a_guild_that_is_left_in_the_middle(ann, channel, engine, simcord_bot):
    guild_id = channel.guild.id
    await ann.ask()
    engine.gate.clear()
    engine.reached.clear()
    await ask_at_once(ann.env, [(ann.actor, channel, LAUNCH)])
    await held(engine)
    ann.env.backend.remove_guild(guild_id)
    engine.gate.set()
    await settle(ann.env)
    assert simcord_bot.services.state.conversation(channel.id, ann.actor.id, 0) == ()
    elsewhere = ann.env.create_guild("Another").create_text_channel("general")
    assert LAUNCHED in shown((await Member(ann.env, elsewhere, "dan").ask()).response)


async def test_a_state_file_that_cannot_be_written_costs_only_the_buttons(ann, simcord_bot):
    simcord_bot.services.state.close()
    for answer in (
        (await ann.ask()).response,
        (await ann.mention(), ann.channel.last_message)[1],
    ):
        assert LAUNCHED in shown(answer)
        assert "Follow-up" not in shown(answer)
