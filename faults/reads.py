"""Have any read of some files fail, whichever library makes it: Python, SQLite, ONNX Runtime.

``reads.c`` stands between them and the C library. It is loaded before all else, so in a new
process.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

EVERY = 1 << 40
"""As a count of reads: all that follow."""

_SOURCE = Path(__file__).with_name("reads.c")


def begin_anew() -> None:
    """Run this program again with ``reads.c``, and end; return where that cannot be compiled."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return
    with tempfile.TemporaryDirectory(prefix="qabot-faults-") as folder:
        library = Path(folder, "reads.so")
        options = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror")
        subprocess.run([compiler, *options, "-o", library, _SOURCE, "-ldl"], check=True)
        again = subprocess.run(
            [sys.executable, *sys.orig_argv[1:]],
            env={**os.environ, "LD_PRELOAD": str(library)},
            check=False,
        )
    sys.exit(again.returncode)


def loaded() -> bool:
    """Tell if reads can fail in this process."""
    return hasattr(ctypes.CDLL(None), "faults_arm")


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(None)
    library.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_long]
    library.faults_count.restype = ctypes.c_long
    library.faults_struck.restype = ctypes.c_char_p
    return library


def failing(paths: Iterable[Path], number: int, count: int = 1) -> Callable[[], None]:
    """Return what makes reads of this process fail from then on.

    Args:
        paths: Of files and folders whose reads count.
        number: The first that fails; -1 for none.
        count: How many fail.
    """
    names = "\n".join(map(str, paths)).encode()
    return lambda: _library().faults_arm(names, number, count)


def count() -> int:
    """How many reads there were, here or in a forked process, since they were last counted."""
    return int(_library().faults_count())


def struck() -> str:
    """The call that failed last, and its file; empty where none has."""
    return str(_library().faults_struck().decode())
