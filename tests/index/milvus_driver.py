"""Rebuilds on a Milvus server in processes of their own, for tests that kill them.

``milvus_driver.py INDEX DIMENSION SOURCE`` reads a number from each line of standard input. It
starts a process that rebuilds INDEX and kills itself before its write of that number, counted from
1, and prints how it ended: -9, or 0 where it had fewer writes.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys

from pymilvus import MilvusClient

from qabot.index import open_store
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from tests.support import HashingEncoder, shared_cache

WRITES = (
    "insert",
    "upsert",
    "delete",
    "create_collection",
    "create_index",
    "create_alias",
    "alter_alias",
    "drop_collection",
)


def kill_before(number: int) -> None:
    count = itertools.count(1)

    def watched(write):
        def watching(*arguments, **more):
            if next(count) == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return write(*arguments, **more)

        return watching

    for name in WRITES:
        setattr(MilvusClient, name, watched(getattr(MilvusClient, name)))


def main() -> None:
    index, dimension, source = sys.argv[1:]
    plan = IndexPlan((source,), shared_cache())
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                kill_before(int(line))
                rebuild(
                    open_store(Settings(index=index)),
                    HashingEncoder(dimension=int(dimension)),
                    plan,
                )
                os._exit(0)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
