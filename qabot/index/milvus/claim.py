"""The claim of one machine to rebuild an index: Milvus itself has no locks.

A collection has the fields of whoever created it first. So two machines that create one at once see
whose it is.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qabot.errors import RebuildRunningError, StorageError, UnreachableIndexError
from qabot.index.milvus.server import Kind, Server

# A claim is renewed this often, and given up for lost after so many seconds.
_BEAT = 30.0
_LOST = 600.0
# Seconds to wait for a renewal that is on its way.
_PARTING = 2.0
# Seconds from its creation to its first renewal, at most.
_BEGINNING = 10.0
_MACHINE = "MACHINE"
_OWNER = re.compile("by_([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the claim.

    Attributes:
        name: The machine, and its folder.
        here: Whether it is this one.
        silent: Seconds since it was heard of last.
    """

    name: str
    here: bool
    silent: float

    @property
    def works(self) -> bool:
        """Whether it may be rebuilding: it missed no more than one renewal."""
        return self.silent < 3 * _BEAT

    @property
    def lapses(self) -> float:
        """Seconds until any machine may take it over."""
        return 0.0 if self.here else max(0.0, _LOST - self.silent)


class Claim:
    """This machine's claim to an index.

    Args:
        name: The index's.
        folder: What belongs to this machine; its lock is held.
    """

    def __init__(self, server: Server, name: str, folder: Path) -> None:
        self._server, self._collection, self._folder = server, f"{name}_rebuild", folder
        self._field = ""
        self._over = threading.Event()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Have it, until the end of the block.

        Raises:
            RebuildRunningError: Another machine has it.
        """
        self._field = _field(_made(self._folder))
        owner = self._owner()
        # A rebuild that was killed here has left it: the lock of this machine is ours.
        if owner and owner != self._field and not self._is_lost(owner):
            raise self._refusal(owner)
        if owner and owner != self._field:
            self._server.drop(self._collection)
            owner = None
        if owner is None:
            fields: dict[str, Kind] = {"part": "key", "body": "text", self._field: "number"}
            # Whoever comes second is told so in other words by each server.
            with contextlib.suppress(UnreachableIndexError):
                self._server.create(self._collection, fields)
            if (owner := self._owner()) != self._field:
                raise self._refusal(owner or "")
        self._renew()
        beats = threading.Thread(target=self._beat, name="claim", daemon=True)
        beats.start()
        try:
            yield
        except BaseException:
            # Whoever presses Ctrl-C, or has waited for the server in vain, waits no longer: what is
            # left is this machine's, and its next rebuild takes it over.
            with self._server.hurried():
                self._leave(beats)
            raise
        self._leave(beats)

    def _leave(self, beats: threading.Thread) -> None:
        self._over.set()
        beats.join(_PARTING)
        with contextlib.suppress(UnreachableIndexError):
            if self._owner() == self._field:
                self._server.drop(self._collection)

    def holder(self) -> Holder | None:
        """Who has it, or ``None``; this changes nothing."""
        owner = self._owner()
        if owner is None:
            return None
        name, renewed = "a machine that has not told its name", 0
        for row in self._server.few(self._collection, ["body", owner]):
            name, renewed = row["body"], int(row[owner])
        here = owner == _field(_known(self._folder))
        return Holder(name, here, max(0.0, time.time() - renewed))

    def check(self) -> None:
        """Make sure that no other machine has taken it for lost.

        Raises:
            StorageError: One has.
        """
        if self._owner() != self._field:
            raise StorageError(
                f"{self._server.address.text}: another machine has taken over, for this one did "
                "not answer for ten minutes; run `qabot rebuild` again"
            )

    def _owner(self) -> str | None:
        """The field that names who has it."""
        if not self._server.exists(self._collection):
            return None
        return next(filter(_OWNER.fullmatch, self._server.fields(self._collection)), None)

    def _is_lost(self, owner: str) -> bool:
        # Nothing in it: it was created a moment ago, or by a rebuild that was killed just then.
        for pause in (0.0, _BEGINNING):
            time.sleep(pause)
            for row in self._server.few(self._collection, [owner]):
                return time.time() - int(row[owner]) > _LOST
        return True

    def _refusal(self, owner: str) -> RebuildRunningError:
        with contextlib.suppress(UnreachableIndexError):
            for row in self._server.few(self._collection, ["body"]):
                owner = row["body"]
        return RebuildRunningError(
            f"{self._server.address.text}: another machine is rebuilding it ({owner}); wait for "
            "it to end"
        )

    def _renew(self) -> None:
        body = f"{socket.gethostname()}:{self._folder.absolute()}"
        row = {"part": 0, "body": body, self._field: int(time.time())}
        self._server.replace(self._collection, [row])

    def _beat(self) -> None:
        while not self._over.wait(_BEAT):
            # A server that is gone for a while costs no claim.
            with contextlib.suppress(UnreachableIndexError):
                self._renew()


def _field(machine: str) -> str:
    return f"by_{machine}"


def _known(folder: Path) -> str:
    """This machine's id, which its folder keeps; empty if it has none yet."""
    with contextlib.suppress(OSError, ValueError):
        found = (folder / _MACHINE).read_text("ascii")
        return found if _OWNER.fullmatch(_field(found)) else ""
    return ""


def _made(folder: Path) -> str:
    """This machine's id, made where there is none."""
    known = _known(folder)
    if not known:
        known = uuid.uuid4().hex
        (folder / _MACHINE).write_text(known, "ascii")
    return known
