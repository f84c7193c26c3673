"""Measure a rebuild after one change against a full one: time by stage, and memory.

    python -m benchmarks.change [--articles 10000] [--paragraphs 1] [--folder DIR]

Articles are new combinations of the seed articles' sentences, in their languages, with other
numbers, so no two are alike. One `qabot rebuild` builds the index of all of them; the next finds
nothing changed; three more each find one article changed, added or removed. With `--folder`,
articles and index stay there, and a later run does not build them again.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.speed import machine
from qabot.articles import read_sources
from qabot.indexing.passages import split_article
from qabot.types import Article

_GOAL = 0.05
_SENTENCES = (2, 4)
_UNSPACED = {"ja", "zh"}
_DIGIT = re.compile("[0-9]")


def main() -> None:
    """Measure everything and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=10_000)
    parser.add_argument("--paragraphs", type=int, default=1, help="of each article; 2–4 sentences")
    parser.add_argument("--folder", type=Path, help="keep articles and index here")
    parser.add_argument("--encoder", help="instead of the packaged model")
    parser.add_argument("--full", action="store_true", help="build the kept index anew, too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        runs = _measured(folder, options)
    Console().print(_table(runs, options))


@dataclass(frozen=True, slots=True)
class Run:
    """One process of `qabot rebuild`.

    Attributes:
        seconds: Wall time from its start to its end.
        stages: Stage → seconds; "opening" precedes all others.
        megabytes: Peak memory.
        passages, encoded: As in the summary.
        computed: CPU seconds of all cores, which depend little on other processes.
    """

    seconds: float
    stages: dict[str, float]
    megabytes: float
    passages: int
    encoded: int
    computed: float | None = None


def _measured(folder: Path, options: argparse.Namespace) -> dict[str, Run]:
    articles, index, kept = folder / "articles", folder / "index", folder / "full.json"
    asked = {name: getattr(options, name) for name in ("articles", "paragraphs", "encoder")}
    known = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    if known and known["asked"] != asked:
        sys.exit(f"{folder}: holds an index of {known['asked']}; name another --folder")
    maker = Maker(options.paragraphs)
    if not articles.exists():
        articles.mkdir(parents=True)
        for number in range(options.articles):
            maker.write(articles, number)
    arguments = ["--index", str(index), str(articles)]
    if options.encoder:
        arguments += ["--encoder", options.encoder]
    runs = {}
    if known and not options.full:
        runs["all"] = Run(**known["run"])
        # A new version of qabot reads all articles again, once.
        _run(*arguments)
    else:
        runs["all"] = _run("--full", *arguments)
        kept.write_text(json.dumps({"asked": asked, "run": asdict(runs["all"])}), "utf-8")
    some, new = options.articles // 2, options.articles
    changed = next(articles.glob(f"{some}.*"))
    before = changed.read_bytes()
    # Each leaves the articles as they were at first, for the next one.
    steps: dict[str, Callable[[], object]] = {
        "nothing": lambda: None,
        "changed": lambda: changed.write_bytes(maker.changed(before)),
        "back": lambda: changed.write_bytes(before),
        "added": lambda: maker.write(articles, new),
        "removed": lambda: next(articles.glob(f"{new}.*")).unlink(),
    }
    for name, change in steps.items():
        change()
        runs[name] = _run(*arguments)
    return runs


# A process's peak memory includes that of its parent, so a small process starts it.
_LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(
    sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
)
marks, said = [], []
for line in process.stderr:
    if line.startswith("{"):
        marks.append((time.perf_counter() - started, json.loads(line)["stage"]))
    else:
        said.append(line)
output = process.stdout.read()
_, status, usage = os.wait4(process.pid, 0)
print(json.dumps({
    "seconds": time.perf_counter() - started, "marks": marks, "megabytes": usage.ru_maxrss / 1024,
    "computed": usage.ru_utime + usage.ru_stime,
    "code": os.waitstatus_to_exitcode(status), "output": output, "said": "".join(said),
}))
sys.stdout.flush()
os._exit(0)
"""


def _run(*arguments: str) -> Run:
    command = [sys.executable, "-c", "from qabot.cli import main; main()", "rebuild"]
    launched = subprocess.run(
        [sys.executable, "-c", _LAUNCHER, *command, "--json", "--progress", *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(launched.stdout)
    if result["code"]:
        sys.exit(f"qabot rebuild failed: {result['said']}")
    summary = json.loads(result["output"])
    stages: defaultdict[str, float] = defaultdict(float)
    last, stage = 0.0, "opening"
    for at, entered in [*result["marks"], (result["seconds"], "")]:
        stages[stage] += at - last
        last, stage = at, entered
    return Run(
        result["seconds"],
        dict(stages),
        result["megabytes"],
        summary["passages"],
        summary["encoded"],
        result["computed"],
    )


class Maker:
    """Makes articles of the seed articles' sentences.

    Args:
        paragraphs: Paragraphs per article.
    """

    def __init__(self, paragraphs: int) -> None:
        self._paragraphs = paragraphs
        self._sentences: defaultdict[str, list[str]] = defaultdict(list)
        self._headings: defaultdict[str, list[str]] = defaultdict(list)
        for article in read_sources(["seeds"]):
            if isinstance(article, Article):
                language = article.info.language
                self._sentences[language] += _sentences(article)
                self._headings[language] += [
                    article.text[h.start : h.end] for h in article.headings
                ]
        self._languages = sorted(self._sentences)

    def write(self, folder: Path, number: int) -> None:
        """Write article ``number`` to ``folder``, always the same."""
        chance = random.Random(number)
        language = self._languages[number % len(self._languages)]
        title = f"{self._heading(language, chance)} ({number})"
        day = f"{chance.randint(2015, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        parts = [f'---\ntitle: "{title}"\npublished: "{day}"\nlanguage: {language}\n---']
        for place in range(self._paragraphs):
            if place and place % 2 == 0:
                parts.append(f"## {self._heading(language, chance)}")
            parts.append(self._paragraph(language, chance))
        (folder / f"{number}.{language}.md").write_text("\n\n".join(parts) + "\n", "utf-8")

    def changed(self, article: bytes) -> bytes:
        """Change the numbers in the last paragraph of ``article``."""
        text, last = article.decode().rstrip().rsplit("\n\n", 1)
        return f"{text}\n\n{last} {len(last)}.\n".encode()

    def _heading(self, language: str, chance: random.Random) -> str:
        return _renumbered(chance.choice(self._headings[language]), chance).replace('"', "")

    def _paragraph(self, language: str, chance: random.Random) -> str:
        count = chance.randint(*_SENTENCES)
        chosen = chance.sample(self._sentences[language], count)
        joint = "" if language in _UNSPACED else " "
        return joint.join(_renumbered(sentence, chance) for sentence in chosen)


def _sentences(article: Article) -> Iterator[str]:
    for passage in split_article(article, lambda texts: [len(text) // 4 for text in texts]):
        for start, end in passage.sentences:
            sentence = " ".join(passage.text[start:end].split())
            if sentence not in passage.headings:
                yield sentence


def _renumbered(text: str, chance: random.Random) -> str:
    return _DIGIT.sub(lambda found: str(chance.randint(1, 9)), text)


def _table(runs: dict[str, Run], options: argparse.Namespace) -> Table:
    everything = runs["all"]
    title = (
        f"{options.articles} articles, {everything.passages} passages; one changed: "
        f"{runs['changed'].seconds / everything.seconds:.2%} of everything "
        f"(goal ≤ {_GOAL:.0%}); {machine()}"
    )
    table = Table("", *runs, title=title)
    rows: dict[str, Callable[[Run], str]] = {
        "encoded": lambda run: str(run.encoded),
        "seconds": lambda run: f"{run.seconds:.2f}",
        "share": lambda run: f"{run.seconds / everything.seconds:.2%}",
        "computed": lambda run: "?" if run.computed is None else f"{run.computed:.2f}",
        "peak MB": lambda run: f"{run.megabytes:.0f}",
    }
    for stage in dict.fromkeys(stage for run in runs.values() for stage in run.stages):
        rows[f"– {stage}"] = lambda run, stage=stage: f"{run.stages.get(stage, 0):.2f}"  # type: ignore[misc]
    for name, figure in rows.items():
        table.add_row(name, *map(figure, runs.values()))
    return table


if __name__ == "__main__":
    main()
