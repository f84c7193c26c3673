"""Runs the bot until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import discord

from qabot.bot.client import Bot
from qabot.bot.store.starts import STABLE_SECONDS, Starts
from qabot.bot.tokens import INTENT, REFUSED, SHARDS, HideToken
from qabot.errors import BotError
from qabot.shards import Shards
from qabot.text import first_line

_SECONDS_OF_A_TURN = 0.001
SECONDS_TO_END = 88.0
"""Time from SIGTERM to the end of the process, whatever hangs. Service managers wait 90 s."""
# Pauses between attempts while Discord itself fails; the last one is repeated.
LOGIN_PAUSES = (5.0, 15.0, 45.0, 120.0, 300.0)
# Close codes of the gateway that need a person.
_REFUSALS = {4004: REFUSED, 4011: SHARDS, 4014: INTENT}

_log = logging.getLogger(__name__)


def run_bot(bot: Bot, token: str, *, notify: Callable[[str], None] = lambda line: None) -> None:
    """Log the bot in and run it until SIGTERM or SIGINT, which let answers finish.

    Args:
        notify: Takes lines for the operator.

    Raises:
        BotError: Discord refuses the token or an intent, or cannot be reached; or another bot runs
            with the same state.
        StateError: The bot's state cannot be written.
    """
    _log_to_stderr()
    # Bounds how long the event loop waits for the thread that answers.
    sys.setswitchinterval(_SECONDS_OF_A_TURN)
    try:
        with _alone(bot.services.state.path, bot.services.settings.own_shards):
            asyncio.run(_run(bot, token, notify))
    except discord.LoginFailure:
        # Without the cause: a traceback must not hold the token.
        raise BotError(REFUSED) from None
    except discord.PrivilegedIntentsRequired:
        raise BotError(INTENT) from None
    except discord.ConnectionClosed as error:
        raise BotError(_REFUSALS.get(error.code) or _unreachable(error)) from None
    except (aiohttp.ClientError, discord.DiscordException, OSError) as error:
        raise BotError(_unreachable(error)) from None


async def _run(bot: Bot, token: str, notify: Callable[[str], None]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    stop = asyncio.create_task(stopping.wait())
    try:
        async with bot:
            await _wait_turn(bot, stop, notify)
            if not stopping.is_set():
                await _until_stopped(bot, token, stop, notify)
    finally:
        stop.cancel()


async def _wait_turn(bot: Bot, stop: asyncio.Task[bool], notify: Callable[[str], None]) -> None:
    """Wait if the last starts failed, unless stopped meanwhile."""
    starts = _starts(bot)
    seconds = await asyncio.to_thread(starts.delay, time.time())
    if seconds:
        notify(f"the bot ended badly several times; connecting again in {seconds:.0f} s")
        await asyncio.wait({stop}, timeout=seconds)
    await asyncio.to_thread(starts.note, time.time())


def _starts(bot: Bot) -> Starts:
    return Starts(bot.services.state, bot.services.settings.own_shards)


async def _until_stopped(
    bot: Bot, token: str, stop: asyncio.Task[bool], notify: Callable[[str], None]
) -> None:
    starts = _starts(bot)
    started = asyncio.create_task(_start(bot, token, notify))
    done, _ = await asyncio.wait(
        {started, stop}, timeout=STABLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if not done:
        await asyncio.to_thread(starts.clear)
        await asyncio.wait({started, stop}, return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        _end_in_time()
        await asyncio.to_thread(starts.clear)
        await bot.close()
        # It ends by itself now, unless it was still logging in.
        started.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await started
        return
    await started


async def _start(bot: Bot, token: str, notify: Callable[[str], None]) -> None:
    """Log in, again and again while Discord answers by an error of its own, and connect."""
    for seconds in itertools.chain(LOGIN_PAUSES, itertools.repeat(LOGIN_PAUSES[-1])):
        try:
            await bot.login(token)
            break
        except discord.DiscordServerError as error:
            notify(f"Discord fails at login ({error.status}); trying again in {seconds:.0f} s")
            await bot.http.close()
            # Closed with the session; the next login makes a new one.
            bot.http.connector = discord.utils.MISSING
            await asyncio.sleep(seconds)
    # What is loaded by now stays to the end. To look through it for garbage again and again would
    # hold up the event loop for tens of milliseconds each time.
    gc.collect()
    gc.freeze()
    await bot.connect()


def _end_in_time() -> None:
    """End the process even if a thread hangs."""
    timer = threading.Timer(SECONDS_TO_END, os._exit, (1,))
    timer.daemon = True
    timer.start()


@contextlib.contextmanager
def _alone(state: Path, shards: Shards) -> Iterator[None]:
    """Hold the locks of some shards with a state file: two bots would answer everything twice.

    Raises:
        BotError: Another process has one of them, or has another number of shards.
    """
    from filelock import FileLock, Timeout

    count = f"-of-{shards.count}.lock"
    own = {state.with_name(f"{state.name}.{n}{count}") for n in shards.numbers}
    others = {path for path in state.parent.glob(f"{state.name}*.lock") if count not in path.name}
    with contextlib.ExitStack() as held:
        try:
            for path in sorted(own):
                held.enter_context(FileLock(path, timeout=0))
            for path in others:
                with FileLock(path, timeout=0):
                    pass
        except Timeout:
            raise BotError(
                f"{state}: another bot runs with it; stop that one first, or name another --index"
                + (" or other shard_ids, of the same number" if shards.count > 1 else "")
            ) from None
        yield


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(HideToken())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("qabot").setLevel(logging.INFO)


def _unreachable(error: Exception) -> str:
    reason = first_line(error)
    return f"Discord cannot be reached ({reason}); check the network"
