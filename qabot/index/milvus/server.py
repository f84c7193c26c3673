"""A Milvus server: the one importer of its client."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from qabot.errors import UnreachableIndexError, UsageError
from qabot.index.milvus.packing import LONGEST
from qabot.index_address import Address

if TYPE_CHECKING:
    from pymilvus import MilvusClient

Row = dict[str, Any]
Level = Literal["Strong", "Bounded"]
Kind = Literal["key", "number", "text", "tags"]
# Seconds for one call that reads or writes: until then, the client repeats it.
_PATIENCE = 30.0
_WRITING = 60.0
# Where somebody waits to leave.
_HURRY = 3.0
# For all that was written to be indexed, at most: 100,000 passages take minutes.
_INDEXING = 900.0
_PAUSE = 0.5
# A server that is back is found within a second, not within two minutes.
_OPTIONS = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
}
# Rows that are sent or asked for at a time: well below the 64 MB that a message may have. Of rows
# with at most one text, more.
_BATCH = 256
LIGHT = 1024
_MOST_TAGS = 1000
VECTOR, PRODUCT = "vector", "product"
# So many times as many rows as are wanted are looked at, up to the most that Milvus allows. Left to
# itself, it follows its graph to no more than are wanted, and may lose its way to the nearest.
_LOOKED_AT, _MOST_LOOKED_AT = 20, 32_768
# Every collection has to have vectors: those of collections that need none.
_NONE = [0.0, 0.0]


class Server:
    """One connection; calls are safe from several threads.

    Args:
        address: Where it is.
        token: What it asks for, ``user:password`` or a key; may be empty.

    Raises:
        UnreachableIndexError: Of any call, where the server does not answer as it should.
    """

    def __init__(self, address: Address, token: str) -> None:
        self.address, self._token = address, token
        # It would write to standard error what it raises.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        try:
            from grpc import RpcError
            from pymilvus import MilvusClient, MilvusException
        except ImportError as error:
            raise UsageError(
                f"{address.text}: needs the client of Milvus; pip install 'qabot[milvus]'"
            ) from error
        # It logs with a traceback what it raises.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self._errors = (MilvusException, RpcError, OSError)
        self._connect = MilvusClient
        self._connected: MilvusClient | None = None
        self._ready: set[str] = set()
        self._hurried = False
        with self._answering():
            _ = self._client

    @contextlib.contextmanager
    def hurried(self) -> Iterator[None]:
        """Wait for a few seconds at most in each call."""
        self._hurried = True
        try:
            yield
        finally:
            self._hurried = False

    @property
    def _patience(self) -> float:
        return min(_PATIENCE, _HURRY) if self._hurried else _PATIENCE

    @property
    def _writing(self) -> float:
        return min(_WRITING, _HURRY) if self._hurried else _WRITING

    @property
    def _client(self) -> MilvusClient:
        connected = self._connected
        if connected is None:
            connected = self._connected = self._connect(
                self.address.server,
                token=self._token,
                timeout=self._patience,
                dedicated=True,
                grpc_options=_OPTIONS,
            )
        return connected

    @contextlib.contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            # The client does not always find back to a server that has started anew.
            self._connected, self._ready = None, set()
            reason = getattr(error, "message", None) or str(error)
            secured = self.address.server.startswith("https:")
            named = "address, token and certificate" if secured else "address and token"
            raise UnreachableIndexError(
                f"{self.address.text}: the server does not answer as it should "
                f"({' '.join(reason.split())[:200]}); check that it runs, and the {named}"
            ) from error

    def close(self) -> None:
        """Close the connection."""
        if self._connected:
            self._connected.close()

    def live(self, alias: str) -> str | None:
        """The collection that an alias names, or ``None``."""
        with self._answering():
            # Asking for an alias that is not there is an error, whose number depends on the server.
            if alias not in self._ready:
                if not self._client.has_collection(alias, timeout=self._patience):
                    return None
                self._ready.add(alias)
            found = self._client.describe_alias(alias, timeout=self._patience)
            return str(found["collection_name"])

    def switch(self, alias: str, collection: str) -> None:
        """Let an alias name a collection, in one step."""
        with self._answering():
            known = self._client.has_collection(alias, timeout=self._patience)
            set_alias = self._client.alter_alias if known else self._client.create_alias
            set_alias(collection, alias, timeout=self._patience)

    def collections(self, prefix: str) -> list[str]:
        """The collections whose names begin so."""
        with self._answering():
            names = self._client.list_collections(timeout=self._patience)
            return sorted(name for name in names if name.startswith(prefix))

    def exists(self, collection: str) -> bool:
        """Tell if there is such a collection."""
        with self._answering():
            return bool(self._client.has_collection(collection, timeout=self._patience))

    def fields(self, collection: str) -> list[str]:
        """The names of a collection's fields."""
        with self._answering():
            found = self._client.describe_collection(collection, timeout=self._patience)
            return [field["name"] for field in found["fields"]]

    def create(self, collection: str, fields: Mapping[str, Kind], dimension: int = 2) -> None:
        """Make a collection.

        The server begins to load it, which takes it some seconds: whatever reads it waits for that.

        Args:
            fields: Name → kind; one is the ``key``.
            dimension: Of its vectors.
        """
        from pymilvus import DataType, MilvusClient

        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, kind in fields.items():
            if kind == "text":
                schema.add_field(name, DataType.VARCHAR, max_length=LONGEST)
            elif kind == "tags":
                schema.add_field(
                    name, DataType.ARRAY, element_type=DataType.INT64, max_capacity=_MOST_TAGS
                )
            else:
                schema.add_field(name, DataType.INT64, is_primary=kind == "key")
        schema.add_field(VECTOR, DataType.FLOAT_VECTOR, dim=dimension)
        with self._answering():
            self._client.create_collection(
                collection, schema=schema, consistency_level="Strong", timeout=self._writing
            )
            self._index(collection)
            self._client.load_collection(collection, timeout=self._writing, _async=True)

    def _index(self, collection: str) -> None:
        index = self._client.prepare_index_params()
        index.add_index(VECTOR, index_type="AUTOINDEX", metric_type="IP")
        self._client.create_index(collection, index, timeout=self._writing, sync=False)

    def load(self, collection: str) -> None:
        """Have a collection answer, and wait until it can."""
        with self._answering():
            self._load(collection)

    def _load(self, collection: str) -> None:
        # A server may have forgotten to when it started anew.
        if collection not in self._ready:
            # None, if what created it was killed just then.
            if not self._client.list_indexes(collection, timeout=self._patience):
                self._index(collection)
            self._client.load_collection(collection, timeout=self._writing)
            self._ready.add(collection)

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        with self._answering():
            self._client.drop_collection(collection, timeout=self._writing)

    def insert(self, collection: str, rows: Iterable[Row]) -> None:
        """Store rows whose keys no others have."""
        for batch in _batches(rows):
            with self._answering():
                self._client.insert(collection, batch, timeout=self._writing)

    def replace(self, collection: str, rows: Iterable[Row]) -> None:
        """Store rows in the places of those with the same keys."""
        for batch in _batches(rows):
            with self._answering():
                self._client.upsert(collection, batch, timeout=self._writing)

    def delete(self, collection: str, condition: str) -> None:
        """Remove the rows that meet a condition."""
        with self._answering():
            self._client.delete(collection, filter=condition, timeout=self._writing)

    def settle(self, collection: str, told: Callable[[int, int], None]) -> None:
        """Have the server index what was written, and wait for that, though not for ever.

        Until then, it finds fewer of the nearest.

        Args:
            told: Called often with how many rows are indexed, and of how many.
        """
        pending = 1
        flushing = threading.Thread(target=self._flush, args=(collection,), daemon=True)
        flushing.start()
        while flushing.is_alive():
            told(0, pending)
            flushing.join(_PAUSE)
        end = time.monotonic() + _INDEXING
        while pending and time.monotonic() < end:
            time.sleep(_PAUSE)
            with self._answering():
                found = self._client.describe_index(collection, VECTOR, timeout=self._patience)
            every = int(found.get("total_rows") or 0)
            pending = int(found.get("pending_index_rows") or 0)
            told(every - pending, every)

    def _flush(self, collection: str) -> None:
        # Where it refuses, as too soon after the last time, nothing else is lost.
        with contextlib.suppress(UnreachableIndexError), self._answering():
            self._client.flush(collection, timeout=self._writing)

    def count(self, collection: str, condition: str) -> int:
        """How many rows meet a condition."""
        found = self._query(collection, condition, ["count(*)"])
        return int(found[0]["count(*)"])

    def any(self, collection: str, condition: str, level: Level) -> bool:
        """Tell if a row meets a condition."""
        return bool(self._query(collection, condition, [], level=level, limit=1))

    def of(
        self,
        collection: str,
        field: str,
        values: Sequence[int],
        fields: Sequence[str],
        *,
        condition: str = "",
        level: Level = "Strong",
    ) -> Iterator[Row]:
        """Yield the rows whose ``field`` has one of these values, in any order."""
        for at in range(0, len(values), _BATCH):
            among = f"{field} in {list(values[at : at + _BATCH])}"
            both = f"{among} and {condition}" if condition else among
            yield from self._query(collection, both, fields, level=level)

    def _query(
        self,
        collection: str,
        condition: str,
        fields: Sequence[str],
        *,
        level: Level = "Strong",
        **more: Any,
    ) -> list[Row]:
        with self._answering():
            self._load(collection)
            return list(
                self._client.query(
                    collection,
                    filter=condition,
                    output_fields=list(fields),
                    consistency_level=level,
                    timeout=self._patience,
                    **more,
                )
            )

    def few(self, collection: str, fields: Sequence[str]) -> list[Row]:
        """All rows of a collection that has few, in any order."""
        return self._query(collection, "part >= 0", fields)

    def every(
        self,
        collection: str,
        condition: str,
        fields: Sequence[str],
        *,
        batch: int = _BATCH,
        level: Level = "Strong",
    ) -> Iterator[Row]:
        """Yield the rows that meet a condition, rising by key.

        Args:
            batch: How many to ask for at a time.
        """
        with self._answering():
            self._load(collection)
            found = self._client.query_iterator(
                collection,
                batch_size=batch,
                filter=condition,
                output_fields=list(fields),
                consistency_level=level,
                timeout=self._patience,
            )
        try:
            more = True
            while more:
                with self._answering():
                    rows = found.next()
                yield from rows
                more = len(rows) == batch
        finally:
            found.close()

    def search(
        self,
        collection: str,
        vector: Sequence[float],
        count: int,
        condition: str,
        fields: Sequence[str],
        *,
        level: Level,
    ) -> list[Row]:
        """The rows whose vectors are nearest to one, of those that meet a condition.

        Each has the ``PRODUCT`` of its vector and that one, too: to ask for the vectors themselves
        would have the server look for all rows once more, which takes most of the time.
        """
        with self._answering():
            self._load(collection)
            found = self._client.search(
                collection,
                data=[vector],
                anns_field=VECTOR,
                limit=count,
                search_params={"params": {"ef": min(_LOOKED_AT * count, _MOST_LOOKED_AT)}},
                filter=condition,
                output_fields=list(fields),
                consistency_level=level,
                timeout=self._patience,
            )
        return [{**hit["entity"], PRODUCT: hit["distance"]} for hit in found[0]]


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    whole = ({VECTOR: _NONE, **row} for row in rows)
    while batch := list(islice(whole, _BATCH)):
        yield batch
