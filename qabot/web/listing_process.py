"""Read sitemaps and feeds in the sandboxed process, within limits of time and memory."""

from __future__ import annotations

import asyncio

import msgspec

from qabot.articles.sandbox import SECONDS, BrokenSandboxError, Sandbox, serve
from qabot.web.content_types import Listing
from qabot.web.entries import Listed, ListingError
from qabot.web.listings import read_listing

_PROGRAM = "from qabot.web.listing_process import serve_listings; serve_listings()"


class _Job(msgspec.Struct):
    """The arguments of ``read_listing``."""

    body: bytes
    kind: Listing
    address: str
    most: int


class _Reply(msgspec.Struct):
    """The entries of a listing, or why it cannot be read."""

    listed: Listed
    error: str = ""


class ListingProcess:
    """Reads sitemaps and feeds one after the other; the process starts with the first one.

    Args:
        seconds: The time that one of them may take.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._sandbox = Sandbox(_PROGRAM, seconds)
        self._turn = asyncio.Lock()

    async def read(self, body: bytes, kind: Listing, address: str, most: int) -> Listed:
        """Read a listing as ``read_listing`` does, without blocking the event loop.

        Raises:
            ListingError: It cannot be read, or takes too much time or memory.
        """
        job = msgspec.msgpack.encode(_Job(body, kind, address, most))
        async with self._turn:
            try:
                reply = await asyncio.to_thread(self._sandbox.ask, "listing", job)
            except asyncio.CancelledError:
                self._sandbox.stop()
                raise
            except TimeoutError as error:
                raise ListingError("takes too long to read; name parts of it") from error
            except BrokenSandboxError as error:
                raise ListingError("takes too much memory to read; name parts of it") from error
        found = msgspec.msgpack.decode(reply, type=_Reply)
        if found.error:
            raise ListingError(found.error)
        return found.listed

    def close(self) -> None:
        """End the process."""
        self._sandbox.close()


def serve_listings() -> None:
    """Read listings from standard input until it ends."""
    serve(_read)


def _read(head: str, body: bytes) -> bytes:  # noqa: ARG001 (there is one kind of job)
    job = msgspec.msgpack.decode(body, type=_Job)
    try:
        reply = _Reply(read_listing(job.body, job.kind, job.address, job.most))
    except ListingError as error:
        reply = _Reply(Listed([]), str(error))
    except MemoryError:
        reply = _Reply(Listed([]), "takes too much memory to read; name parts of it")
    return msgspec.msgpack.encode(reply)
