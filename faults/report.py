"""The table of faults and what came of them, as Markdown."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from faults.site import Row

_LIBRARIES = ("faiss-cpu", "filelock", "numpy", "onnxruntime")
_HEAD = (
    "fault",
    "times",
    "exit codes of the command",
    "answers as before",
    "answers as after",
    "refused in one line",
    "wrong",
    "repaired by the next rebuild",
)
_TEXT = """# Reliability

What comes of faults, as `{command}` found it on {day}, in {minutes} minutes: qabot {qabot},
Python {python}, {libraries}, {system}. The command writes this file.

Each fault meets a real `qabot` in a process of its own, on an index of four short articles whose
sources have changed since: one article is changed, one is gone, one is new. Afterwards all
questions are asked by `qabot ask --batch`. Together, the answers have to be those from before the
rebuild or those from after it, to the character, and each quote has to stand in its article where
it says. (Where questions are asked while a rebuild is published, each answer has to be right for
the generation that it names.) A command that cannot go on has to say so in one line that names the
remedy, with the exit code of its kind and no traceback. Then `qabot rebuild` has to bring the index
up to date, and leave nothing lying about. (Where bytes are changed anywhere, the library opens the
index, and opens it again when the file is healed: no command runs. Where reads fail, the index is
opened again, or everything is asked again, without a fault. The Milvus server is milvus-lite, on
loopback. Where it is stopped for longer than it is waited for, that is two seconds, not half a
minute.)

{table}

{verdict}

A killed process has the exit code -9. Where one had ended by itself before its moment came, that
does not count, and another moment is drawn. Readers whose answers changed over while a rebuild was
published count as after it. A disk that is full or cannot be written is 2, as is a source
that is missing; an index that cannot be used, or whose server does not answer, is 3, another
rebuild 4. A rebuild of which a write failed but that ended with 0 had only failed to tidy up, or to
keep something for later. "The power fails" is a kill after which all that was not flushed to the
disk is cut short or was never renamed.
"""


def render(rows: Sequence[Row], command: str, seconds: float) -> str:
    """The whole document."""
    problems = sum(len(row.problems) for row in rows)
    return _TEXT.format(
        command=command,
        day=datetime.now(UTC).date().isoformat(),
        minutes=max(1, round(seconds / 60)),
        qabot=version("qabot"),
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        system=f"{platform.system()} on {platform.machine()}",
        table=table(rows),
        verdict="Nothing was lost, and no answer was wrong."
        if not problems
        else f"**{problems} problems**: see what the command printed.",
    )


def table(rows: Sequence[Row]) -> str:
    """The rows alone, under their heads."""
    lines = [_line(_HEAD), _line(["---"] * len(_HEAD)), *(_line(_cells(row)) for row in rows)]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    codes = ", ".join(f"{code} ({count}×)" for code, count in sorted(row.codes.items()))
    states = [row.states[state] for state in ("before", "after", "refused")]
    # A fault that was found in another way than by an answer counts as well.
    wrong = max(row.states["wrong"], len(row.problems))
    return [
        row.fault,
        str(row.codes.total()),
        codes,
        *map(str, states),
        str(wrong),
        str(row.repaired),
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
