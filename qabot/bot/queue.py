"""A bounded queue of questions; a thread puts the waiting ones to the engine in batches.

Nothing here blocks the event loop, and nothing here knows Discord.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qabot.types import Answer, Request

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

# A larger batch would keep its first question waiting for its last.
_BATCH = 8
# The time from a question to the end of its reading. Where many wait, each gets an equal share of
# what is left of it, and at least one group of passages is read: with both, and all else that a
# question costs, the last of many waits for less than ten seconds.
_SECONDS_TO_READ_ALL = 3.0
# Time to tell people that there will be no answer.
_SECONDS_TO_TELL = 5.0

_log = logging.getLogger(__name__)


class QueueFullError(Exception):
    """The queue is full: another question would wait too long."""


class StoppingError(Exception):
    """The bot is stopping and takes no more questions."""


@dataclass(slots=True)
class _Waiting:
    request: Request
    answer: asyncio.Future[Answer]
    since: float


@dataclass(frozen=True, slots=True)
class _Batch:
    requests: Sequence[Request]
    patience: float
    results: asyncio.Future[Sequence[Answer | Exception]]

    def set(self, results: Sequence[Answer | Exception]) -> None:
        """Hand results from the thread to the event loop, unless that has ended."""
        with contextlib.suppress(RuntimeError):
            self.results.get_loop().call_soon_threadsafe(self._set, results)

    def _set(self, results: Sequence[Answer | Exception]) -> None:
        if not self.results.done():
            self.results.set_result(results)


class QuestionQueue:
    """Answers questions off the event loop, in batches, in the order in which they came.

    Args:
        engine: Works in one thread: its model uses all cores for one batch.
        waiting: The most questions that may be waiting or under way.
    """

    def __init__(self, engine: Engine, waiting: int) -> None:
        self._engine = engine
        self._most = waiting
        self._admitted = 0
        self._under_way: list[_Waiting] = []
        self._idle = asyncio.Event()
        self._waiting: deque[_Waiting] = deque()
        self._pump: asyncio.Task[None] | None = None
        self._batches: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        # A daemon: an engine that hangs must not keep the process from ending.
        threading.Thread(target=self._work, name="qabot-questions", daemon=True).start()
        self._stopping = self._closed = False

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Hold a place for one question until it has its answer; a held place is always answered.

        Raises:
            QueueFullError: Too many questions wait.
            StoppingError: The bot is stopping.
        """
        if self._stopping:
            raise StoppingError
        if self._admitted >= self._most:
            raise QueueFullError
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1
            if not self._admitted:
                self._idle.set()

    async def ask(self, request: Request) -> Answer:
        """Answer a question that was admitted.

        Raises:
            QabotError: The engine refuses this question.
            StoppingError: The bot was closed.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.create_future(), loop.time())
        self._waiting.append(waiting)
        # The task ends when nothing waits; it does not live as long as the bot.
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._answer_all())
        return await waiting.answer

    def before(self, request: Request) -> int:
        """Return how many questions are to be answered before a waiting one."""
        for number, item in enumerate(self._waiting):
            if item.request is request:
                return len(self._under_way) + number
        return 0

    async def drain(self, seconds: float) -> None:
        """Admit no more questions, and wait at most that long for those that were admitted.

        The rest then get a ``StoppingError``, and people get time to be told.
        """
        self._stopping = True
        if await self._is_idle(seconds):
            return
        while self._waiting:
            self._refuse(self._waiting.popleft())
        if await self._is_idle(_SECONDS_TO_TELL):
            return
        # The engine hangs.
        for waiting in self._under_way:
            self._refuse(waiting)
        await self._is_idle(_SECONDS_TO_TELL)

    async def _is_idle(self, seconds: float) -> bool:
        if self._admitted:
            self._idle.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
        return not self._admitted

    def _refuse(self, waiting: _Waiting) -> None:
        if not waiting.answer.done():
            waiting.answer.set_exception(StoppingError())

    def close(self) -> None:
        """Let the thread end, without waiting for it."""
        self._stopping = self._closed = True
        self._batches.put(None)

    async def _answer_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            # The asker may have given up by now.
            batch = [item for item in batch if not item.answer.done()]
            self._under_way = batch
            results = await self._run(self._batch(batch))
            self._under_way = []
            for item, result in zip(batch, results, strict=True):
                if item.answer.done():
                    continue
                if isinstance(result, Answer):
                    item.answer.set_result(result)
                else:
                    item.answer.set_exception(result)

    def _batch(self, items: Sequence[_Waiting]) -> _Batch:
        loop = asyncio.get_running_loop()
        patience = self._patience(items, loop.time())
        return _Batch([item.request for item in items], patience, loop.create_future())

    def _patience(self, items: Sequence[_Waiting], now: float) -> float:
        """Return the seconds to read for each: the more people wait, and the longer, the fewer."""
        all_waiting = [*items, *self._waiting]
        if not all_waiting:
            return _SECONDS_TO_READ_ALL
        left = _SECONDS_TO_READ_ALL - (now - all_waiting[-1].since)
        return max(left, 0.0) / len(all_waiting)

    async def _run(self, batch: _Batch) -> Sequence[Answer | Exception]:
        if self._closed:
            return [StoppingError() for _ in batch.requests]
        self._batches.put(batch)
        return await batch.results

    def _work(self) -> None:
        """Answer batches until the queue is closed; runs in the thread."""
        for batch in iter(self._batches.get, None):
            batch.set(self._answers(batch.requests, batch.patience))

    def _answers(
        self, requests: Sequence[Request], patience: float
    ) -> Sequence[Answer | Exception]:
        """Return an answer or an error for each; one question's error does not reach the others."""
        if not requests:
            return []
        try:
            return self._engine.ask_many(requests, patience=patience)
        except Exception as error:  # noqa: BLE001 (each question gets its own error below)
            if len(requests) == 1:
                return [error]
            _log.debug("a batch failed (%s); asking its questions one by one", error)
        return [self._answers([request], patience)[0] for request in requests]
