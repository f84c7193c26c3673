"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qabot.errors import QabotError

Status = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check.

    Attributes:
        name: The thing checked: ``settings``, ``sources``, ``index``, ``counts``, ``vectors``, …
        status: A ``warning`` is worth knowing but stops nothing.
        detail: The finding.
        remedy: How to mend it; ``None`` if all is well.
    """

    name: str
    status: Status
    detail: str
    remedy: str | None = None


def fault(name: str, error: QabotError) -> Check:
    """Make a check of an error: its message up to the last semicolon, and the remedy after it."""
    detail, _, remedy = str(error).rpartition("; ")
    if not detail:
        detail, remedy = remedy, "install qabot again, or change the setting that names it"
    return Check(name, "fault", detail, remedy)
