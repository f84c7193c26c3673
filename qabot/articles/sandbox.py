"""Documents are read in a process of their own: one that hangs or grows is ended, and only it.

PDFs and office files are programs of a kind, and what reads them is large; a long text can take a
thousand times its size. The process has a limit of memory, each document one of time; after a fault
the next document gets a new process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import IO, cast

import msgspec

from qabot.articles.formats import DOCUMENTS, Format
from qabot.articles.formats.draft import Draft
from qabot.articles.formats.parsers import read_draft, why_damaged
from qabot.errors import ArticleError
from qabot.processes import without_tokens
from qabot.text import printable_line

SECONDS = 60.0
"""What reading one document may take."""
MEMORY = 2 * 2**30
"""Bytes of address space that the process may have; for a text, half of it."""

_PROGRAM = "from qabot.articles.sandbox import serve; serve()"


class _Reply(msgspec.Struct):
    """A draft, or why there is none; and whether the process should read no further document."""

    draft: Draft | None = None
    error: str = ""
    fault: bool = False


class ReadingProcess:
    """Reads files of all formats one after the other; the process starts with the first one.

    Args:
        seconds: What one document may take.
        memory: Bytes of address space of the process, where the system can limit them.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds = seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, file_format: Format, data: bytes) -> Draft:
        """Make a draft of what a file holds.

        Raises:
            ArticleError: It is no such document, is damaged, or takes too much time or memory.
        """
        process = self._process = self._process or self._started()
        slow = threading.Event()
        timer = threading.Timer(self._seconds, _end_slow, (process, slow))
        timer.start()
        try:
            reply = _asked(process, file_format, data)
        finally:
            timer.cancel()
        if reply is None:
            self.close()
            if slow.is_set() or process.returncode == -getattr(signal, "SIGALRM", 0):
                raise ArticleError(too_slow(self._seconds, file_format))
            raise ArticleError(
                "cannot be read (its reader broke off); save it again, or in another format"
            )
        if reply.fault:
            self.close()
        if reply.draft is None:
            raise ArticleError(reply.error)
        return reply.draft

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()

    def _started(self) -> subprocess.Popen[bytes]:
        # Not from the working folder (-P), where modules of any name may lie.
        process = subprocess.Popen(  # noqa: S603 (this very program)
            [sys.executable, "-P", "-c", _PROGRAM, str(self._memory), str(int(self._seconds) + 1)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What libraries complain of says nothing to a person.
            stderr=subprocess.DEVNULL,
            env=without_tokens(),
        )
        # How long it takes to start is no fault of the first document.
        if process.stdout is not None:
            _received(process.stdout)
        return process


def _end_slow(process: subprocess.Popen[bytes], slow: threading.Event) -> None:
    slow.set()
    process.kill()


def _asked(process: subprocess.Popen[bytes], file_format: Format, data: bytes) -> _Reply | None:
    """What the process replies; ``None`` where it ends instead."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    try:
        _send(process.stdin, file_format.encode(), data)
        reply = _received(process.stdout)
    except OSError:
        reply = None
    if reply is None:
        process.kill()
        process.wait()
        return None
    return msgspec.msgpack.decode(reply[1], type=_Reply)


def too_slow(seconds: float, file_format: Format) -> str:
    """Why a file is given up whose time is over."""
    remedy = "save it in another format" if file_format in DOCUMENTS else "simplify its markup"
    return f"takes longer than {seconds:g} s to read; split it, or {remedy}"


def _send(stream: IO[bytes], head: bytes, body: bytes) -> None:
    stream.write(b"%s %d\n" % (head, len(body)))
    stream.write(body)
    stream.flush()


def _received(stream: IO[bytes]) -> tuple[str, bytes] | None:
    """Head and body of what was sent; ``None`` at the end."""
    head, _, length = stream.readline().decode("ascii", "replace").partition(" ")
    body = stream.read(int(length)) if length.strip().isdecimal() else b""
    return (head, body) if length and len(body) == int(length) else None


def serve() -> None:
    """The process: read documents from standard input until it ends."""
    memory, seconds = (int(argument) for argument in sys.argv[1:3])
    replies = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints must not stand among the replies.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _send(replies, b"ready", b"")
    while request := _received(sys.stdin.buffer):
        # It was written by _asked.
        file_format, data = cast("Format", request[0]), request[1]
        if hasattr(signal, "alarm"):
            # Where nobody waits any more, a document that hangs must not hang for ever.
            signal.alarm(seconds)
        _limit(memory if file_format in DOCUMENTS else memory // 2)
        _send(replies, b"reply", msgspec.msgpack.encode(_reply(file_format, data)))
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none.
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reply(file_format: Format, data: bytes) -> _Reply:
    try:
        return _Reply(read_draft(file_format, data))
    except ArticleError as error:
        return _Reply(error=printable_line(str(error)))
    except MemoryError:
        return _Reply(error="takes too much memory to read; split it", fault=True)
    # Whatever a library trips over in a hostile document concerns this document alone.
    except Exception as error:  # noqa: BLE001 (told in the reply)
        return _Reply(error=why_damaged(error), fault=True)
