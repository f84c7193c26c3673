"""``qabot bot`` as a process: tokens, intents, registering commands, stopping, backing off."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import shutil
import signal
import time

import pytest

from qabot.bot.store.records import GuildSettings
from qabot.bot.store.starts import Starts, delay_after
from qabot.bot.store.state import State, state_path
from qabot.bot.tokens import INTENT, MISSING, REFUSED, SHARDS, HideToken, read_token
from qabot.errors import BotError
from qabot.shards import Shards
from tests.bot.fake_discord import TOKEN, fake_discord, outcome, start_bot
from tests.bot.support import until
from tests.support import PATIENCE, run_qabot, write_article

PORTAL = "open https://discord.com/developers/applications, your application, Bot, Reset Token"


@pytest.fixture
def environment(real_index, tmp_path):
    """The variables of a bot whose state is its own: an index that is the real one by a link."""
    (tmp_path / "index").symlink_to(real_index.folder)
    return {
        "QABOT_INDEX": str(tmp_path / "index"),
        "QABOT_CACHE": str(real_index.cache),
        "QABOT_READER": "none",
    }


async def line_of(process: asyncio.subprocess.Process, text: str) -> None:
    """Wait until the process logs a line with this text."""
    assert process.stderr
    line = b""
    while text.encode() not in line:
        line = await asyncio.wait_for(process.stderr.readline(), PATIENCE)
        assert line, f"it ended without {text!r}"


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_missing_token_is_told_before_anything_is_loaded(tmp_path):
    process = run_qabot("bot", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == f"qabot: {MISSING}\n"


def test_a_missing_index_is_told(tmp_path):
    process = run_qabot("bot", cwd=tmp_path, environment={"QABOT_TOKEN": TOKEN})
    assert (process.returncode, process.stdout) == (3, "")
    assert process.stderr.startswith("qabot: ")
    assert "qabot rebuild" in process.stderr
    assert len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("wrong", ["hello", "my.secret.value", TOKEN[:30], f"{TOKEN} {TOKEN}"])
def test_what_cannot_be_a_token_is_told_and_not_shown(tmp_path, wrong):
    process = run_qabot("bot", "--debug", cwd=tmp_path, environment={"QABOT_TOKEN": wrong})
    assert process.returncode == 1  # A traceback, as --debug asks.
    assert f"the variable QABOT_TOKEN holds no token: {PORTAL}" in process.stderr
    assert wrong not in process.stderr


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("bot",), {"QABOT_TOKEN_FILE": TOKEN}),
        (("bot", "--debug"), {"QABOT_TOKEN_FILE": TOKEN}),
        (("bot", "--index", TOKEN), {"QABOT_TOKEN": TOKEN}),
        (("bot", TOKEN), {}),
        (("doctor",), {"QABOT_TOKEN_FILE": TOKEN}),
        (("doctor", "--json"), {"QABOT_SOURCES": TOKEN, "QABOT_ENCODER": TOKEN}),
        (("bot",), {"QABOT_REBUILD_EVERY": TOKEN}),
        (("rebuild", TOKEN), {}),
    ],
)
def test_what_has_a_tokens_shape_is_never_echoed(tmp_path, arguments, environment):
    process = run_qabot(*arguments, cwd=tmp_path, environment=environment)
    assert process.returncode != 0
    said = process.stdout + process.stderr
    assert said
    assert not any(part in said for part in TOKEN.split("."))


def test_a_token_in_the_place_of_its_file_is_told(tmp_path):
    process = run_qabot("bot", cwd=tmp_path, environment={"QABOT_TOKEN_FILE": TOKEN})
    assert process.stderr == (
        "qabot: the setting token_file holds a token: put it into a file and name that file, or "
        "into the variable QABOT_TOKEN\n"
    )


def test_a_token_is_read_from_variables_and_then_from_the_file(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"\nBot {TOKEN}\n")
    other = TOKEN.replace("fake", "same")
    assert read_token(str(file), {}) == TOKEN
    assert read_token(str(file), {"DISCORD_TOKEN": other}) == other
    assert read_token("", {"QABOT_TOKEN": TOKEN, "DISCORD_TOKEN": other}) == TOKEN


def test_a_token_file_that_cannot_be_read_is_named(tmp_path):
    path = str(tmp_path / "none")
    with pytest.raises(BotError) as caught:
        read_token(path, {})
    assert str(caught.value) == (
        f"{path}: the token cannot be read (No such file or directory); {PORTAL}"
    )
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(BotError, match="not text"):
        read_token(str(tmp_path / "binary"), {})


def test_the_log_never_shows_the_token_and_tells_lost_connections_in_a_line():
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.addFilter(HideToken())
    for name in ("discord.client", "another.library"):
        logger = logging.Logger(name)  # noqa: LOG001 (of this test only)
        logger.addHandler(handler)
        try:
            raise OSError(f"no way with {TOKEN}")
        except OSError:
            logger.exception("Trying again with %s", TOKEN)
    text = output.getvalue()
    assert TOKEN not in text
    first, second, *trace, last = text.splitlines()
    assert first == "Trying again with [token] (OSError: no way with [token])"
    assert second == "Trying again with [token]"
    assert trace[0] == "Traceback (most recent call last):"
    assert last == "OSError: no way with [token]"


@pytest.mark.slow
async def test_a_wrong_token_ends_in_one_line(environment, tmp_path):
    wrong = TOKEN.replace("fake", "gone")
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=wrong, **environment)
        assert await outcome(process) == (2, f"qabot: {REFUSED}\n")


@pytest.mark.slow
async def test_an_intent_that_is_not_granted_ends_in_one_line(environment, tmp_path):
    environment["QABOT_MESSAGE_CONTENT"] = "true"
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        code, text = await outcome(process)
    assert code == 2
    assert text.splitlines()[-1] == f"qabot: {INTENT}"
    assert TOKEN not in text


@pytest.mark.slow
async def test_a_bot_that_needs_shards_ends_in_one_line(environment, tmp_path):
    async with fake_discord() as server:
        server.closing_code = 4011
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        code, text = await outcome(process)
    assert (code, text.splitlines()[-1]) == (2, f"qabot: {SHARDS}")


@pytest.mark.slow
async def test_a_discord_that_is_out_of_reach_ends_in_one_line(environment, tmp_path):
    async with fake_discord() as server:
        pass
    process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
    code, text = await outcome(process)
    assert code == 2
    assert re.fullmatch(r"qabot: Discord cannot be reached \(.+\); check the network\n", text)


# --- Running --------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_sigterm_lets_answers_finish_and_then_leaves(environment, tmp_path):
    questions = ["how wide is the mirror?"] * 9
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        for number, question in enumerate(questions):
            await server.ask(1000 + number, question)
        await asyncio.wait_for(server.acknowledged.wait(), PATIENCE)
        process.send_signal(signal.SIGTERM)
        code, text = await outcome(process)
    assert (code, TOKEN in text) == (0, False)
    # What was acknowledged is answered.
    assert server.edits
    for edit in server.edits.values():
        assert "6.5 metres wide" in json.dumps(edit)


_HUNG = """
import threading
from qabot.answering.engine import Engine
from qabot.bot import answers, client, queue

