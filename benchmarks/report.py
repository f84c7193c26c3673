"""Compare qabot with its alternatives in quality, speed and size: benchmarks/RESULTS.md.

    python -m benchmarks.report FOLDER [options]

FOLDER holds XQuAD-R: en.json, de.json and so on. The first run installs the peers into an
environment of their own (2 GB, some minutes); it downloads nothing while it measures. A full run
takes an hour or two, on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import qabot
from benchmarks import limits, quality, race
from benchmarks.comparison import Parallel, read
from benchmarks.systems import QABOT, SYSTEMS, Runner, peers_python
from benchmarks.xquad import LANGUAGES
from qabot.encoders.e5.packaged import unpack
from qabot.settings import Settings

_RESULTS = Path(__file__).parent / "RESULTS.md"
_SECTIONS = ("quality", "speed", "limits")
_DEFAULTS: dict[str, list[str] | int | None] = {
    "only": list(_SECTIONS),
    "systems": list(SYSTEMS),
    "languages": list(LANGUAGES),
    "articles": None,
    "questions": None,
    "documents": 240,
    "rounds": 5,
}
_LIBRARIES = ("onnxruntime", "faiss-cpu", "numpy", "torch")


def main() -> None:
    """Measure the chosen sections, and write the report."""
    options = _options()
    started = time.perf_counter()
    corpus = read(options.folder, options.languages, options.articles, options.questions)
    model = str(unpack(Settings().cache_folder, print).folder)
    peers = any(SYSTEMS[name].is_peer for name in options.systems)
    needed = peers and set(options.only) & {"quality", "speed"}
    runner = Runner(peers_python(options.environment) if needed else Path(sys.executable))
    sections, versions = _sections(options, corpus, model, runner)
    minutes = (time.perf_counter() - started) / 60
    lines = [*_head(options, corpus, versions, minutes), *sections]
    text = "\n".join(lines) + "\n"
    if options.output is None:
        print(text, end="")
        return
    options.output.write_text(text, "utf-8")
    print(f"Written: {options.output}", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="XQuAD-R")
    parser.add_argument("--only", type=_names(_SECTIONS), metavar="NAME,…")
    parser.add_argument("--systems", type=_names(tuple(SYSTEMS)), metavar="NAME,…")
    parser.add_argument("--languages", type=lambda text: text.split(","), metavar="CODE,…")
    parser.add_argument("--articles", type=int, help="the first N of each language; all by default")
    parser.add_argument("--questions", type=int, help="the most in each language; all by default")
    parser.add_argument("--documents", type=int, help="paragraphs for speed")
    parser.add_argument("--rounds", type=int, help="for speed")
    parser.add_argument("--environment", type=Path, help="the peers' environment")
    parser.add_argument(
        "--output", type=Path, help="benchmarks/RESULTS.md if all is measured, else not in a file"
    )
    parser.set_defaults(**_DEFAULTS)
    options = parser.parse_args()
    if options.output is None and not _given(options):
        options.output = _RESULTS
    return options


def _names(known: tuple[str, ...]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        chosen = text.split(",")
        if wrong := [name for name in chosen if name not in known]:
            raise argparse.ArgumentTypeError(f"no {wrong[0]}; there are {', '.join(known)}")
        return chosen

    return names


def _sections(
    options: argparse.Namespace, corpus: Parallel, model: str, runner: Runner
) -> tuple[list[str], dict[str, str]]:
    """Measure the chosen sections; return them with the versions of the measured peers."""
    corpus_options = _given(options, "languages", "articles", "questions")
    amount = corpus_options + _given(options, "documents")

    def command(section: str, options: str, system: str) -> str:
        return f"report FOLDER --only {section} --systems {system}{options}"

    lines: list[str] = []
    versions: dict[str, str] = {}
    if "quality" in options.only:
        rows, versions = quality.measure(
            runner,
            options.systems,
            corpus,
            model,
            lambda name: command("quality", corpus_options, name),
        )
        lines += ["", "## Quality", "", _QUALITY, "", *rows]
    if "speed" in options.only:
        speeds = amount + _given(options, "rounds")
        rows = race.measure(
            runner,
            options.systems,
            corpus,
            model,
            lambda name: command("speed", speeds, f"{QABOT},{name}" if name != QABOT else name),
            documents=options.documents,
            rounds=options.rounds,
        )
        lines += ["", "## Speed and size", "", _SPEED, "", *rows]
    if "limits" in options.only:
        rows = limits.measure(
            corpus, model, f"report FOLDER --only limits{amount}", documents=options.documents
        )
        lines += ["", "## Limits", "", *rows]
    return lines, versions


_QUALITY = """\
Each question is asked, in each language, of an index of each language's articles, and of one of all
languages at once. *One language*: question and articles in the same; *across*: in two; means over
the pairs. *Mixed pool*: every language's version of the right paragraph is right. Peers get
paragraphs with their article's title before them; qabot finds its passages itself. BM25 cuts each
text by its own language. All but BM25 and the last have the same weights; qabot's are 8-bit."""
_SPEED = """\
*Rebuild*: from texts to a searchable index on disk; qabot also reads files and encodes every
sentence. *Question*: qabot reads the best passages and composes quotes; peers return three
paragraphs, which is what `--no-reader` is to be held against. *After one change*:
qabot finds out itself what has changed; txtai, Haystack and LangChain are told; LlamaIndex's FAISS
store and bm25s cannot change a document, and are built anew."""


def _head(
    options: argparse.Namespace, corpus: Parallel, versions: dict[str, str], minutes: float
) -> list[str]:
    ours = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    theirs = ", ".join(f"{name} {number}" for name, number in versions.items())
    paragraphs = len(next(iter(corpus.documents.values())))
    questions = len(next(iter(corpus.questions.values())))
    command = f"python -m benchmarks.report FOLDER{_given(options)}"
    lines = [
        "# Results",
        "",
        f"Made by `{command}`",
        f"in {minutes:.0f} minutes on {time.strftime('%Y-%m-%d')}; FOLDER holds XQuAD-R (LAReQA,",
        "Roy et al. 2020). Each row names the command that measures it again; `report` is short",
        "for `python -m benchmarks.report`.",
        "",
        f"- Machine: {_machine()}",
        f"- Corpus: {paragraphs} paragraphs and {questions} questions in each of "
        f"{', '.join(corpus.languages)}",
        f"- qabot {qabot.__version__}{_commit()}: Python {platform.python_version()}, {ours}",
    ]
    return [*lines, f"- Peers: {theirs}"] if theirs else lines


def _given(options: argparse.Namespace, *names: str) -> str:
    """Return the options that differ from the defaults; if ``names``, only those."""
    text = ""
    for name, default in _DEFAULTS.items():
        value = getattr(options, name)
        if value != default and name in (names or _DEFAULTS):
            text += f" --{name} {','.join(value) if isinstance(value, list) else value}"
    return text


def _machine() -> str:
    model = platform.processor() or platform.machine()
    for line in _lines(Path("/proc/cpuinfo")):
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    return f"{os.cpu_count()} cores, {model}, {memory:.0f} GiB, {system}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _commit() -> str:
    """Name the measured commit, if known."""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f" ({found.stdout.strip()})"


if __name__ == "__main__":
    main()
