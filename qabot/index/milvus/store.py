"""An index on a Milvus server: open the live generation, write the next, publish it in one step."""

from __future__ import annotations

import base64
import contextlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import (
    DamagedIndexError,
    IndexMismatchError,
    NoIndexError,
    UnusableIndexError,
    UsageError,
)
from qabot.index.encoded import remove_encoded
from qabot.index.identity import Identity
from qabot.index.manifest import Manifest
from qabot.index.milvus.claim import Claim, Holder
from qabot.index.milvus.generation import Contents, MilvusGeneration
from qabot.index.milvus.server import VECTOR, Server
from qabot.index.milvus.tables import OPEN, Tables
from qabot.index.milvus.writer import MilvusWriter
from qabot.index.open_file import REMEDY
from qabot.index.publishing import is_locked, rebuild_lock, unwritable
from qabot.index.store import KEEP
from qabot.index_address import Address

# No question takes so long: whoever still reads a generation that was replaced before is gone.
LEASE = timedelta(minutes=10)
_KEPT = 2


class MilvusStore:
    """An index on a server.

    Args:
        address: Where it is.
        token: What the server asks for; may be empty.
        keep: How many generations stay when one is published, at least.
        lease: How long ago a generation must have been replaced to be removed.
    """

    def __init__(
        self, address: Address, token: str, *, keep: int = KEEP, lease: timedelta = LEASE
    ) -> None:
        self._address, self._token, self._keep, self._lease = address, token, keep, lease
        # Manifests never change, and a rebuild asks for the newest four times.
        self._contents = lru_cache(_KEPT)(self._read_contents)

    @cached_property
    def _server(self) -> Server:
        return Server(self._address, self._token)

    @property
    def place(self) -> str:
        """Its address."""
        return self._address.text

    @property
    def folder(self) -> Path:
        """What belongs to this machine alone: what it crawled, its confidence, its lock."""
        return self._address.folder

    def _collection(self) -> str:
        """The manifest of the live generation."""
        found = self._server.live(self._address.name)
        if found is None:
            raise NoIndexError(f"{self.place}: no index here; run `qabot rebuild`")
        return found

    def current(self) -> int:
        """Number of the live generation."""
        return self.live().number

    def live(self) -> Identity:
        """The identity of the live generation.

        Raises:
            UnusableIndexError: There is none, or the server does not answer.
        """
        return self.manifest().identity

    def manifest(self) -> Manifest:
        """The manifest of the live generation."""
        return self._contents(self._collection()).manifest

    def _read_contents(self, collection: str) -> Contents:
        rows = self._server.few(collection, ["part", "body"])
        rows.sort(key=lambda row: int(row["part"]))
        place = f"{self.place}: {collection}"
        try:
            content: Any = json.loads("".join(row["body"] for row in rows))
            manifest = Manifest.parse(content["manifest"], place)
            arrays = io.BytesIO(base64.b64decode(content["subspace"], validate=True))
            languages = {k: (int(n), int(words)) for k, (n, words) in content["languages"].items()}
            return Contents(manifest, LanguageSubspace.load(arrays), languages)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise DamagedIndexError(f"{place}: damaged; {REMEDY}") from error

    def open(self, *, whole: bool = True) -> MilvusGeneration:  # noqa: ARG002 (as IndexStore)
        """The live generation.

        Raises:
            UnusableIndexError: There is none, it is damaged, or the server does not answer.
        """
        return self._open(self._collection())

    def _open(self, collection: str) -> MilvusGeneration:
        contents = self._contents(collection)
        tables = Tables(self._address.name, contents.manifest.encoder.dimension)
        return MilvusGeneration(self._server, tables, collection, contents)

    def open_number(self, number: int) -> MilvusGeneration:
        """One of ``numbers()``, live or not.

        Raises:
            UnusableIndexError: It is damaged or of another format.
        """
        return self._open(self._manifests()[number])

    def _manifests(self) -> dict[int, str]:
        return Tables(self._address.name).manifests(self._server)

    @contextlib.contextmanager
    def rebuild(self) -> Iterator[MilvusWriter]:
        """Take this machine's lock and write the next generation.

        Raises:
            RebuildRunningError: Another rebuild is running, here or on another machine.
            StorageError: It could not be published.
            UnreachableIndexError: The server does not answer; the live generation is untouched.
        """
        with self._locked(), (claim := self._claim()).held():
            number, newest, removed = self._tidy()
            writer = MilvusWriter(
                self._server,
                self._address.name,
                Identity.new(number + 1),
                folder=self.folder,
                newest=newest,
                removed=removed,
                claim=claim,
            )
            yield writer
            if writer.published:
                # If the server goes now, the generation is live, and the next rebuild tidies up.
                with contextlib.suppress(UnusableIndexError):
                    self._prune()
            remove_encoded(self.folder)

    def _claim(self) -> Claim:
        return Claim(self._server, self._address.name, self.folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with rebuild_lock(self.folder):
                yield
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def _complete(self) -> tuple[dict[int, str], list[str]]:
        """The manifests that were written to the end, and those that were not."""
        complete, broken = {}, []
        manifests = self._manifests()
        live = self._server.live(self._address.name)
        published = next((n for n, collection in manifests.items() if collection == live), 0)
        for number, collection in manifests.items():
            try:
                # Whatever wrote the live one has looked at those before it.
                if number > published:
                    self._contents(collection)
                complete[number] = collection
            except DamagedIndexError:
                broken.append(collection)
            except IndexMismatchError:
                complete[number] = collection
        return complete, broken

    def _tidy(self) -> tuple[int, MilvusGeneration | None, int]:
        """Remove what killed rebuilds have left.

        Returns:
            The newest generation's number, 0 if there is none; itself, if it can be read; and how
            many leftovers there were.
        """
        complete, broken = self._complete()
        for collection in broken:
            self._server.drop(collection)
        highest, oldest = max(complete, default=0), min(complete, default=0)
        later, gone = f"since > {highest}", f"until <= {oldest}"
        ended = f"until > {highest} and until < {OPEN}"
        unfinished = 0
        for collection, fields in Tables(self._address.name).marked(self._server).items():
            # One question, as each takes the server a fifth of a second.
            if self._server.any(collection, f"{later} or {gone} or ({ended})", "Strong"):
                self._server.delete(collection, later)
                self._server.delete(collection, gone)
                rows = list(self._server.every(collection, ended, [*fields, VECTOR]))
                self._server.replace(collection, ({**row, "until": OPEN} for row in rows))
                unfinished = 1
        newest = None
        with contextlib.suppress(DamagedIndexError, IndexMismatchError):
            newest = self._open(complete[highest]) if complete else None
        return highest, newest, len(broken) + unfinished

    def leftovers(self) -> list[str]:
        """What killed rebuilds have left; a running rebuild has such things, too."""
        complete, left = self._complete()
        highest = max(complete, default=0)
        for collection in Tables(self._address.name).marked(self._server):
            if self._server.any(collection, f"since > {highest}", "Strong"):
                left.append(f"rows in {collection}")
        return left

    def _prune(self) -> None:
        manifests = self._manifests()
        live = self._server.live(self._address.name)
        numbers = list(manifests)
        for number, after in pairwise(numbers):
            if manifests[number] == live or number in numbers[-self._keep :]:
                continue
            replaced = self._contents(manifests[after]).manifest.created
            if datetime.now(UTC) - datetime.fromisoformat(replaced) >= self._lease:
                self._server.drop(manifests.pop(number))
        if len(manifests) < len(numbers):
            for collection in Tables(self._address.name).marked(self._server):
                self._server.delete(collection, f"until <= {min(manifests)}")

    def rollback(self, number: int | None = None) -> Manifest:
        """Make an earlier generation the live one, in one step; what it holds.

        Args:
            number: Its number; the one before the live generation where not given.

        Raises:
            NoIndexError: Nothing was published yet.
            UsageError: There is no such generation.
            UnusableIndexError: It is damaged or of another format; the live one stays.
            RebuildRunningError: A rebuild holds the lock.
        """
        live = self.current()
        with self._locked():
            manifests = self._manifests()
            listed = ", ".join(f"{n} (live)" if n == live else f"{n}" for n in manifests)
            earlier = [n for n in manifests if n < live]
            if number is None and not earlier:
                raise UsageError(
                    f"{self.place}: none before the live one; there are generations {listed}"
                )
            chosen = earlier[-1] if number is None else number
            if chosen not in manifests:
                raise UsageError(
                    f"{self.place}: no generation {chosen}; there are generations {listed}"
                )
            manifest = self._open(manifests[chosen]).manifest
            self._server.switch(self._address.name, manifests[chosen])
            return manifest

    def numbers(self) -> list[int]:
        """The generations that are there, rising."""
        return list(self._manifests())

    def busy(self) -> bool:
        """Tell if a rebuild of this machine has the lock."""
        return is_locked(self.folder)

    def holder(self) -> Holder | None:
        """The machine that has the claim to rebuild, or ``None``."""
        return self._claim().holder()

    def size(self) -> int:
        """Bytes of the live generation on this machine: none."""
        return 0
