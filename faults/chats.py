"""The chat and the bot on an open index whose reads fail: they say so, and go on when healed."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults import reads
from faults.commands import cache_folder
from faults.corpus import QUESTIONS
from faults.site import Campaign, Row

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

# What the chat is asked: questions, then other looks at the articles.
_LINES = (*((question,) for question in QUESTIONS), (QUESTIONS[0], "/context"))
_LOOKS = (("/articles",), ("/show telescope",))
_UNREADABLE = "I cannot read the articles right now. Whoever runs me has to renew them."
_REMEDY = "; run `qabot rebuild"
_MANY = 1_000_000

Talk = Callable[["Engine", Callable[[], None]], tuple[list[str], list[str], str]]
"""Says all once while reads fail, and once after that; returns what was answered, and the log."""


def in_chat(engine: Engine, harm: Callable[[], None]) -> tuple[list[str], list[str], str]:
    """``qabot repl``, with its lines from a pipe."""
    from rich.console import Console

    from qabot.repl import Repl

    def never() -> Any:
        raise AssertionError("nobody asked for a rebuild")

    def answers() -> list[str]:
        told = []
        for lines in (*_LINES, *_LOOKS):
            sys.stdin = io.StringIO("".join(f"{line}\n" for line in lines))
            said = io.StringIO()
            Repl(engine, rebuild=never, console=Console(file=said, width=80)).run()
            told.append(said.getvalue())
        return told

    with _log() as log:
        harm()
        harmed = answers()
        reads.failing([], -1)()
        return harmed, answers(), log.getvalue()


def on_discord(engine: Engine, harm: Callable[[], None]) -> tuple[list[str], list[str], str]:
    """The bot, in a simulated Discord."""
    import simcord

    from qabot.bot import create_bot
    from tests.bot.support import Member, shown

    # Another process here may have left its state: who was answered, what is registered.
    index = Path(engine.settings.index)
    for path in index.parent.glob(f"{index.name}.bot.sqlite*"):
        path.unlink()
    bot = create_bot(engine, engine.settings)

    async def answers(ann: Member) -> list[str]:
        told = [shown((await ann.ask(question)).response) for question in QUESTIONS]
        told.append(shown((await ann.actor.slash(ann.channel, "articles")).response))
        await ann.mention(QUESTIONS[0])
        return [*told, shown(ann.channel.last_message)]

    async def talk() -> tuple[list[str], list[str]]:
        async with simcord.run(bot, check_errors=False, settle_timeout=60) as env:
            ann = Member(env, env.create_guild().create_text_channel("general"))
            harm()
            harmed = await answers(ann)
            reads.failing([], -1)()
            return harmed, await answers(ann)

    with _log() as log:
        harmed, healed = asyncio.run(talk())
    bot.services.close()
    return harmed, healed, log.getvalue()


TALKS: dict[str, Talk] = {"the chat": in_chat, "the bot": on_discord}


@contextlib.contextmanager
def _log() -> Iterator[io.StringIO]:
    """Collects what is logged."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logging.getLogger().addHandler(handler)
    try:
        yield text
    finally:
        logging.getLogger().removeHandler(handler)


def failing_reads(
    campaign: Campaign, who: str, *, step: int, lasting: bool = False
) -> Iterator[Row]:
    """Each read of the index in turn fails, or all from it on, while questions are asked.

    Args:
        who: Of ``TALKS``.
        step: Take each so-many-th read.
        lasting: All that follow fail, too, until the disk is healed.
    """
    from qabot.answering.engine import Engine

    how = "each read of {} fails, and all after it" if lasting else "each read of {} in turn fails"
    row = Row(f"{how.format(who)}, on an open index")
    talk = TALKS[who]
    for site in campaign.sites(1):
        with Engine.open(site.index, settings=_settings()) as engine:

            def told(number: int, engine: Engine = engine, index: Path = site.index) -> Any:
                amount = reads.EVERY if lasting and number >= 0 else 1  # -1: none fails
                harm = reads.failing([index], number, amount)
                return _forked(lambda: talk(engine, harm))

            right, again, _ = told(-1)
            if right != again:
                raise RuntimeError(f"answers differ without any fault: {right} {again}")
            for number in range(0, reads.count(), step):
                _judge(row, right, *told(number))
                yield row
        if not row.codes:
            raise RuntimeError(f"{who} reads nothing")


def _settings() -> Any:
    from qabot.settings import Settings

    cache = str(cache_folder())
    return Settings(cache=cache, threads=1, user_questions=_MANY, guild_questions=_MANY)


def _judge(
    row: Row, right: Sequence[str], harmed: Sequence[str], healed: Sequence[str], log: str
) -> None:
    """Each answer is right or says in one line what to do; when the disk is healed, all are."""
    row.codes[0] += 1
    wrong = [
        told for told, known in zip(harmed, right, strict=True) if told != known and not _says(told)
    ]
    # What the bot tells people holds no path: that is for its operator.
    if any(told.startswith(_UNREADABLE) for told in harmed) and _REMEDY not in log:
        wrong.append(f"the log says {log!r}")
    if "Traceback" in log:
        wrong.append(log)
    refused = list(harmed) != list(right)
    row.states["wrong" if wrong else "refused" if refused else "before"] += 1
    row.problems += [f"{reads.struck()}: {told!r}" for told in wrong]
    if list(healed) == list(right):
        row.repaired += 1
    else:
        row.problems.append(f"{reads.struck()}: healed, it says {healed}")


def _says(told: str) -> bool:
    """Tell if this says what is wrong, and what to do; the bot gives a question back below it."""
    line = " ".join(told.partition("\n>>> ")[0].split())
    return line == _UNREADABLE or ("cannot be read (" in line and _REMEDY in line)


def _forked(talk: Callable[[], Any]) -> Any:
    """What ``talk`` returns in a process of its own, which has asked nothing yet."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            try:
                json.dump(talk(), file)
                file.flush()
                os._exit(0)
            except BaseException:  # noqa: BLE001 (whatever it is, this process must end here)
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(1)
        _, status = os.waitpid(process, 0)
        if status:
            raise RuntimeError(f"{reads.struck()}: the process ended with {status}")
        file.seek(0)
        return json.load(file)
