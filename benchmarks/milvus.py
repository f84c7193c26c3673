"""Does an index on a Milvus server answer as one in a folder does, and how fast?

    make bench-milvus ARGS='--xquad FOLDER --near-topic FILE --passages 100000 [--data FOLDER]'

The same articles are indexed in a folder and on the server, with the same vectors, and the same
questions are asked of both. FOLDER holds XQuAD-R, as for ``benchmarks.retrieval``, and FILE has
articles with questions, as for ``benchmarks.near_topic``. With ``--passages``, articles and their
vectors are those of ``benchmarks.scale``. Figures go to standard output, a JSON object a line.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import near_topic
from benchmarks.retrieval import ranked
from benchmarks.scale import questions_of, resident
from benchmarks.scale_articles import WordEncoder, change, write_articles
from benchmarks.xquad import LANGUAGES, Paragraphs, load
from qabot.answering.reader import NONE, open_reader
from qabot.answering.reader import PACKAGED as PACKAGED_READER
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED, Encoder, FloatArray, open_encoder
from qabot.index import AnyGeneration, Store, open_store
from qabot.index.milvus.generation import MilvusGeneration
from qabot.index.vectors import RowArray
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from qabot.types import Filters, Hit
from tests.index.milvus_server import Real

Figures = dict[str, float]
Place = Callable[[str], Store]
"""The index of a name, in a folder or on the server."""

_BEST = 10
_NEAREST = 200
# For some seconds after a rebuild, questions have the server take in all of it.
_SETTLED, _FIRST = 65.0, 5


class Remembering:
    """An encoder that encodes each text once: two indexes of the same texts have equal vectors.

    Args:
        encoder: Encodes what is new.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.fingerprint = encoder.name, encoder.fingerprint
        self.dimension = encoder.dimension
        self._known: dict[tuple[str, str], FloatArray] = {}

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """As the encoder."""
        return self._of("query", texts, self._encoder.encode_query)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """As the encoder."""
        return self._of("document", texts, self._encoder.encode_document)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """As the encoder."""
        return self._encoder.count_tokens(texts)

    def _of(
        self, kind: str, texts: Sequence[str], encode: Callable[[Sequence[str]], FloatArray]
    ) -> FloatArray:
        new = list(dict.fromkeys(text for text in texts if (kind, text) not in self._known))
        if new:
            self._known |= {
                (kind, text): vector for text, vector in zip(new, encode(new), strict=True)
            }
        return np.array([self._known[kind, text] for text in texts], np.float32).reshape(
            -1, self.dimension
        )


