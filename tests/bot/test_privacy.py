"""What is forgotten leaves no byte, and what people asked reaches no log."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from qabot.bot.store import database
from qabot.bot.store.database import TracesLeftError
from qabot.bot.store.records import GuildSettings
from qabot.bot.store.state import State, state_path
from tests.bot.support import Manager, begin, make_bot, shown, until
from tests.bot.test_manage import Renewal
from tests.bot.test_state import RECORD, _bytes
from tests.support import PATIENCE

PEOPLE = 12


def filled(state: State) -> None:
    """Fill a state with questions of several people and guilds, long ones and short ones."""
    for number in range(30 * PEOPLE):
        who = number % PEOPLE
        question = f"secret-{who:02} " + "why " * (number % 37)
        record = replace(
            RECORD, user_id=who, guild_id=100 + who, question=question, created=float(number)
        )
        answer_id = state.save_answer(record)
        state.log_question(replace(record, id=answer_id))
        state.save_feedback(answer_id, who, helpful=True, now=float(number))


def test_a_person_leaves_no_byte(tmp_path):
    path = tmp_path / "state"
    with State(path) as state:
        filled(state)
        for who in range(PEOPLE):
            assert state.forget_user(who) == 90
            assert f"secret-{who:02}".encode() not in _bytes(path)


def test_a_guild_leaves_no_byte(tmp_path):
    path = tmp_path / "state"
    with State(path) as state:
        filled(state)
        for who in range(PEOPLE):
            state.forget_guild(100 + who)
            assert f"secret-{who:02}".encode() not in _bytes(path)
        assert list(state.feedback()) == []


def test_traces_that_a_reader_keeps_alive_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "_SECONDS_TO_WAIT", 0.1)
    path = tmp_path / "state"
    with State(path) as state:
        filled(state)
        reader = sqlite3.connect(path)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM answer").fetchone()
        with pytest.raises(TracesLeftError, match="another program reads it"):
            state.forget_user(3)
        reader.close()
        # All was removed; the next try has only the traces left to do.
        assert state.forget_user(3) == 0
        assert b"secret-03" not in _bytes(path)


async def test_a_person_is_told_of_traces_and_of_nothing_else(ann, channel, simcord_bot):
    await ann.ask("Where did the secretive telescope fly?")
    reader = sqlite3.connect(simcord_bot.services.state.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM answer").fetchone()
    with simcord_bot.services.state._lock:
        simcord_bot.services.state._connection.execute("PRAGMA busy_timeout = 100")
    result = await ann.actor.slash(channel, "forget-me")
    assert shown(result.response).startswith("I have removed everything about you, but")
    reader.close()
    result = await ann.actor.slash(channel, "forget-me")
    assert shown(result.response) == "I had nothing stored of you."
    assert b"secretive" not in _bytes(simcord_bot.services.state.path)


async def test_a_guild_that_was_left_while_the_bot_was_away_is_forgotten(
    ann, channel, engine, settings
):
    await ann.ask()
    with State(state_path(settings.index)) as state:
        state.save_guild(4242, GuildSettings(threads=True))
        state.save_answer(replace(RECORD, guild_id=4242, question="a secret of theirs"))
    bot = make_bot(engine, settings)
    await ann.env.restart_bot(bot)
    await ann.env.settle()
    assert bot.services.state.guilds() == {channel.guild.id}
    assert b"a secret of theirs" not in _bytes(bot.services.state.path)
    bot.services.close()


class TestStatus:
    @pytest.fixture
    def renewal(self, engine, tmp_path):
        return Renewal(engine, tmp_path)

    @pytest.fixture
    def simcord_bot(self, engine, settings, renewal):
        bot = make_bot(engine, settings, renewal)
        yield bot
        bot.services.close()

    async def test_status_names_nobody_who_was_forgotten(self, simcord_env, channel):
        mod, other = Manager(simcord_env, channel), Manager(simcord_env, channel, "other")
        await mod.use("rebuild")
        assert f"<@{mod.actor.id}>" in shown((await other.use("status")).response)
        await mod.use("forget-me")
        text = shown((await other.use("status")).response)
        assert "asked for by a manager" in text
        assert str(mod.actor.id) not in text

    async def test_nor_while_the_rebuild_runs(self, simcord_env, channel, renewal):
        mod, other = Manager(simcord_env, channel), Manager(simcord_env, channel, "other")
        renewal.go.clear()
        begin(simcord_env, mod.actor, channel, "rebuild")
        await until(lambda: renewal.sources)
        forgotten = begin(simcord_env, mod.actor, channel, "forget-me")
        await until(lambda: shown(forgotten.response))
        renewal.go.set()
        await simcord_env.settle(timeout=PATIENCE)
        assert "asked for by a manager" in shown((await other.use("status")).response)


async def test_a_person_is_forgotten_by_name(ann, channel, simcord_bot):
    message = await ann.say("good morning")
    people = simcord_bot.services.people
    assert await people.are_any({"ann"}, message)
    await ann.actor.slash(channel, "forget-me")
    assert "ann" not in people._channels[channel.id]


async def test_nor_does_one_of_a_listener(ann, simcord_bot, monkeypatch, caplog):
    question = "Who told the secretive telescope?"

    def broken(message_id):
        raise ZeroDivisionError(question)

    monkeypatch.setattr(simcord_bot.services.state, "answer_by_message", broken)
    await ann.mention()
    await ann.say(f"<@{simcord_bot.user.id}> {question}", reply_to=ann.channel.last_message)
    # simcord tells of it, too.
    assert [str(error) for error in ann.env.errors] == [question]
    assert "on_message failed: ZeroDivisionError" in caplog.text
    assert "secretive" not in caplog.text


async def test_an_exception_takes_no_question_into_the_log(ann, engine, monkeypatch, caplog):
    def broken(requests, *, patience):
        raise ZeroDivisionError(requests[0].question)

    monkeypatch.setattr(engine, "ask_many", broken)
    await ann.ask("Who told the secretive telescope?")
    assert "ZeroDivisionError" in caplog.text
    assert "secretive" not in caplog.text
