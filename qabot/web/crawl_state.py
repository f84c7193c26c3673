"""What is remembered of the web between rebuilds: a database beside the generations.

The articles themselves are in the index. Here is what servers said of them last, so that they need
not be sent again; what was fetched and is in no generation yet, so that a rebuild that was killed
goes on where it was; and how often in a row an article was gone. What is said here of an article
counts only together with a generation that holds just this article, so that neither a rebuild that
was killed nor ``qabot rollback`` can make the two differ.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

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
    """How often in a row an article was gone.

    Attributes:
        times: In how many rebuilds, of those that lie far enough apart.
        counted: When the last of these was, in Unix seconds.
    """

    times: int = 0
    counted: int = 0

    def again(self, now: float, hours: float) -> Gone:
        """What it is after one more rebuild that found it gone.

        Args:
            hours: That must have passed since it was counted last.
        """
        passed = now - self.counted
        if self.times and passed < 0:
            # The clock was set back: how much has passed, nobody knows.
            return Gone(self.times, int(now))
        if self.times and passed < hours * 3600:
            return self
        return Gone(self.times + 1, int(now))


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of an address.

    Attributes:
        kind: What it held; ``None`` where nothing was ever read there.
        content: Names what it held, as ``Article.content`` does.
        has_body: Whether what it held is kept here.
        gone: How often in a row it was gone.
        asked: The number of the rebuild that asked for it last; they count up from 1.
        fetched: When a server last sent what it held, or said that it has not changed: Unix
            seconds, 0 for never.
        refused: Why no article could be made of what it held, if that was tried.
    """

    validators: Validators
    kind: Kind | None
    content: str | None
    has_body: bool
    gone: Gone
    asked: int
    fetched: int
    refused: str | None


class Memory:
    """The open database, for one thread; only who holds the index's lock may have it.

    Attributes:
        is_new: Whether nothing was remembered.
        round: The number of this rebuild.
    """

    def __init__(self, connection: sqlite3.Connection, *, is_new: bool) -> None:
        self._connection = connection
        self.is_new = is_new
        last = connection.execute("SELECT coalesce(max(asked), 0) FROM page").fetchone()[0]
        self.round = int(last) + 1

    def known(self, address: str) -> Remembered | None:
        """What is remembered of ``address``."""
        row = self._connection.execute(
            "SELECT final, etag, modified, kind, content, body IS NOT NULL, gone, counted, asked, "
            "fetched, refused FROM page WHERE address = ?",
            (address,),
        ).fetchone()
        if row is None:
            return None
        final, etag, modified, kind, content, has_body, gone, counted, *rest = row
        return Remembered(
            Validators(final, etag, modified),
            kind,
            content,
            bool(has_body),
            Gone(gone, counted),
            *rest,
        )

    def body(self, address: str) -> bytes | None:
        """What was read at ``address``, where it is kept."""
        row = self._connection.execute(
            "SELECT body FROM page WHERE address = ?", (address,)
        ).fetchone()
        return zlib.decompress(row[0]) if row and row[0] is not None else None

    def keep(
        self, address: str, validators: Validators, kind: Kind, content: str, body: bytes
    ) -> None:
        """Remember what was read at ``address``."""
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
        """Remember that ``address`` was asked for in this rebuild.

        Args:
            confirmed: Whether its server said that what is remembered has not changed.
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
        """Forget of which pages no article could be made, so that it is tried again.

        Args:
            readers: Not of those that were tried by readers of this version.
        """
        with self._connection:
            self._connection.execute(
                "UPDATE page SET refused = NULL WHERE refused IS NOT NULL AND readers IS NOT ?",
                (readers,),
            )

    def members(self, listing: str) -> set[str]:
        """The pages that a sitemap or feed named, and whose articles may be in the index."""
        rows = self._connection.execute("SELECT address FROM member WHERE listing = ?", (listing,))
        return {address for (address,) in rows}

    def settle(
        self,
        gone: Mapping[str, Gone],
        indexed: Iterable[str],
        members: Mapping[str, Iterable[str]],
        refused: Mapping[str, str],
        *,
        readers: str,
        wanted: Iterable[str] | None,
    ) -> None:
        """Write down what came of a rebuild, in one step.

        Args:
            gone: Address → how often in a row it was gone; not at all where it was there.
            indexed: Addresses whose content, as remembered, the live generation holds now.
            members: Sitemap or feed → pages.
            refused: Address → why no article can be made of its content, as remembered.
            readers: The version of those who tried.
            wanted: All else is forgotten; nothing is where this is ``None``.
        """
        run = self._connection.executemany
        with self._connection:
            run(
                "INSERT INTO page (address, final, gone, counted) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (address) DO UPDATE SET "
                "gone = excluded.gone, counted = excluded.counted",
                ((address, address, it.times, it.counted) for address, it in gone.items()),
            )
            run("UPDATE page SET body = NULL WHERE address = ?", ((a,) for a in indexed))
            run(
                "UPDATE page SET body = NULL, refused = ?, readers = ? WHERE address = ?",
                ((reason, readers, address) for address, reason in refused.items()),
            )
            for listing, addresses in members.items():
                run("DELETE FROM member WHERE listing = ?", [(listing,)])
                run("INSERT INTO member VALUES (?, ?)", ((listing, a) for a in set(addresses)))
            if wanted is not None:
                self._forget_all_but(set(wanted))
        self._shrink()

    def _shrink(self) -> None:
        # Once articles are indexed, nearly all of what was fetched for them is dropped.
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
def remembering(folder: Path, *, checked: bool = False) -> Iterator[Memory]:
    """The memory of the index in ``folder``; where it is damaged or none, a new one.

    Args:
        checked: Whether it was found whole under the same lock, so that it need not be read again.

    Raises:
        sqlite3.Error: It cannot be read or written.
    """
    path = folder / FILE
    connection = _opened(path, checked=checked)
    try:
        is_new = connection is None
        if connection is None:
            # Of another version, or damaged: all of it can be asked for again.
            for name in (FILE, JOURNAL, f"{FILE}-wal", f"{FILE}-shm"):
                (folder / name).unlink(missing_ok=True)
            connection = sqlite3.connect(path)
            connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
        yield Memory(connection, is_new=is_new)
    finally:
        if connection is not None:
            connection.close()


def _opened(path: Path, *, checked: bool) -> sqlite3.Connection | None:
    if not path.exists():
        return None
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
