"""How large a document may be, and how long reading it may take."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, get_args

from qabot.articles.isolated import Document
from qabot.errors import ArticleError

# Of the limit for plain text. Reading Markdown takes up to a gigabyte of memory for each megabyte,
# where it is one long list or table; pages take a tenth of that.
_SHARES = {"markdown": 0.1, "html": 0.5}
_NAMES = {"markdown": "Markdown ", "html": "HTML "}
# Documents hold pictures as well, and are read with limits of their own.
_DOCUMENTS = frozenset(get_args(Document))
_MOST_DOCUMENT_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost.

    Attributes:
        megabytes: The size of a file of plain text; a page of HTML may have half of that, a
            Markdown file a tenth.
        seconds: The time to make an article of it.
    """

    megabytes: int = 20
    seconds: float = 60

    def check_size(self, size: int, file_format: str) -> None:
        """Raise ``ArticleError`` if a file of ``size`` bytes is too large for its format."""
        most = self.most_bytes(file_format)
        if size > most:
            remedy = "split it"
            if file_format not in _DOCUMENTS:
                remedy += ", or raise the setting max_article_mb"
            raise ArticleError(
                f"larger than {most / 1e6:g} MB, the limit for one {_NAMES.get(file_format, '')}"
                f"article; {remedy}"
            )

    def most_bytes(self, file_format: str) -> int:
        """The size that a file of this format may have."""
        if file_format in _DOCUMENTS:
            return _MOST_DOCUMENT_BYTES
        return int(self.megabytes * 1_000_000 * _SHARES.get(file_format, 1))

    @contextlib.contextmanager
    def patience(self) -> Iterator[None]:
        """Give up on what happens inside when its time is over.

        Only the main thread can be interrupted, and only on systems with alarms; a library is,
        when it comes back to Python.

        Raises:
            ArticleError: The time is over.
        """
        if not hasattr(signal, "setitimer") or not _in_main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        except _TimeIsOver:
            raise ArticleError(
                f"cannot be read within {self.seconds:g} s; split it or simplify its markup"
            ) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class _TimeIsOver(BaseException):
    """No ``Exception``: readers catch whatever a library raises in a hostile document."""


def _interrupt(*_: object) -> NoReturn:
    raise _TimeIsOver


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
