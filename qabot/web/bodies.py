"""Read the body of a response piece by piece, so that it never exceeds its limit."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from qabot.web.policy import MEGABYTE

PDF = b"%PDF-"
ZIP = b"PK\x03\x04"
"""The first bytes of documents; office documents and e-books are ZIP archives."""

# zlib and gzip, told apart by their headers.
_ANY_HEADER = 32 + zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"
_DOCUMENTS = (PDF, ZIP)
_MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """The most bytes of a body, as sent and unpacked.

    Attributes:
        document: The limit if the body begins like a document.
    """

    any: int
    document: int = 0

    def of(self, beginning: bytes | bytearray) -> int:
        """Return the limit of a body with this beginning."""
        return max(self.any, self.document) if beginning.startswith(_DOCUMENTS) else self.any


class BodyError(Exception):
    """A body that is too large, damaged or compressed in an unknown way; its text says so."""


def too_large(limit: int) -> BodyError:
    """Return the error for a body of more than ``limit`` bytes."""
    return BodyError(f"is larger than {limit / MEGABYTE:g} MB, the limit")


class Body:
    """Collects a body.

    Args:
        length: The announced number of bytes, if any.
        packed: It is compressed by gzip or deflate.
    """

    def __init__(self, limit: Limit, *, packed: bool, length: int = 0) -> None:
        self._limit = limit
        self._length = length
        self._data = bytearray()
        self._received = 0
        self._parts = 1
        self._unpacker = zlib.decompressobj(_ANY_HEADER) if packed else None

    def add(self, chunk: bytes) -> None:
        """Add a piece.

        Raises:
            BodyError: It is too large or damaged.
        """
        # Counted as well: a gzip file may go on for ever and contain nothing.
        self._received += len(chunk)
        while chunk:
            self._refuse(self._received)
            chunk = self._unpack(chunk)
            self._refuse(max(self._length, len(self._data)))

    def _refuse(self, size: int) -> None:
        limit = self._limit.of(self._data)
        if size > limit:
            raise too_large(limit)

    def _unpack(self, chunk: bytes) -> bytes:
        """Unpack a piece as far as there is room; return the rest of it."""
        if self._unpacker is None:
            self._data += chunk
            return b""
        try:
            room = self._limit.of(self._data) + 1 - len(self._data)
            self._data += self._unpacker.decompress(chunk, room)
        except zlib.error as error:
            raise BodyError("is damaged (cannot be unpacked)") from error
        if not self._unpacker.eof:
            return self._unpacker.unconsumed_tail
        rest = self._unpacker.unused_data.lstrip(b"\0")
        if rest:
            # Several gzip files in a row are one file; thousands of them only cost time.
            self._parts += 1
            if self._parts > _MOST_PARTS:
                raise BodyError(f"is compressed in more than {_MOST_PARTS} parts")
            self._unpacker = zlib.decompressobj(_ANY_HEADER)
        return rest

    def whole(self) -> bytes:
        """Return the complete body.

        Raises:
            BodyError: The end is missing.
        """
        if self._unpacker is not None and self._received and not self._unpacker.eof:
            raise BodyError("is damaged (its end is missing)")
        return bytes(self._data)


def is_text(data: bytes) -> bool:
    """Tell whether ``data`` may be text: neither a document nor compressed."""
    return not data.startswith((*_DOCUMENTS, _GZIP))


def unpacked(data: bytes, limit: int) -> bytes:
    """Return ``data``, unpacked if it is a gzip file.

    Raises:
        BodyError: It is too large or damaged.
    """
    if not data.startswith(_GZIP):
        return data
    body = Body(Limit(limit), packed=True)
    body.add(data)
    return body.whole()
