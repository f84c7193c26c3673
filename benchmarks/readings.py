"""What retrieval and the reader measure for XQuAD-R's questions, gathered for fitting and tables.

Each question is asked of an index with its article, and, where its title is left out, of one
without it.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.xquad import LANGUAGES, Corpus, Paragraphs, Question, build, load
from qabot.answering.reader.packaged import PackagedReader
from qabot.answering.reader.windows import read_hits
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED, Encoder, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.index import Generation
from qabot.settings import Settings
from qabot.types import Hit

DEPTH = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in ``asked`` of an index of articles in ``articles``, and its hits, read.

    Attributes:
        half: Whether every other title is left out of the index.
        inside: Whether the index holds the question's article.
        right: Of each hit, whether it lies in the right paragraph.
        answers: What answers it, in the language of the articles.
    """

    asked: str
    articles: str
    question: Question
    half: bool
    inside: bool
    hits: tuple[Hit, ...]
    right: tuple[bool, ...]
    answers: tuple[str, ...]


def _asked(
    corpora: dict[str, Corpus],
    encoder: Encoder,
    reader: PackagedReader,
    work: Path,
    half: bool,
    every: tuple[int, int],
) -> Iterator[Asked]:
    for articles in LANGUAGES:
        generation = _generation(corpora[articles], encoder, work, half=half)
        retriever = Retriever(generation, encoder)
        where = Paragraphs(generation, corpora[articles].titles())
        inside = set(corpora[articles].titles()[:: 2 if half else 1])
        for asked in LANGUAGES:
            print(f"{asked} → {articles}, {'half' if half else 'all'}", flush=True)
            for asking, wanted in list(
                zip(corpora[asked].questions, corpora[articles].questions, strict=True)
            )[:: every[asked != articles]]:
                found = retriever.search(asking.text, DEPTH)
                hits = read_hits(reader, asking.text, found, encoder.count_tokens)
                yield Asked(
                    asked,
                    articles,
                    asking,
                    half,
                    wanted.paragraph[0] in inside,
                    tuple(hits),
                    tuple(where.of_hit(hit) == wanted.paragraph for hit in hits),
                    wanted.answers,
                )


def _generation(corpus: Corpus, encoder: Encoder, work: Path, *, half: bool) -> Generation:
    name, cache = corpus.language, Settings().cache_folder
    full = build(work, f"full.{name}", [(corpus, corpus.titles())], encoder, cache)
    if not half:
        return full.open()
    chosen = [(corpus, corpus.titles()[::2])]
    return build(work, f"half.{name}", chosen, encoder, cache, f"full.{name}").open()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What ``everything`` takes from the command line."""
    parser.add_argument("folder", type=Path, help="XQuAD-R")
    parser.add_argument("--work", type=Path, help="keep indexes and readings here between runs")
    parser.add_argument("--graph", type=Path, help="another reader.onnx than the packaged one")
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question only")
    parser.add_argument("--every-across", type=int, help="the same across languages")


def everything(options: argparse.Namespace) -> list[Asked]:
    """Every question in each language of articles in each, of all of them and of half of them."""
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        cache = Settings().cache_folder
        encoder = open_encoder(PACKAGED, cache=cache, notify=print)
        reader = PackagedReader(unpack(cache).folder, graph=options.graph)
        corpora = {language: load(options.folder, language) for language in LANGUAGES}
        every = (options.every, options.every_across or options.every)
        rows: list[Asked] = []
        for half in (False, True):
            # What was read once needs not be read again for another table.
            kind = f"{every[0]}-{every[1]}-{'half' if half else 'full'}"
            path = work / f"readings-{reader.digest}-{kind}"
            if not path.exists():
                found = list(_asked(corpora, encoder, reader, work, half, every))
                path.write_bytes(pickle.dumps(found))
            rows += pickle.loads(path.read_bytes())
        return rows
