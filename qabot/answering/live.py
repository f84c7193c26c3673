"""The generation that an engine answers from: kept open while it is used, left for a newer one."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from qabot.answering.confidence import Confidence
from qabot.answering.fitted import confidence_of
from qabot.answering.reader import Reader
from qabot.answering.retrieval import Retriever
from qabot.encoders import Encoder
from qabot.encoders.probe import gives
from qabot.errors import IndexMismatchError, UnusableIndexError
from qabot.index import Identity, OpenGeneration, Store

# A generation that could not be opened may have been on a disk that was healed since.
_RETRY_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Live:
    """An opened generation and how many calls use it now."""

    generation: OpenGeneration
    retriever: Retriever
    confidence: Confidence
    users: int = 0
    retired: bool = False


class LiveIndex:
    """Follows an index folder: a call gets the newest generation, and keeps it until it is done.

    Calls are safe from several threads.

    Args:
        store: The index.
        encoder: The model that the index was made by.
        reader: The model that marks answers.

    Raises:
        UnusableIndexError: There is no index, it is damaged, or another model made it.
    """

    def __init__(self, store: Store, encoder: Encoder, reader: Reader | None) -> None:
        self._store, self._encoder, self._reader = store, encoder, reader
        self._lock = threading.Lock()
        self._refused: Identity | None = None
        self._refused_at = 0.0
        self._closed = False
        self._live = self._open()

    @contextlib.contextmanager
    def lease(self) -> Iterator[Live]:
        """The live generation, kept open until the caller is done with it.

        Raises:
            ValueError: The index was closed.
        """
        with self._lock:
            # By then another file may have the descriptor of one that was closed.
            if self._closed:
                raise ValueError("the engine is closed")
            self._follow()
            live = self._live
            live.users += 1
        try:
            with live.generation.reading():
                yield live
        finally:
            with self._lock:
                live.users -= 1
                idle = live.retired and live.users == 0
            if idle:
                live.generation.close()

    def check_encoder(self) -> None:
        """Ask the encoder for a vector that is known.

        Raises:
            IndexMismatchError: It gives another one than when the index was made.
        """
        generation = self._live.generation
        if not gives(self._encoder, generation.manifest.probe):
            raise IndexMismatchError(
                f"{generation.place}: {self._encoder.name} gives other vectors now than when the "
                "index was made; run `qabot doctor`"
            )

    def close(self) -> None:
        """Close the index's files, once nobody uses them; from now on, nobody may begin to."""
        with self._lock:
            idle = not self._closed and self._live.users == 0
            self._closed = self._live.retired = True
        if idle:
            self._live.generation.close()

    def _open(self) -> Live:
        generation = self._store.open()
        try:
            retriever = Retriever(generation, self._encoder)
            confidence = confidence_of(self._store.folder, self._encoder, self._reader)
            return Live(generation, retriever, confidence)
        except BaseException:
            generation.close()
            raise

    def _follow(self) -> None:
        """Move to a newly published generation; one that cannot be used changes nothing.

        That one is tried again once a minute, and told of each time.
        """
        live = self._live.generation.manifest.identity
        try:
            identity = self._store.live()
            if identity == live or self._is_refused(identity):
                return
            self._refused, self._refused_at = identity, time.monotonic()  # Until it has opened.
            new = self._open()
        except UnusableIndexError as error:
            _log.warning("%s; answering from generation %d", error, live.number)
            return
        self._refused = None
        old, self._live = self._live, new
        old.retired = True
        if old.users == 0:
            old.generation.close()

    def _is_refused(self, identity: Identity) -> bool:
        """Tell if a generation could not be used a moment ago."""
        recent = time.monotonic() - self._refused_at < _RETRY_SECONDS
        return identity == self._refused and recent
