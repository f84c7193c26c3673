"""The crawl state: what is known of web addresses between rebuilds, in a database of its own.

The articles themselves are in the index. The crawl state holds what servers said of pages, so that
unchanged ones are not sent again; pages that were fetched and are in no generation yet, so that a
killed rebuild is resumed; and how often in a row an article was gone. An entry counts only together
with a generation that holds the same content. So neither a killed rebuild nor ``qabot rollback``
can make the two differ.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qabot.errors import StorageError
from qabot.web.content_types import Kind
from qabot.web.responses import Validators

FILE = "web.sqlite"
JOURNAL = f"{FILE}-journal"
VERSION = 2
_SCHEMA = f"""
CREATE TABLE page (
  address TEXT PRIMARY KEY, final TEXT NOT NULL, etag TEXT, modified TEXT, kind TEXT,
  content TEXT, body BLOB, gone INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0,
  counted INTEGER NOT NULL DEFAULT 0, fetched INTEGER NOT NULL DEFAULT 0, refused TEXT, readers TEXT
) STRICT;
CREATE TABLE member (
  listing TEXT NOT NULL, address TEXT NOT NULL, PRIMARY KEY (listing, address)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""
_FAST = 1
# In pages of the database, of 4 KB each.
_MUCH_FREE = 250


@dataclass(frozen=True, slots=True)
class Gone:
    """The number of times in a row that an article was gone.

    Attributes:
        times: The number of rebuilds, only counting those that are far enough apart.
        counted: The time of the last of these, in Unix seconds.
    """

    times: int = 0
    counted: int = 0

    def again(self, now: float, hours: float) -> Gone:
        """Return the count after one more rebuild that found it gone.

        Args:
            hours: The least time between two counted rebuilds.
        """
        passed = now - self.counted
        if self.times and passed < 0:
            # The clock was set back, so that the time between is unknown.
            return Gone(self.times, int(now))
        if self.times and passed < hours * 3600:
            return self
        return Gone(self.times + 1, int(now))


@dataclass(frozen=True, slots=True)
class KnownPage:
    """The entry of an address.

    Attributes:
        kind: The kind of its content; ``None`` if it was never read.
        content: Digest of its content, as ``Article.content``.
        has_body: The content itself is kept here.
        asked: Number of the last rebuild that asked for it, from 1.
        fetched: When a server last sent the content, or said that it has not changed, in Unix
            seconds; 0 for never.
        refused: Why the content is no article, if that was tried.
    """

    validators: Validators
    kind: Kind | None
    content: str | None
    has_body: bool
    gone: Gone
    asked: int
    fetched: int
    refused: str | None


@dataclass(frozen=True, slots=True)
class CrawlOutcome:
    """The outcome of a rebuild, recorded when its generation is live.

    Attributes:
        gone: Address → how often in a row it was gone.
        indexed: Addresses whose recorded content the live generation holds now.
        members: Sitemap or feed → pages.
        refused: Address → why its recorded content is no article.
        readers: The version of the parsers that tried.
        wanted: The addresses to keep; ``None`` keeps all.
    """

    gone: Mapping[str, Gone]
    indexed: Iterable[str]
    members: Mapping[str, Iterable[str]]
    refused: Mapping[str, str]
    readers: str
    wanted: Iterable[str] | None


class CrawlState:
    """The open database, for one thread that holds the index's lock.

    Attributes:
        is_new: Nothing was recorded before.
        round: The number of this rebuild.
    """

    def __init__(self, connection: sqlite3.Connection, *, is_new: bool) -> None:
        self._connection = connection
        self.is_new = is_new
        last = connection.execute("SELECT coalesce(max(asked), 0) FROM page").fetchone()[0]
        self.round = int(last) + 1

    def known(self, address: str) -> KnownPage | None:
        """Return the entry of an address."""
        row = self._connection.execute(
            "SELECT final, etag, modified, kind, content, body IS NOT NULL, gone, counted, asked, "
            "fetched, refused FROM page WHERE address = ?",
            (address,),
        ).fetchone()
        if row is None:
            return None
        final, etag, modified, kind, content, has_body, gone, counted, *rest = row
        return KnownPage(
            Validators(final, etag, modified),
            kind,
            content,
            bool(has_body),
            Gone(gone, counted),
            *rest,
        )

    def body(self, address: str) -> bytes | None:
        """Return the content of an address, if it is kept."""
        row = self._connection.execute(
            "SELECT body FROM page WHERE address = ?", (address,)
        ).fetchone()
        return zlib.decompress(row[0]) if row and row[0] is not None else None

    def keep(
        self, address: str, validators: Validators, kind: Kind, content: str, body: bytes
    ) -> None:
        """Record what was read at an address."""
        values = (validators.final, validators.etag, validators.modified, kind, content)
        with self._connection:
            self._connection.execute(
                "INSERT INTO page "
                "(address, final, etag, modified, kind, content, body, asked, fetched) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (address) DO UPDATE SET "
                "final = excluded.final, etag = excluded.etag, modified = excluded.modified, "
                "kind = excluded.kind, content = excluded.content, body = excluded.body, "
                "asked = excluded.asked, fetched = excluded.fetched, refused = NULL",
                (address, *values, zlib.compress(body, _FAST), self.round, int(time.time())),
            )

    def touch(self, address: str, *, confirmed: bool = False) -> None:
        """Record that an address was asked for in this rebuild.

        Args:
            confirmed: Its server said that the recorded content has not changed.
        """
        with self._connection:
            self._connection.execute(
                "INSERT INTO page (address, final, asked) VALUES (?, ?, ?) "
                "ON CONFLICT (address) DO UPDATE SET asked = excluded.asked",
                (address, address, self.round),
            )
            if confirmed:
                self._connection.execute(
                    "UPDATE page SET fetched = ? WHERE address = ?", (int(time.time()), address)
                )

    def forget_refusals(self, readers: str | None) -> None:
        """Forget which pages are no articles, so that they are tried again.

        Args:
            readers: The version of the parsers; what this version tried is not tried again.
        """
        with self._connection:
            self._connection.execute(
                "UPDATE page SET refused = NULL WHERE refused IS NOT NULL AND readers IS NOT ?",
                (readers,),
            )

    def members(self, listing: str) -> set[str]:
        """Return the pages that a sitemap or feed named and that may be in the index."""
        rows = self._connection.execute("SELECT address FROM member WHERE listing = ?", (listing,))
        return {address for (address,) in rows}

    def record(self, outcome: CrawlOutcome) -> None:
        """Record the outcome of a rebuild, in one step."""
        run = self._connection.executemany
        with self._connection:
            run(
                "INSERT INTO page (address, final, gone, counted) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (address) DO UPDATE SET "
                "gone = excluded.gone, counted = excluded.counted",
                ((address, address, it.times, it.counted) for address, it in outcome.gone.items()),
            )
            run("UPDATE page SET body = NULL WHERE address = ?", ((a,) for a in outcome.indexed))
            run(
                "UPDATE page SET body = NULL, refused = ?, readers = ? WHERE address = ?",
                ((reason, outcome.readers, address) for address, reason in outcome.refused.items()),
            )
            for listing, addresses in outcome.members.items():
                run("DELETE FROM member WHERE listing = ?", [(listing,)])
                run("INSERT INTO member VALUES (?, ?)", ((listing, a) for a in set(addresses)))
            if outcome.wanted is not None:
                self._forget_all_but(set(outcome.wanted))
        self._shrink()

    def _shrink(self) -> None:
        # Once articles are indexed, most of the fetched content is dropped.
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        if free > max(_MUCH_FREE, pages // 2):
            self._connection.execute("VACUUM")

    def _forget_all_but(self, wanted: set[str]) -> None:
        for table, column in (("page", "address"), ("member", "listing")):
            rows = self._connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
            self._connection.executemany(
                f"DELETE FROM {table} WHERE {column} = ?",
                [row for row in rows if row[0] not in wanted],
            )


@contextlib.contextmanager
def open_crawl_state(folder: Path, *, checked: bool = False) -> Iterator[CrawlState]:
    """Open the crawl state of the index in ``folder``; a new one if it is missing or damaged.

    Args:
        checked: It was found whole under the same lock, so that it need not be checked again.

    Raises:
        sqlite3.Error: It cannot be read or written.
        StorageError: Something else stands in its place.
    """
    path = folder / FILE
    connection = _opened(path, checked=checked)
    try:
        is_new = connection is None
        if connection is None:
            # Of another version, or damaged: everything in it can be fetched again.
            for name in (FILE, JOURNAL, f"{FILE}-wal", f"{FILE}-shm"):
                (folder / name).unlink(missing_ok=True)
            connection = sqlite3.connect(path)
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        yield CrawlState(connection, is_new=is_new)
    finally:
        if connection is not None:
            connection.close()


def record_crawl(folder: Path, outcome: CrawlOutcome) -> None:
    """Record the outcome of a rebuild whose generation is live now.

    If this fails, no article is lost: pages are fetched in full once more.
    """
    with (
        contextlib.suppress(sqlite3.Error, OSError, StorageError),
        open_crawl_state(folder, checked=True) as state,
    ):
        state.record(outcome)


def _opened(path: Path, *, checked: bool) -> sqlite3.Connection | None:
    if not path.exists():
        return None
    if not path.is_file():
        raise StorageError(f"{path}: is no regular file; remove it and run `qabot rebuild` again")
    connection = sqlite3.connect(path)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == VERSION and (checked or _is_whole(connection)):
            return connection
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            connection.close()
            raise
    connection.close()
    return None


def _is_whole(connection: sqlite3.Connection) -> bool:
    (state,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    return bool(state == "ok")
