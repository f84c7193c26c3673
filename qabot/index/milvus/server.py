"""A Milvus server: the one importer of its client."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
# For all that was written to be indexed, at most: 100,000 passages take minutes.
_INDEXING = 900.0
# A server that is back is found within a second, not within two minutes.
_OPTIONS = {
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
}
# Rows that are sent or asked for at a time: well below the 64 MB that a message may have.
_BATCH = 256
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
        with self._answering():
            _ = self._client

    @property
    def _client(self) -> MilvusClient:
        connected = self._connected
        if connected is None:
            connected = self._connected = self._connect(
                self.address.server,
                token=self._token,
                timeout=_PATIENCE,
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
                if not self._client.has_collection(alias, timeout=_PATIENCE):
                    return None
                self._ready.add(alias)
            found = self._client.describe_alias(alias, timeout=_PATIENCE)
            return str(found["collection_name"])

    def switch(self, alias: str, collection: str) -> None:
        """Let an alias name a collection, in one step."""
        with self._answering():
            known = self._client.has_collection(alias, timeout=_PATIENCE)
            set_alias = self._client.alter_alias if known else self._client.create_alias
            set_alias(collection, alias, timeout=_PATIENCE)

    def collections(self, prefix: str) -> list[str]:
        """The collections whose names begin so."""
        with self._answering():
            names = self._client.list_collections(timeout=_PATIENCE)
            return sorted(name for name in names if name.startswith(prefix))

    def exists(self, collection: str) -> bool:
        """Tell if there is such a collection."""
        with self._answering():
            return bool(self._client.has_collection(collection, timeout=_PATIENCE))

    def fields(self, collection: str) -> list[str]:
        """The names of a collection's fields."""
        with self._answering():
            found = self._client.describe_collection(collection, timeout=_PATIENCE)
            return [field["name"] for field in found["fields"]]

    def create(self, collection: str, fields: Mapping[str, Kind], dimension: int = 2) -> None:
        """Make a collection, and have it answer.

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
            index = self._client.prepare_index_params()
            index.add_index(VECTOR, index_type="AUTOINDEX", metric_type="IP")
            self._client.create_collection(
                collection,
                schema=schema,
                index_params=index,
                consistency_level="Strong",
                timeout=_WRITING,
            )

    def _load(self, collection: str) -> None:
        """Have a collection answer: a server may have forgotten to when it started anew."""
        if collection not in self._ready:
            self._client.load_collection(collection, timeout=_WRITING)
            self._ready.add(collection)

    def drop(self, collection: str) -> None:
        """Remove a collection."""
        with self._answering():
            self._client.drop_collection(collection, timeout=_WRITING)

    def insert(self, collection: str, rows: Iterable[Row]) -> None:
        """Store rows whose keys no others have."""
        for batch in _batches(rows):
            with self._answering():
                self._client.insert(collection, batch, timeout=_WRITING)

    def replace(self, collection: str, rows: Iterable[Row]) -> None:
        """Store rows in the places of those with the same keys."""
        for batch in _batches(rows):
            with self._answering():
                self._client.upsert(collection, batch, timeout=_WRITING)

    def delete(self, collection: str, condition: str) -> None:
        """Remove the rows that meet a condition."""
        with self._answering():
            self._client.delete(collection, filter=condition, timeout=_WRITING)

    def settle(self, collection: str) -> None:
        """Have the server index what was written, and wait for that, though not for ever.

        Until then, it finds fewer of the nearest.
        """
        # Where it refuses, as too soon after the last time, nothing else is lost.
        with contextlib.suppress(UnreachableIndexError), self._answering():
            end = time.monotonic() + _INDEXING
            self._client.flush(collection, timeout=_INDEXING)
            while time.monotonic() < end:
                found = self._client.describe_index(collection, VECTOR, timeout=_PATIENCE)
                if not found.get("pending_index_rows"):
                    return
                time.sleep(0.5)

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
                    timeout=_PATIENCE,
                    **more,
                )
            )

    def every(self, collection: str, condition: str, fields: Sequence[str]) -> Iterator[Row]:
        """Yield the rows that meet a condition, rising by key."""
        with self._answering():
            self._load(collection)
            found = self._client.query_iterator(
                collection,
                batch_size=_BATCH,
                filter=condition,
                output_fields=list(fields),
                consistency_level="Strong",
                timeout=_PATIENCE,
            )
        try:
            while True:
                with self._answering():
                    batch = found.next()
                if not batch:
                    return
                yield from batch
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
                timeout=_PATIENCE,
            )
        return [{**hit["entity"], PRODUCT: hit["distance"]} for hit in found[0]]


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    whole = ({VECTOR: _NONE, **row} for row in rows)
    while batch := list(islice(whole, _BATCH)):
        yield batch
