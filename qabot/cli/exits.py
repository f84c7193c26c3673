"""Exit codes, and the one line printed for an error."""

from __future__ import annotations

import errno

from qabot.cli.output import complain
from qabot.errors import FilterError, QabotError
from qabot.text import described

NOT_FOUND, BAD_INPUT = 1, 2
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain(error: Exception) -> int:
    """Print one line about ``error`` and return its exit code."""
    if isinstance(error, QabotError):
        # A filter's message begins with its name, which is also the flag's.
        complain(f"--{error}" if isinstance(error, FilterError) else str(error))
        return error.exit_code
    if isinstance(error, OSError) and error.errno in _FULL:
        # Most often, of standard output: other files have errors of their own.
        place = error.filename or "the output"
        complain(f"{place}: cannot be written ({error.strerror}); free space, or name another disk")
        return BAD_INPUT
    if isinstance(error, OSError) and error.errno == errno.EIO:
        # Of a file that comes with qabot, say: those of an index have errors of their own.
        place = error.filename or "a file"
        complain(f"{place}: cannot be read or written ({error.strerror}); check the disk")
        return BAD_INPUT
    usage = getattr(error, "format_message", None)
    if usage is not None:  # click's usage errors: an unknown option, a missing argument.
        complain(f"{usage().rstrip('.')}; see `qabot --help`")
        return BAD_INPUT
    complain(f"unexpected {described(error)}; run it with --debug for the details")
    return BAD_INPUT
