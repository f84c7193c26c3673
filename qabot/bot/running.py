"""Runs the bot until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import Callable

import aiohttp
import discord

from qabot.bot.client import Bot
from qabot.bot.store.starts import STABLE_SECONDS, Starts
from qabot.bot.tokens import INTENT, REFUSED, SHARDS, HideToken
from qabot.errors import BotError
from qabot.text import first_line

_SECONDS_OF_A_TURN = 0.001
# Close codes of the gateway that need a person.
_REFUSALS = {4004: REFUSED, 4011: SHARDS, 4014: INTENT}

_log = logging.getLogger(__name__)


def run_bot(bot: Bot, token: str, *, notify: Callable[[str], None] = lambda line: None) -> None:
    """Log the bot in and run it until SIGTERM or SIGINT, which let answers finish.

    Args:
        notify: Takes lines for the operator.

    Raises:
        BotError: Discord refuses the token or an intent, or cannot be reached.
        StateError: The bot's state cannot be written.
    """
    _log_to_stderr(token)
    # Bounds how long the event loop waits for the thread that answers.
    sys.setswitchinterval(_SECONDS_OF_A_TURN)
    try:
        asyncio.run(_run(bot, token, notify))
    except discord.LoginFailure:
        # Without the cause: a traceback must not hold the token.
        raise BotError(REFUSED) from None
    except discord.PrivilegedIntentsRequired:
        raise BotError(INTENT) from None
    except discord.ConnectionClosed as error:
        raise BotError(_REFUSALS.get(error.code) or _unreachable(error, token)) from None
    except (aiohttp.ClientError, discord.DiscordException, OSError) as error:
        raise BotError(_unreachable(error, token)) from None


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
                await _until_stopped(bot, token, stop)
    finally:
        stop.cancel()


async def _wait_turn(bot: Bot, stop: asyncio.Task[bool], notify: Callable[[str], None]) -> None:
    """Wait if the last starts failed, unless stopped meanwhile."""
    starts = Starts(bot.services.state)
    seconds = await asyncio.to_thread(starts.delay, time.time())
    if seconds:
        notify(f"the bot ended badly several times; connecting again in {seconds:.0f} s")
        await asyncio.wait({stop}, timeout=seconds)
    await asyncio.to_thread(starts.note, time.time())


async def _until_stopped(bot: Bot, token: str, stop: asyncio.Task[bool]) -> None:
    starts = Starts(bot.services.state)
    started = asyncio.create_task(bot.start(token))
    done, _ = await asyncio.wait(
        {started, stop}, timeout=STABLE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    if not done:
        await asyncio.to_thread(starts.clear)
        await asyncio.wait({started, stop}, return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        await asyncio.to_thread(starts.clear)
        await bot.close()
        # It ends by itself now, unless it was still logging in.
        started.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await started
        return
    await started


def _log_to_stderr(token: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(HideToken(token))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("qabot").setLevel(logging.INFO)


def _unreachable(error: Exception, token: str) -> str:
    reason = first_line(error).replace(token, "[token]")
    return f"Discord cannot be reached ({reason}); check the network"