def main() -> None:
    """Measure what was asked for."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch, _server(options, Path(scratch)) as address:
        work = Path(scratch) / "work"
        work.mkdir()
        if options.passages:
            write_articles(work / "scale" / "articles", options.passages, options.data)
        # What belongs to this machine goes to the working directory.
        os.chdir(work)
        if options.passages:
            _print(f"{options.passages:,} passages", _latency(address, work / "scale"))
        if options.xquad:
            encoder = Remembering(open_encoder(PACKAGED, cache=Settings().cache_folder))
            _print("XQuAD-R", _of_both(address, partial(_xquad, options, encoder)))
        if options.near_topic:
            for name, figures in _near_topic(address, options, work).items():
                _print(f"near-topic, {name}", figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--server", help="milvus://HOST:PORT; without it, one is started")
    parser.add_argument("--xquad", type=_full, help="XQuAD-R")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="those of XQuAD-R")
    parser.add_argument("--every", type=int, default=1, help="ask each so many-th of its questions")
    parser.add_argument("--near-topic", type=_full, help="articles with questions")
    parser.add_argument("--questions", type=int, help="ask so many of them in each setting")
    parser.add_argument("--no-reader", dest="reader", action="store_const", const=NONE)
    parser.add_argument("--passages", type=int, help="measure times with so many passages")
    parser.add_argument("--data", type=_full, help="real text for them: a folder of contexts")
    parser.set_defaults(reader=PACKAGED_READER)
    return parser.parse_args()


def _full(path: str) -> Path:
    return Path(path).resolve()


@contextlib.contextmanager
def _server(options: argparse.Namespace, folder: Path) -> Iterator[str]:
    """The address of a server."""
    if options.server:
        yield options.server
        return
    with Real(folder / "server") as server:
        yield server.address


def _places(address: str) -> dict[str, Place]:
    """Where indexes are kept: name → the index of a name there."""
    return {
        "folder": lambda name: open_store(Settings(index=name)),
        "Milvus": lambda name: open_store(Settings(index=f"{address}/{name}")),
    }


def _of_both(address: str, measure: Callable[[Place], Figures]) -> dict[str, Figures]:
    return {name: measure(place) for name, place in _places(address).items()}


def _xquad(options: argparse.Namespace, encoder: Encoder, place: Place) -> Figures:
    """Right paragraphs and quotes, in one language and over all others."""
    corpora = {name: load(options.xquad, name) for name in options.languages.split(",")}
    found: dict[bool, list[tuple[float, ...]]] = {True: [], False: []}
    for language, corpus in corpora.items():
        corpus.write(Path(f"{language}.articles"), corpus.titles())
        store = place(f"xquad_{language}")
        rebuild(store, encoder, IndexPlan((f"{language}.articles",), Settings().cache_folder))
        with closing(store.open()) as generation:
            retriever = Retriever(generation, encoder)
            where = Paragraphs(generation, corpus.titles())
            for asked, other in corpora.items():
                _tell(f"articles in {language}, questions in {asked}")
                found[asked == language].append(
                    ranked(
                        retriever,
                        where,
                        other.questions[:: options.every],
                        corpus.questions[:: options.every],
                    )
                )
    names = ("right paragraph first", "first quote holds the answer", "one of three quotes does")
    return {
        f"{name}, {'one language' if within else 'across'}": float(value)
        for within, rows in found.items()
        if rows
        for name, value in zip(names, np.mean(rows, axis=0), strict=True)
    }


def _near_topic(
    address: str, options: argparse.Namespace, work: Path
) -> dict[str, dict[str, Figures]]:
    """Setting → place → figures."""
    settings = Settings()
    cache = settings.cache_folder
    encoder = Remembering(open_encoder(PACKAGED, cache=cache))
    reader = open_reader(options.reader, cache=cache)
    asked = argparse.Namespace(
        file=options.near_topic, settings=["own", "all"], questions=options.questions, seed=13
    )
    found: dict[str, dict[str, Figures]] = {}
    for name, server in (("folder", ""), ("Milvus", address)):
        product = near_topic.Product(settings, encoder, reader, server)
        made, retrieval = near_topic.measured(product, asked, work)
        parts = {**{part: setting.every for part, setting in made.items()}, "retrieval": retrieval}
        for part, figures in parts.items():
            known = {key: value for key, value in figures.items() if value is not None}
            found.setdefault(part, {})[name] = known
    return found


def _latency(address: str, folder: Path) -> dict[str, Figures]:
    """Times of questions and rebuilds, and how many of the best passages Milvus finds."""
    articles = folder / "articles"
    stores = {name: place("scale") for name, place in _places(address).items()}
    figures: dict[str, Figures] = {name: {} for name in stores}
    for name, store in stores.items():
        figures[name]["full build, s"] = _rebuilt(store, articles)
        _tell(f"{name}: {figures[name]}")
    questions = questions_of(folder, random.Random(1))
    figures["Milvus"] |= _nearest(stores["Milvus"], questions)
    time.sleep(_SETTLED)
    for name, store in stores.items():
        before = resident()
        with closing(store.open()) as generation:
            first = list(_hits({name: generation}, questions))
            figures[name]["memory that opening and asking add, MB"] = resident() - before
        _note(figures, first, "a question, its words never asked before")
    with contextlib.ExitStack() as stack:
        opened = {name: stack.enter_context(closing(s.open())) for name, s in stores.items()}
        for _ in _hits(opened, questions):  # So that none is the first.
            pass
        asked = list(_hits(opened, questions))
        _note(figures, asked, "a question")
        figures["Milvus"]["of the folder's ten best, found"] = _agreement(asked)
    memory = _memory_of_children()
    if memory:
        figures["Milvus"]["memory of the server, MB"] = memory
    change(articles, everything=False)
    for name, store in stores.items():
        figures[name]["one changed article, s"] = _rebuilt(store, articles)
    with contextlib.ExitStack() as stack:
        opened = {name: stack.enter_context(closing(s.open())) for name, s in stores.items()}
        _note(figures, list(_hits(opened, questions[:_FIRST])), "one of the first after that")
    return figures


def _nearest(store: Store, questions: Sequence[str]) -> Figures:
    """The share of the nearest passages that Milvus finds; at first, and when all were read."""
    encoder, shares = WordEncoder(), []
    with closing(store.open()) as opened:
        assert isinstance(opened, MilvusGeneration)
        queries = opened.subspace.queries(encoder.encode_query(questions))

        def found() -> list[RowArray]:
            return [
                opened.candidates(
                    question, query, Filters(), nearest=_NEAREST, wordiest=0, most=_NEAREST
                ).rows
                for question, query in zip(questions, queries, strict=True)
            ]

        at_first, rows = found(), opened.rows
        cosines = opened.vectors.vectors(rows) @ queries.T
        best = rows[np.argsort(-cosines, axis=0)[:_NEAREST]].T
        for few in (at_first, found()):
            pairs = zip(few, best, strict=True)
            shares.append(float(np.mean([np.isin(near, got).mean() for got, near in pairs])))
    names = ("of the 200 nearest, found at once", "of the 200 nearest, found later")
    return dict(zip(names, shares, strict=True))


def _rebuilt(store: Store, articles: Path) -> float:
    """Seconds that a rebuild takes."""
    started = time.perf_counter()
    rebuild(store, WordEncoder(), IndexPlan((str(articles),), Settings().cache_folder))
    return time.perf_counter() - started


_Asked = tuple[str, float, list[Hit]]


def _hits(opened: Mapping[str, AnyGeneration], questions: Sequence[str]) -> Iterator[_Asked]:
    """Ask each question of all indexes in turn: which, how many milliseconds, what came."""
    encoder = WordEncoder()
    retrievers = {name: Retriever(generation, encoder) for name, generation in opened.items()}
    for question, vector in zip(questions, encoder.encode_query(questions), strict=True):
        for name, retriever in retrievers.items():
            started = time.perf_counter()
            with opened[name].reading():
                hits = retriever.search(question, _BEST, vector=vector)
            yield name, (time.perf_counter() - started) * 1000, hits


def _note(figures: dict[str, Figures], asked: Sequence[_Asked], what: str) -> None:
    for name in dict.fromkeys(name for name, _, _ in asked):
        times = [ms for other, ms, _ in asked if other == name]
        figures[name][f"{what}, median ms"] = float(np.median(times))
        figures[name][f"{what}, 95 % ms"] = float(np.quantile(times, 0.95))


def _agreement(asked: Sequence[_Asked]) -> float:
    """The share of the folder's best passages that are Milvus's, too."""
    found: dict[str, list[set[tuple[str, int]]]] = {}
    for name, _, hits in asked:
        best = {(hit.article.id, hit.passage.start) for hit in hits}
        found.setdefault(name, []).append(best)
    pairs = zip(found["folder"], found["Milvus"], strict=True)
    return float(np.mean([len(ours & theirs) / len(ours) for ours, theirs in pairs]))


def _memory_of_children() -> float:
    """Megabytes that the processes of a server that was started here take up."""
    parents, sizes = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, KeyError):
            lines = (line.partition(":") for line in status.read_text().splitlines())
            fields = {name: value.strip() for name, _, value in lines}
            number = int(fields["Pid"])
            parents[number] = int(fields["PPid"])
            sizes[number] = int(fields["VmRSS"].split()[0]) / 1024
    below, known = 0.0, {os.getpid()}
    for _ in range(4):
        for number, parent in parents.items():
            if parent in known and number not in known:
                known.add(number)
                below += sizes[number]
    return below


def _print(title: str, figures: Mapping[str, Figures]) -> None:
    rounded = {
        name: {key: round(value, 4) for key, value in some.items()}
        for name, some in figures.items()
    }
    print(json.dumps({title: rounded}), flush=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
