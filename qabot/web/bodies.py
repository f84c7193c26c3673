"""The body of an answer, unpacked piece by piece, so that it never outgrows its limit."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from qabot.web.policy import MEGABYTE

PDF = b"%PDF-"
ZIP = b"PK\x03\x04"
"""How documents begin; those of office programs and books are ZIP archives."""

# zlib and gzip, told apart by their headers.
_ANY_HEADER = 32 + zlib.MAX_WBITS
_GZIP = b"\x1f\x8b"
_DOCUMENTS = (PDF, ZIP)
_MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Limit:
    """Bytes that a body may have, as sent and unpacked.

    Attributes:
        document: Those of one that begins as a document does.
    """

    any: int
    document: int = 0

    def of(self, beginning: bytes | bytearray) -> int:
        """What holds for a body with this beginning."""
        return max(self.any, self.document) if beginning.startswith(_DOCUMENTS) else self.any


class BodyError(Exception):
    """A body that is too large, damaged or packed in an unknown way; says so on one line."""


def too_large(limit: int) -> BodyError:
    """What is said of a body that has more bytes than ``limit``."""
    return BodyError(f"is larger than {limit / MEGABYTE:g} MB, the limit")


class Body:
    """Gathers a body.

    Args:
        length: Bytes that were announced, if any.
        packed: Whether it is compressed by gzip or deflate.
    """

    def __init__(self, limit: Limit, *, packed: bool, length: int = 0) -> None:
        self._limit = limit
        self._length = length
        self._data = bytearray()
        self._received = 0
        self._parts = 1
        self._unpacker = zlib.decompressobj(_ANY_HEADER) if packed else None

    def add(self, chunk: bytes) -> None:
        """Take more of it.

        Raises:
            BodyError: It is too large or damaged.
        """
        # Counted, too: a gzip file may go on for ever and hold nothing.
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
        """Add what ``chunk`` holds, as far as there is room; what is left of it."""
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
            # Several gzip files in a row are one; thousands of them only cost time.
            self._parts += 1
            if self._parts > _MOST_PARTS:
                raise BodyError(f"is packed in more than {_MOST_PARTS} parts")
            self._unpacker = zlib.decompressobj(_ANY_HEADER)
        return rest

    def whole(self) -> bytes:
        """All of it.

        Raises:
            BodyError: The end is missing.
        """
        if self._unpacker is not None and self._received and not self._unpacker.eof:
            raise BodyError("is damaged (its end is missing)")
        return bytes(self._data)


def is_text(data: bytes) -> bool:
    """Whether ``data`` may be text, whose encoding matters: it is no document and not packed."""
    return not data.startswith((*_DOCUMENTS, _GZIP))


def unpacked(data: bytes, limit: int) -> bytes:
    """``data``, or what it holds if it is a gzip file.

    Raises:
        BodyError: It is too large or damaged.
    """
    if not data.startswith(_GZIP):
        return data
    body = Body(Limit(limit), packed=True)
    body.add(data)
    return body.whole()
