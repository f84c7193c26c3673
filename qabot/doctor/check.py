"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qabot.errors import QabotError

Status = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is: ``settings``, ``sources``, ``index``, ``counts``, ``vectors``, …
        status: A warning is worth knowing and stops nothing.
        detail: What was found.
        remedy: What to do about it; ``None`` where all is well.
    """

    name: str
    status: Status
    detail: str
    remedy: str | None = None


def fault(name: str, error: QabotError) -> Check:
    """What an error says, taken apart where its remedy begins."""
    detail, _, remedy = str(error).rpartition("; ")
    if not detail:
        detail, remedy = remedy, "install qabot again, or change the setting that names it"
    return Check(name, "fault", detail, remedy)
