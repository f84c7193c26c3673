"""The setting ``index``: a folder, or an address on a Milvus server.

``milvus://HOST:19530/NAME`` or ``https://HOST/NAME``. Commands that read no index need it, too, so
it loads nothing heavy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from qabot.errors import UsageError

_PORT = 19530
# What Milvus takes as the name of a collection; qabot's own go on after it.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """Where an index is.

    Attributes:
        text: As it was given.
        server: The address of the server, as its client takes it.
        name: The index's.
    """

    text: str
    server: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Read an address; ``None`` for the name of a folder.

        Raises:
            UsageError: It is neither.
        """
        if "://" not in text:
            return None
        try:
            found = urlsplit(text)
            host, port = found.hostname, found.port
        except ValueError as error:
            raise UsageError(f"index {text!r}: no address ({error})") from error
        name = found.path.strip("/")
        if found.scheme not in ("milvus", "https") or not host or found.query or found.fragment:
            raise UsageError(
                f"index {text!r}: write milvus://HOST:{_PORT}/NAME, https://HOST/NAME or a folder"
            )
        if found.username is not None or found.password is not None:
            raise UsageError(
                "index: an address holds no password; set QABOT_MILVUS_TOKEN or milvus_token_file"
            )
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"index {text!r}: the name after the last slash may have letters, digits and "
                "underscores, and begins with no digit"
            )
        place = f"[{host}]" if ":" in host else host
        scheme, default = ("http", _PORT) if found.scheme == "milvus" else ("https", 443)
        return cls(text, f"{scheme}://{place}:{port or default}", name)

    @property
    def folder(self) -> Path:
        """Where this machine keeps what belongs to it alone: what it crawled, its confidence."""
        place = re.sub("[^A-Za-z0-9.-]", "_", self.server.partition("://")[2])
        return Path("milvus") / f"{place}_{self.name}"


def folder_of(index: str) -> Path:
    """The folder of what belongs to an index and to this machine: the index itself, or beside it.

    Raises:
        UsageError: It is no address.
    """
    address = Address.parse(index)
    return Path(index) if address is None else address.folder
