"""ZIP archives that may be hostile: nothing is unpacked to disk, and little to memory."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from qabot.errors import ArticleError
from qabot.text import first_line

MAX_MEMBERS = 20_000
MAX_UNPACKED = 200_000_000
"""Bytes of all members that are looked at together."""
MAX_MEMBER = 40_000_000
"""Bytes of a member that is read as text: some thousand pages."""
MAX_RATIO = 200
"""Times that a large member may grow: XML grows thirtyfold, a bomb a thousandfold."""

_SMALL = 1_000_000
_CHUNK = 1_000_000
# No document is packed in another way; of these, Python unpacks a piece at a time.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AGAIN = "save it again"


class Archive:
    """Reads members of a ZIP archive into memory.

    Args:
        data: The archive.
        kind: What it should be, for errors: "a DOCX document".

    Raises:
        ArticleError: It is damaged, encrypted, or holds too much.
    """

    def __init__(self, data: bytes, kind: str) -> None:
        if data.startswith(_OLD_OFFICE):
            raise ArticleError(
                f"not {kind} (encrypted, or an old Office document); save it as one without a "
                "password"
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except MemoryError:
            raise
        # A hostile file makes it raise a good many errors of its own and of others.
        except Exception as error:
            raise ArticleError(
                f"not {kind}, or damaged ({first_line(error)[:200]}); {_AGAIN}"
            ) from error
        self._members = {member.filename: member for member in self._zip.infolist()}
        self._unpacked = 0
        if len(self._members) > MAX_MEMBERS:
            raise ArticleError(f"holds {len(self._members)} files, {MAX_MEMBERS} at most; split it")

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """The names of all members, in their order."""
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            ArticleError: It is missing, damaged, encrypted, or too large.
        """
        return b"".join(self._chunks(name, MAX_MEMBER))

    def _chunks(self, name: str, most: int) -> Iterator[bytes]:
        member = self._members.get(name)
        if member is None:
            raise ArticleError(f"damaged: holds no {name[:100]}; {_AGAIN}")
        if member.flag_bits & 1:
            raise ArticleError("encrypted; save it without a password")
        if member.compress_type not in _METHODS:
            raise ArticleError(f"{name[:100]} is packed in a way that is not read; {_AGAIN}")
        size = 0
        try:
            with self._zip.open(member) as file:
                while chunk := file.read(_CHUNK):
                    size += len(chunk)
                    self._unpacked += len(chunk)
                    self._refuse_bomb(member, size, most)
                    yield chunk
        except (ArticleError, MemoryError):
            raise
        except Exception as error:
            reason = f"{name[:100]}: {first_line(error)[:200]}"
            raise ArticleError(f"damaged ({reason}); {_AGAIN}") from error

    def _refuse_bomb(self, member: zipfile.ZipInfo, size: int, most: int) -> None:
        if size > _SMALL and size > MAX_RATIO * member.compress_size:
            raise ArticleError(
                f"unpacks to over {MAX_RATIO} times its size, as bombs do; remove it, or save it "
                "again"
            )
        for unpacked, limit in ((size, most), (self._unpacked, MAX_UNPACKED)):
            if unpacked > limit:
                raise ArticleError(f"unpacks to more than {limit // 1_000_000} MB; split it")


def resolved(base: str, address: str) -> str:
    """The name of the member that ``address`` means in the member ``base``, without its fragment.

    An address that leads out of the archive gives a name that no member has.
    """
    path = unquote(address.split("#", 1)[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))
