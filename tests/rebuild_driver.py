"""Rebuilds in processes of their own, for tests that kill them or fill their disk.

``rebuild_driver.py INDEX CACHE DIMENSION SOURCE…`` reads lines from standard input, two for each
rebuild. The first starts a process that rebuilds INDEX in full with a ``HashingEncoder``, and the
process's number is printed; where the line is a number, the process can write no file of more
bytes: a write beyond that fails as on a full disk. The second waits for its end, and prints
``{"code": …, "error": …}``.

All is imported once, before the first process is forked, so that a test of many takes seconds.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

from qabot.errors import QabotError
from tests.support import HashingEncoder, build_index


def rebuild(limit: str) -> dict[str, object]:
    index, cache, dimension, *sources = sys.argv[1:]
    if limit:
        # Python ignores the signal that a write beyond the limit sends: the write itself fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
    try:
        build_index(
            Path(index),
            *sources,
            encoder=HashingEncoder(dimension=int(dimension)),
            cache=Path(cache),
            full=True,
        )
    except QabotError as error:
        return {"code": error.exit_code, "error": str(error)}
    return {"code": 0, "error": ""}


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                os.write(writing, json.dumps(rebuild(line.strip())).encode())
                os._exit(0)
            finally:
                os._exit(1)
        os.close(writing)
        say(str(process))
        # Until then its number is not given to another process, even if it has ended.
        sys.stdin.readline()
        with os.fdopen(reading) as result:
            ended = result.read()
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        say(ended or json.dumps({"code": code, "error": ""}))


if __name__ == "__main__":
    main()
