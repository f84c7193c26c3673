"""The queue: order, batches, errors, and how it ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence
from functools import partial

import pytest

from qabot.bot import answers, queue
from qabot.bot.answers import Answering, Asked
from qabot.bot.messages import Outgoing
from qabot.bot.queue import QuestionQueue, QueueFullError, StoppingError
from qabot.bot.rate_limits import WINDOW, QuestionLimits, RateLimit
from qabot.bot.store.guild_settings import Guilds
from qabot.bot.store.state import State
from qabot.settings import Settings
from qabot.shards import Shards
from qabot.types import Answer, Request
from tests.bot.support import until
from tests.support import PATIENCE, ROOT, clean_environment


class Echo:
    """Answers with the question itself, and can be held up.

    Attributes:
        batches: How many questions came together.
        patience: The seconds that the reader was given for each of them.
        gate: Questions wait while it is closed (``clear``).
    """

    settings = Settings()

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.patience: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def ask_many(self, requests: Sequence[Request], *, patience: float) -> list[Answer]:
        self.patience.append(patience)
        self.gate.wait(PATIENCE)
        self.batches.append(len(requests))
        return [Answer(r.question, "not_found", 0.0, (), 1, "echo", 0.0) for r in requests]


@pytest.fixture
def echo():
    echo = Echo()
    yield echo
    echo.gate.set()


@pytest.fixture
def asker(echo):
    asker = QuestionQueue(echo, 20)
    yield asker
    asker.close()


async def ask(asker: QuestionQueue, text: str) -> str:
    with asker.admitted():
        return (await asker.ask(Request(text))).question


async def test_questions_that_wait_are_put_together(asker, echo):
    echo.gate.clear()
    tasks = [asyncio.create_task(ask(asker, str(number))) for number in range(20)]
    await asyncio.sleep(0.05)
    echo.gate.set()
    assert await asyncio.gather(*tasks) == [str(number) for number in range(20)]
    assert sum(echo.batches) == 20
    assert len(echo.batches) < 10


async def test_the_more_people_wait_and_the_longer_the_less_is_read_for_each(asker, echo):
    echo.gate.clear()
    tasks = [asyncio.create_task(ask(asker, str(number))) for number in range(20)]
    await asyncio.sleep(3)
    echo.gate.set()
    await asyncio.gather(*tasks)
    assert echo.batches == [8, 8, 4]
    first, second, _ = echo.patience
    assert 0 < first <= 3 / 20
    # As long as each may read for has passed: what is read is the least.
    assert second == 0


async def test_one_question_is_read_in_full(asker, echo):
    await ask(asker, "alone")
    assert 1 < echo.patience[0] <= 3


class Recorder:
    """The way back to someone who used a command; keeps what they are told meanwhile."""

    addressed = shows_question = True
    is_message = False

    def __init__(self) -> None:
        self.waiting = ""
        self.answer: Outgoing | None = None

    async def acknowledge(self) -> bool:
        return True

    async def wait(self, text: str, question: str) -> None:
        self.waiting = text

    async def place(self, question: str) -> int:
        return len(question)

    async def refuse(self, text: str, question: str = "") -> None:
        self.waiting = text

    async def withdraw(self) -> None:
        self.waiting = ""

    async def send(self, outgoing: Outgoing) -> int | None:
        self.answer = outgoing
        return None


async def test_whoever_waits_long_is_told_how_many_are_before_them(echo, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "SECONDS_TO_WAIT", 0.1)
    echo.gate.clear()
    people = [Recorder() for _ in range(3)]
    with State(tmp_path / "state.sqlite") as state:
        answering = Answering(echo, state, Guilds(state, Shards()), Settings())
        asking = []
        for number, person in enumerate(people):
            asked = Asked(f"What is {number}?", number, None, number, "en-US")
            asking.append(asyncio.create_task(answering.answer(asked, person)))
            await until(partial(getattr, person, "waiting"))
        echo.gate.set()
        await asyncio.gather(*asking)
        answering.close()
    assert [person.waiting for person in people] == [
        "I am still looking …",
        "1 question is before yours …",
        "2 questions are before yours …",
    ]
    assert all(person.answer for person in people)


async def test_a_place_is_free_again_after_an_answer(asker, echo):
    echo.gate.clear()
    tasks = [asyncio.create_task(ask(asker, "x")) for _ in range(20)]
    await asyncio.sleep(0)
    with pytest.raises(QueueFullError):
        await ask(asker, "one too many")
    echo.gate.set()
    await asyncio.gather(*tasks)
    assert await ask(asker, "now") == "now"


async def test_who_gives_up_holds_nobody_up(asker, echo):
    echo.gate.clear()
    first, second = (asyncio.create_task(ask(asker, text)) for text in ("first", "second"))
    await asyncio.sleep(0.05)
    first.cancel()
    echo.gate.set()
    assert await second == "second"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_draining_answers_those_that_wait_and_refuses_others(asker, echo):
    echo.gate.clear()
    tasks = [asyncio.create_task(ask(asker, "x")) for _ in range(12)]
    await asyncio.sleep(0.05)
    drained = asyncio.create_task(asker.drain(30))
    await asyncio.sleep(0)
    with pytest.raises(StoppingError):
        await ask(asker, "too late")
    echo.gate.set()
    await drained
    assert [task.result() for task in tasks] == ["x"] * 12


async def test_what_cannot_be_answered_in_time_is_told(asker, echo):
    echo.gate.clear()
    tasks = [asyncio.create_task(ask(asker, "x")) for _ in range(12)]
    await asyncio.sleep(0.05)
    drained = asyncio.create_task(asker.drain(0.1))
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    echo.gate.set()
    await drained
    results = await asyncio.gather(*tasks, return_exceptions=True)
    # Those that had reached the engine have their answer.
    assert results[0] == "x"
    assert isinstance(results[-1], StoppingError)


async def test_those_whom_the_engine_holds_for_ever_are_told(asker, echo, monkeypatch):
    monkeypatch.setattr(queue, "_SECONDS_TO_TELL", 0.1)
    echo.gate.clear()
    task = asyncio.create_task(ask(asker, "x"))
    await asyncio.sleep(0.05)
    await asker.drain(0.1)
    with pytest.raises(StoppingError):
        await task


_HUNG = """
import asyncio, threading
from qabot.bot import queue
from qabot.bot.queue import QuestionQueue, StoppingError
from qabot.types import Request

