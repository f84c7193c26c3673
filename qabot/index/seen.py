"""Keep what rebuilds know of source files (``qabot.articles.SeenFiles``), beside the generations.

It is true of files, not of a generation: whichever is live, a file with these times has this
content. So it may be lost, and what is damaged counts as lost: then every file is read.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path

from qabot.files import read_regular

NAME = "files.seen"
# A hash of a file's name and times, and the SHA-256 of its content.
_KEY, _CONTENT = 16, 32


def read_seen(index: Path) -> dict[bytes, bytes]:
    """What ``write_seen`` wrote into the index folder; nothing if that is not there, or damaged."""
    try:
        packed = read_regular(index / NAME)
    except OSError:
        return {}
    size = len(packed) - hashlib.sha256().digest_size
    if size < 0 or size % (_KEY + _CONTENT) or packed[size:] != _checksum(packed[:size]):
        return {}
    places = range(0, size, _KEY + _CONTENT)
    return {packed[at : at + _KEY]: packed[at + _KEY : at + _KEY + _CONTENT] for at in places}


def write_seen(index: Path, seen: Mapping[bytes, bytes]) -> None:
    """Write it; what cannot be written is read again by the next rebuild.

    Args:
        index: The index folder, whose lock is held.
    """
    packed = b"".join(key + content for key, content in seen.items())
    path = index / NAME
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)  # Never through a link that somebody put there.
        with path.open("xb") as file:
            file.write(packed + _checksum(packed))


def _checksum(packed: bytes) -> bytes:
    return hashlib.sha256(packed).digest()
