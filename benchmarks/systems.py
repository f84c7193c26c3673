"""qabot and its peers: run each on a task, in its environment."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

ROOT = Path(__file__).parent.parent
_PEERS = Path(__file__).parent / "peers.txt"
# Measurements use no network.
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "PYTHONPATH": str(ROOT),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One system of the comparison.

    Attributes:
        title: For tables.
        module: The program for ``benchmarks.harness``.
        arguments: Its arguments beside the task.
    """

    title: str
    module: str
    arguments: tuple[str, ...] = ()

    @property
    def is_peer(self) -> bool:
        """True if it runs in the peers' environment."""
        return self.module.startswith("benchmarks.peers.")


QABOT = "qabot"
SYSTEMS = {
    QABOT: Entry("qabot", "benchmarks.ours"),
    "qabot-no-reader": Entry("qabot, --no-reader", "benchmarks.ours", ("no-reader",)),
    "bm25": Entry("BM25 (bm25s, stemmed)", "benchmarks.peers.bm25"),
    "txtai": Entry("txtai, dense", "benchmarks.peers.txtai"),
    "txtai-hybrid": Entry("txtai, hybrid", "benchmarks.peers.txtai", ("hybrid",)),
    "haystack": Entry("Haystack, BM25 + dense", "benchmarks.peers.haystack"),
    "llamaindex": Entry("LlamaIndex, FAISS", "benchmarks.peers.llamaindex"),
    "langchain": Entry("LangChain, FAISS", "benchmarks.peers.langchain"),
    "minilm": Entry(
        "LangChain, FAISS, all-MiniLM-L6-v2", "benchmarks.peers.langchain", ("minilm",)
    ),
}


def peers_python(folder: Path | None = None) -> Path:
    """Return the Python of the peers' environment; make it first if missing (minutes, 2 GB).

    Args:
        folder: The environment; by default, one for these versions in the user's cache.
    """
    digest = hashlib.sha256(_PEERS.read_bytes()).hexdigest()[:12]
    folder = folder or platformdirs.user_cache_path("qabot-benchmarks") / f"peers-{digest}"
    python = folder / "bin" / "python"
    mark = folder / "complete"
    if not mark.exists():
        print(f"Installing what qabot is compared with into {folder} …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        torch = next(line for line in _PEERS.read_text().split("\n") if line.startswith("torch=="))
        subprocess.run([*pip, torch], check=True)
        subprocess.run([*pip, "-r", str(_PEERS)], check=True)
        mark.write_text(digest)
    return python


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs systems, each in a process of its own.

    Attributes:
        peers: The peers' Python.
    """

    peers: Path

    def run(self, name: str, task: dict[str, Any]) -> tuple[dict[str, Any], float]:
        """Run a task; return its result and the seconds of the whole process.

        Raises:
            SystemExit: The system failed.
        """
        entry = SYSTEMS[name]
        with tempfile.TemporaryDirectory() as folder:
            given, result = Path(folder) / "task.json", Path(folder) / "result.json"
            given.write_text(json.dumps(task), "utf-8")
            python = str(self.peers) if entry.is_peer else sys.executable
            started = time.perf_counter()
            process = subprocess.run(
                [python, "-m", entry.module, str(given), str(result), *entry.arguments],
                cwd=ROOT,
                env={**os.environ, **_OFFLINE, "TMPDIR": folder},  # Removed with the rest.
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = time.perf_counter() - started
            if process.returncode or not result.exists():
                raise SystemExit(f"{entry.title} failed:\n{process.stderr[-2000:]}")
            answer: dict[str, Any] = json.loads(result.read_text("utf-8"))
        return answer, seconds
