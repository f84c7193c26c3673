"""Parse hostile input in a process of its own: if it hangs or grows, only that process is ended.

PDFs and office files are programs of a kind, and their parsers are large; a long text can take a
thousand times its size. The process has a limit of memory, and each job one of time. After a fault
the next job gets a new process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from typing import IO, cast

import msgspec

from qabot.articles.formats import DOCUMENTS, Format
from qabot.articles.formats.draft import Draft
from qabot.articles.formats.parsers import read_draft, why_damaged
from qabot.errors import ArticleError
from qabot.processes import without_tokens
from qabot.text import printable_line

SECONDS = 60.0
"""The time that one document may take."""
MEMORY = 2 * 2**30
"""The most bytes of address space; half of it for texts."""

_PROGRAM = "from qabot.articles.sandbox import serve_drafts; serve_drafts()"


class BrokenSandboxError(Exception):
    """The process ended before it replied."""


class Sandbox:
    """A process that does one job after the other; it starts with the first one.

    Args:
        program: Python code that calls ``serve``.
        seconds: The time that one job may take.
        memory: The most bytes of address space, where the system can limit them.
    """

    def __init__(self, program: str, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._program = program
        self._seconds = seconds
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False

    def ask(self, head: str, body: bytes) -> bytes:
        """Have a job done, and return the reply.

        Args:
            head: One word that says what to do with the body.

        Raises:
            TimeoutError: It takes too long.
            BrokenSandboxError: The process ended.
        """
        process = self._process = self._process or self._started()
        if self._stopped:
            process.kill()
        slow = threading.Event()
        timer = threading.Timer(self._seconds, _end_slow, (process, slow))
        timer.start()
        try:
            reply = _asked(process, head, body)
        finally:
            timer.cancel()
        if reply is None:
            self.close()
            if slow.is_set() or process.returncode == -getattr(signal, "SIGALRM", 0):
                raise TimeoutError
            raise BrokenSandboxError
        return reply

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()

    def stop(self) -> None:
        """End the process, or the one that is just starting, while another thread waits for it."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        # Not from the working folder (-P), where modules of any name may lie.
        limits = [str(self._memory), str(int(self._seconds) + 1)]
        process = subprocess.Popen(  # noqa: S603 (this very program)
            [sys.executable, "-P", "-c", self._program, *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Libraries complain there of nothing that helps a person.
            stderr=subprocess.DEVNULL,
            env=without_tokens(),
        )
        # The time that it takes to start does not count for the first job.
        if process.stdout is not None:
            _received(process.stdout)
        return process


class _Reply(msgspec.Struct):
    """A draft, or why there is none; and whether the process should read no further document."""

    draft: Draft | None = None
    error: str = ""
    fault: bool = False


class ReadingProcess:
    """Reads files of all formats one after the other, in a sandbox.

    Args:
        seconds: The time that one document may take.
        memory: The most bytes of address space, where the system can limit them.
    """

    def __init__(self, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self._seconds = seconds
        self._sandbox = Sandbox(_PROGRAM, seconds, memory)

    def read(self, file_format: Format, data: bytes) -> Draft:
        """Make a draft of a file's content.

        Raises:
            ArticleError: It is no such document, is damaged, or takes too much time or memory.
        """
        try:
            reply = msgspec.msgpack.decode(self._sandbox.ask(file_format, data), type=_Reply)
        except TimeoutError as error:
            raise ArticleError(too_slow(self._seconds, file_format)) from error
        except BrokenSandboxError as error:
            raise ArticleError(
                "cannot be read (its reader broke off); save it again, or in another format"
            ) from error
        if reply.fault:
            self.close()
        if reply.draft is None:
            raise ArticleError(reply.error)
        return reply.draft

    def close(self) -> None:
        """End the process."""
        self._sandbox.close()


def _end_slow(process: subprocess.Popen[bytes], slow: threading.Event) -> None:
    slow.set()
    process.kill()


def _asked(process: subprocess.Popen[bytes], head: str, body: bytes) -> bytes | None:
    """Return the reply of the process; ``None`` if it ends instead."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    try:
        _send(process.stdin, head.encode(), body)
        reply = _received(process.stdout)
    except (OSError, ValueError):  # ValueError if another thread closes it meanwhile.
        reply = None
    if reply is None:
        process.kill()
        process.wait()
        return None
    return reply[1]


def too_slow(seconds: float, file_format: Format) -> str:
    """Return why a file is given up whose time is over."""
    remedy = "save it in another format" if file_format in DOCUMENTS else "simplify its markup"
    return f"takes longer than {seconds:g} s to read; split it, or {remedy}"


def _send(stream: IO[bytes], head: bytes, body: bytes) -> None:
    stream.write(b"%s %d\n" % (head, len(body)))
    stream.write(body)
    stream.flush()


def _received(stream: IO[bytes]) -> tuple[str, bytes] | None:
    """Return head and body of a message; ``None`` at the end."""
    head, _, length = stream.readline().decode("ascii", "replace").partition(" ")
    body = stream.read(int(length)) if length.strip().isdecimal() else b""
    return (head, body) if length and len(body) == int(length) else None


def serve(job: Callable[[str, bytes], bytes], *, large: Collection[str] = ()) -> None:
    """Do jobs from standard input until it ends; the main function of the process.

    Args:
        job: Takes head and body, and returns the reply.
        large: The heads of jobs that may use all of the memory; others may use half of it.
    """
    memory, seconds = (int(argument) for argument in sys.argv[1:3])
    replies = os.fdopen(os.dup(1), "wb")
    # Output of a library must not stand among the replies.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _send(replies, b"ready", b"")
    while request := _received(sys.stdin.buffer):
        head, body = request
        if hasattr(signal, "alarm"):
            # If nobody waits any more, a job that hangs must not hang for ever.
            signal.alarm(seconds)
        _limit(memory if head in large else memory // 2)
        _send(replies, b"reply", job(head, body))
        if hasattr(signal, "alarm"):
            signal.alarm(0)


def serve_drafts() -> None:
    """Read documents from standard input until it ends."""
    serve(_draft, large=DOCUMENTS)


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


def _draft(head: str, data: bytes) -> bytes:
    # The head was written by ReadingProcess.
    return msgspec.msgpack.encode(_reply(cast("Format", head), data))


def _reply(file_format: Format, data: bytes) -> _Reply:
    try:
        return _Reply(read_draft(file_format, data))
    except ArticleError as error:
        return _Reply(error=printable_line(str(error)))
    except MemoryError:
        return _Reply(error="takes too much memory to read; split it", fault=True)
    # A hostile document may raise anything; it concerns this document alone.
    except Exception as error:  # noqa: BLE001 (it is in the reply)
        return _Reply(error=why_damaged(error), fault=True)
