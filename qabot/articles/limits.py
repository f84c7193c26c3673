"""How large a document may be, and how long reading it may take."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from qabot.articles.formats import DOCUMENTS, Format
from qabot.articles.sandbox import SECONDS, too_slow
from qabot.errors import ArticleError

# Of the limit for plain text. Reading Markdown takes up to a gigabyte of memory for each megabyte,
# where it is one long list or table; pages take a tenth of that.
_SHARES = {"markdown": 0.1, "html": 0.5}
_NAMES = {"markdown": "Markdown ", "html": "HTML "}
# Documents hold pictures as well.
_MOST_DOCUMENT_BYTES = 100_000_000
# A text of this size takes 150 MB to read at the most; to start a process takes longer than that.
_SMALL = 100_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The cost that one document may have.

    Attributes:
        megabytes: The size of a file of plain text; a page of HTML may have half of that, a
            Markdown file a tenth.
        seconds: The time to make an article of it.
    """

    megabytes: int = 20
    seconds: float = SECONDS

    def check_size(self, size: int, file_format: Format) -> None:
        """Raise ``ArticleError`` if a file of ``size`` bytes is too large for its format."""
        most = self.most_bytes(file_format)
        if size > most:
            remedy = "split it"
            if file_format not in DOCUMENTS:
                remedy += ", or raise the setting max_article_mb"
            raise ArticleError(
                f"larger than {most / 1e6:g} MB, the limit for one {_NAMES.get(file_format, '')}"
                f"article; {remedy}"
            )

    def most_bytes(self, file_format: Format) -> int:
        """The size that a file of this format may have."""
        if file_format in DOCUMENTS:
            return _MOST_DOCUMENT_BYTES
        return int(self.megabytes * 1_000_000 * _SHARES.get(file_format, 1))

    def can_read_here(self, size: int, file_format: Format) -> bool:
        """Tell whether a file is read without a process of its own: cheaply, with a time limit.

        Only the main thread can be interrupted, and only on systems with alarms.
        """
        small = file_format not in DOCUMENTS and size <= _SMALL
        return small and hasattr(signal, "setitimer") and _in_main_thread()

    @contextlib.contextmanager
    def patience(self, file_format: Format) -> Iterator[None]:
        """Give up on what happens inside, where ``can_read_here``, when its time is over.

        A library is interrupted when it comes back to Python.

        Raises:
            ArticleError: The time is over.
        """
        before = signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        try:
            yield
        except _TimeIsOver:
            raise ArticleError(too_slow(self.seconds, file_format)) from None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


class _TimeIsOver(BaseException):
    """No ``Exception``: readers catch whatever a library raises in a hostile document."""


def _interrupt(*_: object) -> NoReturn:
    raise _TimeIsOver


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