def hang(self, requests, *, patience):
    with self._index.lease():
        threading.Event().wait()

Engine.ask_many = hang
answers.SECONDS_TO_WAIT = client._SECONDS_TO_FINISH = queue._SECONDS_TO_TELL = 0.5
"""


@pytest.mark.slow
async def test_sigterm_ends_the_process_though_the_engine_hangs(environment, tmp_path):
    question = "how wide is the mirror?"
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, first=_HUNG, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        for number in range(10):
            await server.ask(number, question, number)

        def said() -> list[str]:
            return [server.edits[f"interaction-{number}"]["content"] for number in range(10)]

        looking = "I am still looking …"

        def places(under_way: int) -> list[str]:
            before = ["1 question is before yours …"]
            before += [f"{n} questions are before yours …" for n in range(2, 10)]
            return [looking] * under_way + before[under_way - 1 :]

        # One batch is under way, and of the rest each one knows their place. They need not come in
        # the order in which they were sent.
        await until(lambda: len(server.edits) == 10)
        assert sorted(said()) == sorted(places(said().count(looking)))
        process.send_signal(signal.SIGTERM)
        code, text = await outcome(process)
        assert code == 0, text
        stopping = f"I am being restarted. Please ask again in a minute.\n>>> {question}"
        assert said() == [stopping] * 10


@pytest.mark.slow
@pytest.mark.parametrize("when", ["while one runs", "when none runs"])
async def test_sigterm_ends_rebuilds_that_nobody_asked_for(real_index, tmp_path, when):
    shutil.copytree(real_index.folder, tmp_path / "index")
    shutil.copytree(real_index.articles, tmp_path / "articles")
    environment = {"QABOT_CACHE": str(real_index.cache), "QABOT_READER": "none"}
    rebuilt = await asyncio.to_thread(
        run_qabot, "rebuild", "articles", cwd=tmp_path, environment=environment
    )
    assert rebuilt.returncode == 0
    environment["QABOT_WATCH"] = "true"
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        if when == "while one runs":
            write_article(tmp_path / "articles", "new", "Mars has two moons.")
            await line_of(process, "registered the commands")
        else:
            # What is written before this may be read by the first rebuild, and is no change then.
            await line_of(process, "rebuilt (started)")
            write_article(tmp_path / "articles", "new", "Mars has two moons.")
            await line_of(process, "rebuilt (changed: articles/new.md)")
        process.send_signal(signal.SIGTERM)
        code, text = await outcome(process)
    assert (code, "failed" in text, "Traceback" in text) == (0, False, False)


@pytest.mark.slow
async def test_a_second_bot_on_the_same_state_refuses_to_start(environment, tmp_path):
    async with fake_discord() as server:
        first = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        second = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        state = state_path(tmp_path / "index")
        assert await outcome(second) == (
            2,
            f"qabot: {state}: another bot runs with it; stop that one first, or name another "
            "--index\n",
        )
        first.send_signal(signal.SIGTERM)
        assert (await outcome(first))[0] == 0


@pytest.mark.slow
async def test_several_processes_share_the_shards_and_the_state(environment, tmp_path):
    path = state_path(tmp_path / "index")
    # Of the last one, the bot hears nothing here: it is in a shard that no process has.
    guilds = {shard: (1000 + shard) << 22 for shard in (0, 1, 2)}
    with State(path) as state:
        for guild in guilds.values():
            state.save_guild(guild, GuildSettings(private=True))

        async def start(shards: str) -> asyncio.subprocess.Process:
            server.ready.clear()
            more = {"QABOT_SHARD_IDS": shards, "QABOT_HOME_GUILDS": "1"} if shards else {}
            return await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **more, **environment)

        async with fake_discord() as server:
            running = []
            for number in (0, 1):
                running.append(await start(f"{number}/4"))
                await asyncio.wait_for(server.ready.wait(), PATIENCE)
                # It has left its own, as far as Discord tells.
                await until(lambda: guilds[len(running) - 1] not in state.guilds())
                assert state.guilds() == {g for n, g in guilds.items() if n > number}
            assert server.shards == [[0, 4], [1, 4]]
            code, text = await outcome(
                await start_bot(
                    server, tmp_path, QABOT_TOKEN=TOKEN, QABOT_SHARD_IDS="3/4", **environment
                )
            )
            assert (code, text.startswith("qabot: shard_ids: needs home_guilds")) == (2, True)
            # Commands are registered by one of them.
            assert len(server.synced) == 1
            for taken in ("1-2/4", "2-3/8", ""):
                code, text = await outcome(await start(taken))
                assert code == 2
                assert text.startswith(f"qabot: {path}: another bot runs with it; stop that one")
            for process in running:
                process.send_signal(signal.SIGTERM)
                assert (await outcome(process))[0] == 0


@pytest.mark.slow
async def test_a_discord_that_fails_at_login_is_tried_again(environment, tmp_path):
    async with fake_discord() as server:
        server.failures = 1
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        process.send_signal(signal.SIGTERM)
        code, text = await outcome(process)
    assert code == 0
    assert "Discord fails at login (503); trying again in 5 s\n" in text


@pytest.mark.slow
async def test_a_gateway_that_drops_loses_no_answer(environment, tmp_path):
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=TOKEN, **environment)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        await server.ask(1001, "how wide is the mirror?")
        await asyncio.wait_for(server.acknowledged.wait(), PATIENCE)
        await server.drop()
        await server.answers(1)
        await asyncio.wait_for(server.ready.wait(), PATIENCE)
        await server.ask(1002, "how wide is the mirror?")
        await server.answers(2)
        process.send_signal(signal.SIGTERM)
        assert (await outcome(process))[0] == 0
    for edit in server.edits.values():
        assert "6.5 metres wide" in json.dumps(edit)


@pytest.mark.slow
async def test_commands_are_registered_once_until_they_change(environment, tmp_path):
    async with fake_discord() as server:
        for arguments in ((), (), ("--sync",)):
            server.ready.clear()
            process = await start_bot(
                server, tmp_path, *arguments, QABOT_TOKEN=TOKEN, **environment
            )
            await asyncio.wait_for(server.ready.wait(), PATIENCE)
            process.send_signal(signal.SIGINT)
            assert (await outcome(process))[0] == 0
    first, again = server.synced
    assert first == again
    names = {command["name"] for command in first}
    assert names >= {"ask", "articles", "show", "status", "help", "Ask the articles about this"}


@pytest.mark.slow
async def test_a_crash_loop_backs_off(environment, tmp_path):
    wrong = TOKEN.replace("fake", "gone")
    state = state_path(environment["QABOT_INDEX"])
    with State(state) as opened:
        for _ in range(5):
            Starts(opened, Shards()).note(time.time())
    async with fake_discord() as server:
        process = await start_bot(server, tmp_path, QABOT_TOKEN=wrong, **environment)
        assert process.stderr
        line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE)).decode()
        assert line == "the bot ended badly several times; connecting again in 20 s\n"
        # Whoever waits can still be stopped.
        process.send_signal(signal.SIGTERM)
        assert await outcome(process) == (0, "")


def test_delays_grow_to_a_bound():
    delays = [delay_after(failures) for failures in range(12)]
    assert delays[:6] == [0, 0, 0, 5, 10, 20]
    assert delays == sorted(delays)
    assert delays[-1] == 300


def test_starts_that_ended_well_or_long_ago_do_not_count(tmp_path):
    with State(tmp_path / "state") as state:
        starts = Starts(state, Shards())
        for number in range(4):
            starts.note(1000.0 + number)
        assert starts.delay(1010.0) == 10
        assert starts.delay(9000.0) == 0
        starts.clear()
        assert starts.delay(1010.0) == 0


def test_help_needs_no_discord(tmp_path):
    process = run_qabot("bot", "--help", cwd=tmp_path)
    assert process.returncode == 0
    assert re.search(r"--sync +Register the commands again", process.stdout)