class Hung:
    def ask_many(self, requests, *, patience):
        threading.Event().wait()

async def main():
    asked = QuestionQueue(Hung(), 5)
    with asked.admitted():
        task = asyncio.ensure_future(asked.ask(Request("x")))
        await asyncio.sleep(0.1)
    asked.close()
    task.cancel()

asyncio.run(main())
"""


def test_an_engine_that_hangs_does_not_keep_the_process_from_ending():
    ended = subprocess.run(
        [sys.executable, "-c", _HUNG],
        env=clean_environment(),
        cwd=ROOT,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0


ANN, BOB = 1, 2
START = 1000.0


def test_limits_count_a_minute():
    limit = RateLimit(2)
    for now in (START, START + 10):
        assert limit.wait(ANN, now) == 0
        limit.count(ANN, now)
    assert limit.wait(ANN, START + 11) == WINDOW - 11
    assert limit.wait(BOB, START + 11) == 0
    assert limit.wait(ANN, START + WINDOW + 1) == 0


def test_a_clock_that_is_set_back_locks_nobody_out():
    limit = RateLimit(1)
    limit.count(ANN, 1_000_000.0)
    assert limit.wait(ANN, 5.0) == 0


def test_memory_does_not_grow_with_every_visitor():
    limits = QuestionLimits(1, 1)
    for number in range(5000):
        assert limits.ask(number, number, START + number) == 0
    assert len(limits._user._buckets._cache) < 1200


def test_the_longer_wait_counts():
    limits = QuestionLimits(1, 2)
    assert limits.ask(ANN, 7, START) == 0
    assert limits.ask(BOB, 7, START + 30) == 0
    assert limits.ask(BOB, 7, START + 40) == 50
    assert limits.ask(3, 7, START + 40) == 20
    # A question that is refused does not count.
    assert limits.ask(3, 7, START + 61) == 0
