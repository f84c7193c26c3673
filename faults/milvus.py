"""A Milvus server that goes, starts anew, is slow or hangs under questions and rebuilds."""

from __future__ import annotations

import importlib
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from faults.commands import Ended, Running
from faults.corpus import AFTER, BEFORE, Articles, write
from faults.site import ASK, REBUILD, Campaign, Row, Site, State, texts_of, unharmed
from tests.index.milvus_server import Lite

if TYPE_CHECKING:
    from qabot.index import Store

_T = TypeVar("_T")
# So many seconds a command waits for a server that hangs, instead of half a minute.
_PATIENCE = 2.0
COMMANDS = {"a rebuild": REBUILD, "questions": ASK}


def prepared() -> bool:
    """Import the client, for processes that connect themselves; tell if all is installed."""
    if not (find_spec("pymilvus") and find_spec("milvus_lite")):
        print("milvus: skipped, as it is not installed; pip install pymilvus milvus-lite")
        return False
    importlib.import_module("pymilvus")
    return True


# What begins a fault, what ends it, and after how many seconds; None: when the command has ended.
FAULTS: dict[str, tuple[Callable[[Lite], None], Callable[[Lite], None], float | None]] = {
    "is killed, and started later": (Lite.stop, Lite.start, None),
    "is killed, and started at once": (Lite.stop, Lite.start, 0.0),
    "is stopped for two seconds": (Lite.hang, Lite.go_on, 2.0),
    "is stopped for longer than it is waited for": (Lite.hang, Lite.go_on, None),
}


def _hurry() -> None:
    """Have this process wait for the server for a short while only."""
    from qabot.index.milvus import server

    server._PATIENCE = server._WRITING = _PATIENCE  # noqa: SLF001 (no setting of the user's)


class _Site(Site):
    """A site whose index is on a server."""

    def __init__(self, site: Site, server: Lite) -> None:
        super().__init__(site.folder, site.expected)
        self._address = f"{server.address}/site"

    def start(
        self,
        *arguments: str,
        harm: Callable[[], object] = lambda: None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Running:
        """Start a command here."""
        on_server = {"QABOT_INDEX": self._address, **environment}
        return super().start(*arguments, harm=harm, environment=on_server)

    def begin(self) -> None:
        """Index the articles as they were, and change them."""
        write(self.folder / "articles", BEFORE)
        unharmed(self.run(*REBUILD))
        write(self.folder / "articles", AFTER)

    def repair(self, row: Row) -> None:
        """Rebuild without harm: texts and answers have to be up to date."""
        super().repair(row)
        _expect(self, row, "after")

    def texts(self) -> Articles:
        """The articles of the live generation."""
        return self._told(texts_of)

    def leftovers(self) -> list[str]:
        """What rebuilds have left."""
        return self._told(lambda store: [str(path) for path in store.leftovers()])

    def _told(self, ask: Callable[[Store], _T]) -> _T:
        """What the store says, from a process of its own."""

        def tell() -> None:
            from qabot.index import open_store
            from qabot.settings import Settings

            print(json.dumps(ask(open_store(Settings(index=self._address)))), flush=True)
            os._exit(0)

        told: _T = json.loads(self.run(harm=tell).out)
        return told


def failing(
    campaign: Campaign, server: Lite, what: str, who: str, times: int, seed: int
) -> Iterator[Row]:
    """One of ``FAULTS`` at random moments of one of ``COMMANDS``, ``times`` times."""
    row = Row(f"the Milvus server {what}, at a random moment of {who}")
    chance = random.Random(f"{seed} {row.fault}")
    begin, end, seconds = FAULTS[what]
    harm = _hurry if begin is Lite.hang and seconds is None else lambda: None
    for plain in campaign.sites(1):
        site = _Site(plain, server)
        site.begin()
        longest = unharmed(site.run(*COMMANDS[who])).seconds
        while row.codes.total() < times:
            site.begin()
            running = site.start(*COMMANDS[who], harm=harm)
            time.sleep(chance.uniform(0, longest))
            if running.has_ended():
                # Where it was done before, another moment is drawn.
                running.end()
                continue
            begin(server)
            if seconds is None:
                ended = running.end()
                end(server)
            else:
                time.sleep(seconds)
                end(server)
                ended = running.end()
            (_look_at_answers if who == "questions" else _look)(site, row, ended)
            site.repair(row)
            yield row


def _look(site: Site, row: Row, ended: Ended) -> None:
    """After a rebuild that may have had to stop: whole answers."""
    site.rebuilt(row, ended)
    state = site.judge(row)
    if state == "refused" or (ended.code == 0 and state != "after"):
        row.problems.append(f"code {ended.code}, but {state}: {ended.err!r}")


def _look_at_answers(site: Site, row: Row, ended: Ended) -> None:
    """After questions that may have had to stop: the next ones are answered as before."""
    row.codes[ended.code] += 1
    site.judge_begun(row, ended)
    _expect(site, row, "before")


def _expect(site: Site, row: Row, wanted: State) -> None:
    """Ask all questions, beside those that the row counts."""
    again = Row(row.fault)
    if (state := site.judge(again)) != wanted:
        row.problems += again.problems or [f"{state}, not {wanted}"]
