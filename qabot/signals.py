"""Signals: how a process ends by them, cleanly and with one line."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

INTERRUPTED = 130
"""The exit code after Ctrl-C."""

_RECENT_SECONDS = 5.0
_CLEANUP_SECONDS = 30.0
_interrupted: float | None = None
_terminated: float | None = None


class TerminatedError(SystemExit):
    """SIGTERM or SIGHUP was received; unwinds the stack, so that everything is cleaned up.

    A SystemExit, because asyncio would hand another exception to whatever task is running.

    Attributes:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def handle_signals() -> None:
    """Have Ctrl-C interrupt this process, and SIGTERM and SIGHUP end it after cleaning up.

    Signals that are ignored, as by ``nohup``, stay so.
    """
    _handle("SIGINT", _interrupt)
    for name in ("SIGTERM", "SIGHUP"):
        _handle(name, _terminate)


def exit_on_signals() -> None:
    """Have Ctrl-C, SIGTERM and SIGHUP end this process at once and well, without cleaning up."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        _handle(name, lambda *_: os._exit(0))


def was_interrupted() -> bool:
    """Tell whether Ctrl-C was pressed a moment ago.

    Libraries may turn a KeyboardInterrupt into another error, such as an ImportError.
    """
    return _interrupted is not None and time.monotonic() - _interrupted < _RECENT_SECONDS


def ignore_interrupts() -> None:
    """Ignore Ctrl-C from now on, because the process is ending anyway."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def stop_handling() -> None:
    """Ignore Ctrl-C from now on, and let SIGTERM and SIGHUP end this process at once.

    All is cleaned up, and an exception would only interrupt how Python ends.
    """
    ignore_interrupts()
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is _terminate:
            signal.signal(number, signal.SIG_DFL)


def end_by(number: int) -> None:
    """End this process by a signal, as if it had not been handled."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def end_with_parent() -> None:
    """End this process, cleaning up, when the other end of its standard input is closed.

    The parent keeps it open, so that this happens when the parent ends, even if it is killed.
    """
    threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(sys.__stdin__.fileno() if sys.__stdin__ else 0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_CLEANUP_SECONDS)
    os._exit(1)


def _handle(name: str, handler: object) -> None:
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, handler)  # type: ignore[arg-type]


def _interrupt(number: int, frame: object) -> None:  # noqa: ARG001 (as signal calls it)
    global _interrupted  # noqa: PLW0603 (there is one process)
    _interrupted = time.monotonic()
    raise KeyboardInterrupt


def _terminate(number: int, frame: object) -> None:  # noqa: ARG001 (as signal calls it)
    global _terminated  # noqa: PLW0603 (there is one process)
    # A closing terminal sends several: those that follow must not stop the cleaning up.
    if _terminated is None or time.monotonic() - _terminated > _RECENT_SECONDS:
        _terminated = time.monotonic()
        raise TerminatedError(number)
