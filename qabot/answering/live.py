"""The generation that an engine answers from: kept open while it is used, left for a newer one."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from qabot.answering.confidence import Confidence
from qabot.answering.fitted import confidence_of
from qabot.answering.reader import Reader
from qabot.answering.retrieval import Retriever
from qabot.encoders import Encoder
from qabot.encoders.probe import gives
from qabot.errors import IndexMismatchError, UnusableIndexError
from qabot.index import Generation, Identity, IndexStore

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Live:
    """An opened generation and how many calls use it now."""

    generation: Generation
    retriever: Retriever
    confidence: Confidence
    users: int = 0
    retired: bool = False


class LiveIndex:
    """Follows an index folder: a call gets the newest generation, and keeps it until it is done.

    Calls are safe from several threads.

    Args:
        store: The index folder.
        encoder: The model that the index was made by.
        reader: The model that marks answers.

    Raises:
        UnusableIndexError: There is no index, it is damaged, or another model made it.
    """

    def __init__(self, store: IndexStore, encoder: Encoder, reader: Reader | None) -> None:
        self._store, self._encoder, self._reader = store, encoder, reader
        self._lock = threading.Lock()
        self._refused: Identity | None = None
        self._live = self._open()

    @contextlib.contextmanager
    def lease(self) -> Iterator[Live]:
        """The live generation, kept open until the caller is done with it."""
        with self._lock:
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
                f"{generation.folder}: {self._encoder.name} gives other vectors now than when the "
                "index was made; run `qabot doctor`"
            )

    def close(self) -> None:
        """Close the index's files, once nobody uses them."""
        with self._lock:
            self._live.retired = True
            idle = self._live.users == 0
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
        """Move to a newly published generation; one that cannot be used changes nothing."""
        live = self._live.generation.manifest.identity
        try:
            identity = self._store.live()
            if identity in (live, self._refused):
                return
            self._refused = identity  # Until it has opened.
            new = self._open()
        except UnusableIndexError as error:
            _log.warning("%s; answering from generation %d", error, live.number)
            return
        self._refused = None
        old, self._live = self._live, new
        old.retired = True
        if old.users == 0:
            old.generation.close()
