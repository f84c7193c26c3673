"""Measure how retrieval and rebuilds grow with the index, without a model.

    python -m benchmarks.scale [--sizes 1000 10000 100000] [--data FOLDER] [--folder DIR]

Articles of ten passages are put together from real sentences: those of the seed articles, or of
the contexts in FOLDER's ``*.jsonl.gz``. Their vectors come from a stand-in for the model, which
adds up a random vector for each word, so that texts about one matter lie together. Each step is a
process of its own. With `--folder`, articles and index stay there.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.speed import machine
from qabot.answering.retrieval import Retriever
from qabot.articles import read_sources
from qabot.encoders import FloatArray
from qabot.encoders.base import normalize
from qabot.index import IndexStore
from qabot.indexing.passages import split_article
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.sentences import sentences_of
from qabot.types import Article

_DIMENSION = 384
_WORD_VECTORS = 1 << 15
_PASSAGES, _SENTENCES = 10, 9
_UNSPACED = {"ja", "zh"}
_QUESTIONS, _WARM_UP = 60, 10
_SHARE = 1000
_STEPS = ("build", "ask", "change one", "ask again", "change 0.1 %", "ask at last")


def main() -> None:
    """Measure all sizes and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--data", type=Path, help="real text: a folder of contexts")
    parser.add_argument("--folder", type=Path, help="keep articles and indexes here")
    parser.add_argument("--step", choices=_STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        _run(options.step, options.folder)
        return
    runs: dict[int, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            folder = (options.folder or Path(temporary)) / str(size)
            if not (folder / "articles").exists():
                write_articles(folder / "articles", size, options.data)
            shutil.rmtree(folder / "index", ignore_errors=True)
            runs[size] = {step: _measured(step, folder) for step in _STEPS}
            print(json.dumps({size: runs[size]}), flush=True)
            if not options.folder:
                shutil.rmtree(folder)
    Console(width=160).print(_table(runs))


def _measured(step: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale", "--step", step, "--folder", str(folder)]
    # A child's peak memory counts what its parent had when it was forked.
    launcher = "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", launcher, *command], stdout=-1, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def _run(step: str, folder: Path) -> None:
    """Do one step and print its figures."""
    if step.startswith("ask"):
        found = _ask(folder)
    else:
        if step.startswith("change"):
            _change(folder / "articles", everything=step.endswith("%"))
        found = _rebuild(folder)
    found["peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def _rebuild(folder: Path) -> dict[str, float]:
    encoder = WordEncoder()
    marks: dict[str, float] = defaultdict(float)
    last, stage = time.process_time(), "opening"

    def report(progress: Any) -> None:
        nonlocal last, stage
        now = time.process_time()
        marks[stage] += now - last
        last, stage = now, progress.stage

    started, used = time.perf_counter(), time.process_time()
    plan = IndexPlan((str(folder / "articles"),), folder / "cache")
    summary = rebuild(IndexStore(folder / "index"), encoder, plan, report)
    seconds = time.perf_counter() - started
    marks[stage] += time.process_time() - last
    return {
        "s": seconds,
        "CPU s": time.process_time() - used,
        "without encoding, CPU s": time.process_time() - used - encoder.seconds,
        "passages": summary.passages,
        **{f"– {name}, CPU s": value for name, value in marks.items()},
    }


def _ask(folder: Path) -> dict[str, float]:
    encoder, store = WordEncoder(), IndexStore(folder / "index")
    before = _resident()
    started, used = time.perf_counter(), time.process_time()
    generation = store.open()
    retriever = Retriever(generation, encoder)
    opened, computed = time.perf_counter() - started, time.process_time() - used
    chance = random.Random(1)
    spans: dict[str, list[float]] = defaultdict(list)
    for question in _questions(folder, chance):
        vector = encoder.encode_query([question])
        parts: dict[str, Callable[[], object]] = {
            "question": partial(retriever.search, question, 12, vector=vector[0]),
            "words": partial(generation.lexical.search, question, 50),
            "vectors": partial(generation.vectors.search, vector[0], 200),
        }
        for name, work in parts.items():
            begun, used = time.perf_counter(), time.process_time()
            with generation.reading():
                work()
            spans[f"{name}, ms"].append((time.perf_counter() - begun) * 1000)
            spans[f"{name}, CPU ms"].append((time.process_time() - used) * 1000)
    figures = {"opening, s": opened, "opening, CPU s": computed}
    figures |= {"resident MB": _resident() - before, "segments": len(generation.manifest.segments)}
    for name, times in spans.items():
        figures[name] = float(np.median(times[_WARM_UP:]))
        figures[f"{name} (95 %)"] = float(np.quantile(times[_WARM_UP:], 0.95))
    files = [path for path in store.folder.rglob("*") if path.is_file()]
    figures["disk MB"] = sum(path.stat().st_size for path in files) / 1e6
    generation.close()
    return figures


def _questions(folder: Path, chance: random.Random) -> list[str]:
    """Some words of a sentence of an article, each."""
    articles = sorted((folder / "articles").rglob("*.md"))
    found: list[str] = []
    while len(found) < _QUESTIONS:
        words = chance.choice(articles).read_text("utf-8").split()[12:]
        at = chance.randrange(max(1, len(words) - 12))
        found.append(" ".join(words[at : at + 12 : 2])[:300] + "?")
    return found


def _change(articles: Path, *, everything: bool) -> None:
    files = sorted(articles.rglob("*.md"))
    count = max(1, len(files) // _SHARE) if everything else 1
    for path in random.Random(2).sample(files, count):
        text = path.read_text("utf-8").rstrip()
        path.write_text(f"{text} Then {len(text)} more came.\n", "utf-8")


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def write_articles(folder: Path, passages: int, data: Path | None) -> None:
    """Write articles with this many passages together."""
    sentences = _corpus(data)
    languages = sorted(sentences)
    shares = [len(sentences[language]) for language in languages]
    for number in range(passages // _PASSAGES):
        chance = random.Random(number)
        language = chance.choices(languages, shares)[0]
        joint = "" if language in _UNSPACED else " "
        parts = [f'---\ntitle: "Article {number}"\nlanguage: {language}\n---']
        for _ in range(_PASSAGES):
            chosen = chance.choices(sentences[language], k=_SENTENCES)
            place = chance.randrange(_SENTENCES)
            chosen[place] = f"{chance.randrange(10**6)} {chosen[place]}"
            parts += [f"## Part {len(parts)}", joint.join(chosen)]
        path = folder / f"{number // 1000}" / f"{number}.{language}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _corpus(data: Path | None) -> dict[str, list[str]]:
    """Language → sentences of ordinary length."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def add(language: str, text: str) -> None:
        for start, end in sentences_of(text, 0, len(text), language):
            sentence = " ".join(text[start:end].split())
            if 30 <= len(sentence) <= 160:
                found[language][sentence] = None

    if data is None:
        for article in read_sources(["seeds"]):
            if isinstance(article, Article):
                for passage in split_article(article, lambda texts: [len(t) // 4 for t in texts]):
                    add(article.info.language, passage.text.replace("\n", " "))
    else:
        for path in sorted(data.glob("*.jsonl.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    if {"context", "language"} <= row.keys():
                        add(row["language"], row["context"].replace("\n", " "))
    return {language: list(known) for language, known in found.items() if len(known) > 50}


class WordEncoder:
    """A stand-in for the model: a text's vector is the sum of random vectors of its words.

    Attributes:
        seconds: CPU time spent in it.
    """

    name = "words"
    fingerprint = hashlib.sha256(b"benchmarks.scale").hexdigest()
    dimension = _DIMENSION

    def __init__(self) -> None:
        chance = np.random.default_rng(0)
        self._words = chance.standard_normal((_WORD_VECTORS, _DIMENSION), np.float32)
        self.seconds = 0.0

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Do the same as for documents."""
        return self.encode_document(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Add up the vectors of words: unit vectors, float32 ``(len(texts), dimension)``."""
        started = time.process_time()
        vectors = np.zeros((len(texts), _DIMENSION), np.float32)
        with contextlib.suppress(ValueError):
            for row, text in enumerate(texts):
                pieces = text.lower().split() or [text]
                places = [hash_of(piece) for piece in pieces]
                vectors[row] = self._words[places].sum(axis=0)
        unit = normalize(vectors)
        self.seconds += time.process_time() - started
        return unit

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Guess, so that a passage holds nine sentences."""
        return [len(text) // 8 for text in texts]


def hash_of(word: str) -> int:
    """The place of a word's vector, the same in every process."""
    place = _KNOWN.get(word)
    if place is None:
        place = _KNOWN[word] = (
            int.from_bytes(hashlib.md5(word.encode()).digest()[:4]) % _WORD_VECTORS
        )
    return place


_KNOWN: dict[str, int] = {}


def _table(runs: dict[int, dict[str, dict[str, float]]]) -> Table:
    table = Table("", *(f"{size:,}" for size in runs), title=machine())
    for step in _STEPS:
        for name in dict.fromkeys(name for run in runs.values() for name in run[step]):
            values = [run[step].get(name) for run in runs.values()]
            cells = ["" if value is None else f"{value:,.2f}" for value in values]
            table.add_row(f"{step}: {name}", *cells)
    return table


if __name__ == "__main__":
    main()
