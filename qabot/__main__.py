"""The command ``qabot``, also as ``python -m qabot``."""

from __future__ import annotations

import os
import sys

from qabot.signals import INTERRUPTED, TerminatedError, end_by, handle_signals, stop_handling


def main() -> None:
    """Run the command; signals are handled before anything else is imported."""
    try:
        handle_signals()
        from qabot.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("qabot: interrupted\n")
        _exit_interrupted()
    except TerminatedError as end:
        end_by(end.number)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _exit_interrupted()
        # The work is done: a signal would only interrupt how Python ends, with lines of its own.
        stop_handling()
        raise


def _exit_interrupted() -> None:
    """Exit at once: Python itself would end by the signal if it interrupted an ``exec``."""
    sys.stderr.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
