"""Measure the Discord bot under load: time to answer, event-loop delay, memory.

    python -m benchmarks.discord [SOURCE...] [--rounds N] [--reader none]

The bot runs as for users, in a process of its own, but against a Discord on loopback: real gateway,
real requests, no network. Times are what Discord sees: from sending an interaction to its
acknowledgement, and to the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.speed import QUESTIONS, machine
from qabot.encoders import PACKAGED, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from tests.bot.fake_discord import TOKEN, FakeDiscord, fake_discord

_TICK = 0.005
_SECONDS_TO_ANSWER = 600.0


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=["seeds"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reader", default=Settings().reader)
    parser.add_argument("--bot", nargs=2, metavar=("URL", "INDEX"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bot:
        address, folder = options.bot
        _run_bot(address, folder, options.reader)
        return
    cache = Settings().cache_folder
    unpack(cache, print)
    table = Table("what", *(f"run {n + 1}" for n in range(options.rounds)), "goal", title=machine())
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        encoder = open_encoder(PACKAGED, cache=cache)
        rebuild(IndexStore(index), encoder, IndexPlan(tuple(options.sources), cache))
        del encoder
        for title, questions, users, seconds in (
            ("200 questions of 50 people in 2 s", 200, 50, 2.0),
            ("100 questions at once", 100, 100, 0.0),
        ):
            runs = [
                asyncio.run(_round(index, options.reader, questions, users, seconds))
                for _ in range(options.rounds)
            ]
            _add_rows(table, title, runs)
    Console().print(table)


def _add_rows(table: Table, title: str, runs: list[dict[str, float]]) -> None:
    table.add_section()
    table.add_row(title)
    for name, key, form, goal in (
        ("answered", "answered", "{:.0f}", "all"),
        ("to the answer, median", "median", "{:.2f} s", ""),
        ("to the answer, 95th percentile", "slow", "{:.2f} s", ""),
        ("to the acknowledgement, longest", "acknowledged", "{:.0f} ms", "≤ 1,000 ms"),
        ("event-loop delay, median", "delay", "{:.1f} ms", ""),
        ("event-loop delay, longest", "longest", "{:.1f} ms", "≤ 50 ms"),
        ("  of that, its own work", "busy", "{:.1f} ms", ""),
        ("peak memory", "memory", "{:.0f} MB", ""),
    ):
        table.add_row(f"  {name}", *(form.format(run[key]) for run in runs), goal)


async def _round(
    index: Path, reader: str, questions: int, users: int, seconds: float
) -> dict[str, float]:
    """Start a bot, ask it ``questions`` from ``users`` over ``seconds``, and stop it."""
    for path in index.parent.glob("index.bot.sqlite*"):
        path.unlink()
    async with fake_discord() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.discord", "--reader", reader),
            *("--bot", server.url, str(index)),
            stdout=asyncio.subprocess.PIPE,
        )
        await _logged_in(server, process)
        sent = await _ask_all(server, questions, users, seconds)
        deadline = time.perf_counter() + _SECONDS_TO_ANSWER
        while _answered(server) < questions and time.perf_counter() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # Shorter than the measured times, and the server's own.
        process.terminate()
        out, _ = await process.communicate()
    return {**_times(server, sent), **json.loads(out)}


async def _logged_in(server: FakeDiscord, process: asyncio.subprocess.Process) -> None:
    """Wait for the bot, however long a busy machine takes, unless it ends instead."""
    ready = asyncio.create_task(server.ready.wait())
    ended = asyncio.create_task(process.wait())
    await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
    for task in (ready, ended):
        task.cancel()
    if not server.ready.is_set():
        sys.exit(f"the bot ended with {process.returncode} before it had logged in")
    await asyncio.sleep(2)


async def _ask_all(
    server: FakeDiscord, questions: int, users: int, seconds: float
) -> dict[str, float]:
    started = time.perf_counter()
    sent = {}
    for number in range(questions):
        wait = started + seconds * number / questions - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        sent[f"interaction-{number + 1}"] = time.perf_counter()
        # No text twice, so that no cache could answer.
        question = f"{QUESTIONS[number % len(QUESTIONS)]} ({number})"
        await server.ask(number + 1, question, 1000 + number % users)
    return sent


def _answered(server: FakeDiscord) -> int:
    """Count answers; whoever waits long is told so by an edit, too."""
    return sum(bool(edit.get("embeds")) for edit in server.edits.values())


def _times(server: FakeDiscord, sent: dict[str, float]) -> dict[str, float]:
    answered = [
        server.times[f"answered {token}"] - start
        for token, start in sent.items()
        if server.edits.get(token, {}).get("embeds")
    ]
    acknowledged = [server.times[f"acknowledged {token}"] - sent[token] for token in sent]
    return {
        "answered": len(answered),
        "median": statistics.median(answered),
        "slow": statistics.quantiles(answered, n=20)[-1],
        "acknowledged": max(acknowledged) * 1000,
    }


def _run_bot(url: str, index: str, reader: str) -> None:
    """Run the bot until SIGTERM, then print its delays and memory."""
    import discord
    import discord.gateway
    import discord.http
    import yarl

    from qabot.answering.engine import Engine
    from qabot.bot import create_bot
    from qabot.bot.running import run_bot

    discord.http.Route.BASE = f"{url}/api"
    gateway = yarl.URL(f"{url.replace('http', 'ws')}/ws")
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway
    settings = Settings(index=index, reader=reader)
    with Engine.open(settings=settings) as engine:
        engine.ask(QUESTIONS[0])
        bot = create_bot(engine, settings)
        watch = _Watch()
        bot.add_listener(watch.start, "on_ready")
        run_bot(bot, TOKEN)
    sys.stdout.write(json.dumps(watch.measured()))


class _Watch:
    """Sleeps briefly on the bot's event loop, again and again, and notes how late it wakes."""

    def __init__(self) -> None:
        self._delays: list[float] = []
        self._busy: list[float] = []
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            before, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK)
            self._delays.append((time.perf_counter() - before - _TICK) * 1000)
            self._busy.append((time.thread_time() - worked) * 1000)

    def measured(self) -> dict[str, float]:
        """Delays in milliseconds, and megabytes."""
        status = Path("/proc/self/status").read_text("utf-8")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        return {
            "delay": statistics.median(self._delays),
            "longest": max(self._delays),
            "busy": max(self._busy),
            "memory": int(peak[1]) / 1024 if peak else 0.0,
        }


if __name__ == "__main__":
    main()
