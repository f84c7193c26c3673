"""Run one system on one task: the same measurements for qabot and for every peer.

    python -m benchmarks.peers.NAME TASK.json RESULT.json

It also runs in the peers' environment, which lacks qabot's libraries, so it imports only Python's
own.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

ASKERS = 16
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Document:
    """A paragraph, which peers index by itself and qabot as part of its article.

    Attributes:
        id: The same for qabot and for every peer.
        title: The article's title.
        number: The paragraph's number in the article.
    """

    id: str
    title: str
    number: int
    language: str
    text: str

    @property
    def titled(self) -> str:
        """The text for peers: with the title, which qabot puts before its passages itself."""
        return f"{self.title}\n{self.text}"


class System(Protocol):
    """A system that finds documents."""

    def build(self, documents: Sequence[Document]) -> None:
        """Index ``documents`` and nothing else."""

    def search(self, question: str, language: str, count: int) -> list[str]:
        """Return the ids of the best ``count`` documents, best first."""

    def save(self, folder: Path) -> None:
        """Write the index to disk."""

    def load(self, folder: Path) -> None:
        """Open the index that ``save`` wrote."""

    def change(self, document: Document) -> None:
        """Update a document whose text has changed."""


def run(open_system: Callable[[str], System], *packages: str) -> None:
    """Do the task that the command line names, and write the result.

    Args:
        open_system: Model folder → a system without documents.
        packages: The packages whose versions are reported.
    """
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    result = _MODES[task["mode"]](open_system(task["model"]), task)
    result["versions"] = {name: version(name) for name in packages}
    Path(sys.argv[2]).write_text(json.dumps(result), "utf-8")
    sys.stdout.flush()
    os._exit(0)  # Threads of some libraries outlive their work.


def _quality(system: System, task: dict[str, Any]) -> dict[str, Any]:
    """Rank documents for all questions in each index."""
    rankings = {}
    for name, documents in task["indexes"].items():
        system.build(_documents(documents))
        rankings[name] = [
            system.search(question["text"], question["language"], task["depth"])
            for question in task["questions"]
        ]
    return {"rankings": rankings}


def _speed(system: System, task: dict[str, Any]) -> dict[str, Any]:
    """Measure building, asking and changing (s), a question (ms), and the disk (MB)."""
    documents, folder = _documents(task["documents"]), Path(task["folder"])
    questions = [(question["text"], question["language"]) for question in task["questions"]]
    system.build(documents[:8])  # Models load at the first use.
    system.search(*questions[0], _SHOWN)

    def build() -> None:
        system.build(documents)
        system.save(folder)

    def change() -> None:
        system.change(_documents([task["changed"]])[0])
        system.save(folder)

    def ask(question: tuple[str, str]) -> float:
        return _seconds(lambda: system.search(*question, _SHOWN)) * 1000

    built = _seconds(build)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    warm = [ask(question) for question in questions]
    with ThreadPoolExecutor(ASKERS) as pool:
        together = _seconds(lambda: list(pool.map(ask, questions)))
    return {
        "documents_per_second": len(documents) / built,
        "warm_ms": warm,
        "questions_per_second": len(questions) / together,
        "disk_mb": size / 1e6,
        "change_seconds": _seconds(change),
    }


def _cold(system: System, task: dict[str, Any]) -> dict[str, Any]:
    """Open the saved index and answer one question; the caller times the whole process.

    The memory used then is what serving needs; building needs more.
    """
    system.load(Path(task["folder"]))
    question = task["questions"][0]
    found = system.search(question["text"], question["language"], _SHOWN)
    return {"found": found, "resident_mb": _resident()}


_MODES = {"quality": _quality, "speed": _speed, "cold": _cold}


def _documents(values: Sequence[dict[str, Any]]) -> list[Document]:
    return [Document(**value) for value in values]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _resident() -> float:
    """Read the memory in use now, in MB, from Linux's /proc."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
