"""Exit codes, and the one line printed for an error."""

from __future__ import annotations

from qabot.cli.output import complain
from qabot.errors import FilterError, QabotError
from qabot.text import described

NOT_FOUND, BAD_INPUT = 1, 2


def explain(error: Exception) -> int:
    """Print one line about ``error`` and return its exit code."""
    if isinstance(error, QabotError):
        # A filter's message begins with its name, which is also the flag's.
        complain(f"--{error}" if isinstance(error, FilterError) else str(error))
        return error.exit_code
    usage = getattr(error, "format_message", None)
    if usage is not None:  # click's usage errors: an unknown option, a missing argument.
        complain(f"{usage().rstrip('.')}; see `qabot --help`")
        return BAD_INPUT
    complain(f"unexpected {described(error)}; run it with --debug for the details")
    return BAD_INPUT
