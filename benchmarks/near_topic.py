"""Does qabot know what its articles do not say? Near-topic questions, as tables on output.

    python -m benchmarks.near_topic DATA/near-topic/dev.jsonl.gz [--work DIR] [--chat DATA/chat]

Each article of the file comes with questions that it answers and questions about the same matter
that it does not answer. They are asked in two settings: *all*, an index of all the articles, and
*own*, each question of its own article alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.near_topic_data import (
    Item,
    Line,
    NearTopic,
    Row,
    load,
    load_lines,
    sample,
    write_articles,
)
from benchmarks.near_topic_figures import (
    Figures,
    Setting,
    print_figures,
    print_settings,
    shares_answered,
)
from qabot.answering.engine import Engine
from qabot.answering.reader import NONE, PACKAGED, Reader, open_reader
from qabot.answering.reader.packaged import PackagedReader
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED as PACKAGED_ENCODER
from qabot.encoders import Encoder, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.evaluation.overlap import f1, holds
from qabot.evaluation.predictions import highlighted
from qabot.index import Store, open_store
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from qabot.types import Answer, Filters, Request

T = TypeVar("T")

_ASKED = {"own": 400, "all": 800}
_OWN_ARTICLES = 60
_CHAT_LINES = 600
_DEPTHS = (1, 3, 6, 10, 16, 24, 50)
# Questions between two lines of progress.
_STEP = 100


@dataclass(frozen=True, slots=True)
class Product:
    """What is measured.

    Attributes:
        milvus: A Milvus server that keeps the indexes, ``milvus://HOST:PORT``; empty for folders.
    """

    settings: Settings
    encoder: Encoder
    reader: Reader | None
    milvus: str = ""

    def index(self, folder: Path, source: str) -> Store:
        """An index of ``source``; what ``folder`` holds of it already is reused."""
        _tell(f"building {folder.name} …")
        on_server = f"{self.milvus}/{folder.name.replace('-', '_')}"
        store = open_store(Settings(index=on_server if self.milvus else str(folder)))
        rebuild(store, self.encoder, IndexPlan((source,), self.settings.cache_folder))
        return store

    def engine(self, store: Store) -> Engine:
        """An engine of an index."""
        return Engine(store, self.encoder, self.settings, self.reader)


def main() -> None:
    """Measure and print."""
    options = _options()
    product = _product(options)
    settings: dict[str, Setting] = {}
    retrieval: Figures = {}
    chat: Figures = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = (options.work or Path(scratch)).resolve()
        if options.settings:
            settings, retrieval = measured(product, options, work)
            print_settings(settings)
            print_figures("retrieval alone, all: the answer is among", retrieval)
        if options.chat:
            chat = _chat(product, options, work)
            print_figures("chat: answered over the seeds", chat)
    if options.json:
        found = {name: asdict(setting) for name, setting in settings.items()}
        whole = {**found, "retrieval": retrieval, "chat": chat}
        options.json.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", type=Path, help="articles with questions, gzipped JSON lines")
    parser.add_argument("--work", type=Path, help="keep articles and indexes here between runs")
    parser.add_argument("--settings", default="own,all", help="which settings (default: own,all)")
    parser.add_argument("--questions", type=int, help="ask so many in each (default: 400 and 800)")
    parser.add_argument("--seed", type=int, default=13, help="of the samples (default: 13)")
    parser.add_argument("--threshold", type=float, default=Settings().threshold)
    parser.add_argument("--reader", default=PACKAGED, help="another reader, as in the settings")
    parser.add_argument("--no-reader", dest="reader", action="store_const", const=NONE)
    parser.add_argument("--graph", type=Path, help="another reader.onnx than the packaged one")
    parser.add_argument("--chat", type=Path, help="folder of noquestion.jsonl, shortquestion.jsonl")
    parser.add_argument("--seeds", default="seeds", help="the articles that --chat is asked of")
    parser.add_argument("--json", type=Path, help="write all figures to this file, too")
    options = parser.parse_args()
    options.settings = [name for name in options.settings.split(",") if name]
    if unknown := set(options.settings) - set(_ASKED):
        parser.error(f"--settings: {', '.join(sorted(unknown))}; there are {', '.join(_ASKED)}")
    return options


def _product(options: argparse.Namespace) -> Product:
    settings = Settings(threshold=options.threshold)
    cache = settings.cache_folder
    encoder = open_encoder(PACKAGED_ENCODER, cache=cache, notify=_tell)
    reader: Reader | None
    if options.graph:
        reader = PackagedReader(unpack(cache).folder, graph=options.graph)
    else:
        reader = open_reader(options.reader, cache=cache, notify=_tell)
    return Product(settings, encoder, reader)


def measured(
    product: Product, options: argparse.Namespace, work: Path
) -> tuple[dict[str, Setting], Figures]:
    """The figures of each setting, by name, and those of retrieval alone.

    Args:
        options: ``file``, ``settings``, ``questions`` and ``seed``.
        work: For articles and indexes.
    """
    articles, seed = load(options.file), options.seed
    folder = work / "articles"
    write_articles(articles, folder)
    store = product.index(work / "index", str(folder))
    settings: dict[str, Setting] = {}
    retrieval: Figures = {}
    with product.engine(store) as engine:
        _tell_lost(engine, articles)
        for name in options.settings:
            own = name == "own"
            asked = sample(articles, _OWN_ARTICLES, seed) if own else articles
            items = [item for article in asked for item in article.items]
            items = sample(items, options.questions or _ASKED[name], seed)
            if not own:
                retrieval = _retrieval(product, store, [item for item in items if item.answers])
            settings[name] = Setting.of(list(_ask(engine, items, folder if own else None)))
    return settings, retrieval


def _tell_lost(engine: Engine, articles: Sequence[NearTopic]) -> None:
    """Tell how many answers do not stand in the articles as they were read."""
    texts = {Path(info.source).stem: engine.article(info.id).text for info in engine.articles()}
    lost = [
        item
        for article in articles
        for item in article.items
        if item.answers and not holds(texts[article.id], item.answers)
    ]
    if lost:
        _tell(f"{len(lost)} questions cannot be answered: reading the files lost their answers")


def _ask(engine: Engine, items: Sequence[Item], folder: Path | None) -> Iterator[Row]:
    """Ask each question: of its article in ``folder``, or of all articles.

    Yields:
        What each got.
    """
    for item in _progress("own" if folder else "all", items):
        filters = Filters(source=str(folder / f"{item.article}.md")) if folder else None
        answer = _answer(engine, Request(item.question, filters=filters))
        yield Row(
            item=item,
            confidence=answer.confidence,
            held=tuple(_holds(item, quote.article.source, quote.text) for quote in answer.quotes),
            scores=tuple(quote.score for quote in answer.quotes),
            overlap=f1(highlighted(answer.quotes), item.answers, item.article_language),
            elapsed_ms=answer.elapsed_ms,
        )


def _answer(engine: Engine, request: Request) -> Answer:
    # A busy machine reads no fewer passages: figures are to be the same on every machine.
    (answer,) = engine.ask_many([request])
    return answer


def _holds(item: Item, source: str, text: str) -> bool:
    return Path(source).stem == item.article and holds(text, item.answers)


def _retrieval(product: Product, store: Store, items: Sequence[Item]) -> Figures:
    """The share of ``items`` with an answer among the first passages, by how many those are."""
    generation = store.open()
    try:
        retriever = Retriever(generation, product.encoder)
        places = [_place(retriever, item) for item in _progress("retrieval alone", items)]
    finally:
        generation.close()
    return {str(n): sum(place < n for place in places) / len(places) for n in _DEPTHS}


def _place(retriever: Retriever, item: Item) -> int:
    """How many passages stand before the first one with an answer."""
    hits = retriever.search(item.question, max(_DEPTHS))
    held = (_holds(item, hit.article.source, hit.passage.text) for hit in hits)
    return next((place for place, right in enumerate(held) if right), len(hits))


def _chat(product: Product, options: argparse.Namespace, work: Path) -> Figures:
    """The share of chat lines that are answered with quotes, by file and kind."""
    store = product.index(work / "seeds-index", options.seeds)
    count = options.questions or _CHAT_LINES
    with product.engine(store) as engine:
        return {
            name: share
            for file in ("noquestion", "shortquestion")
            for name, share in shares_answered(
                file,
                [
                    (line.kind, bool(_answer(engine, Request(line.text)).quotes))
                    for line in _lines(options.chat / f"{file}.jsonl", count, options.seed)
                ],
            ).items()
        }


def _lines(file: Path, count: int, seed: int) -> Iterator[Line]:
    return _progress(file.stem, sample(load_lines(file), count, seed))


def _progress(name: str, items: Sequence[T]) -> Iterator[T]:
    """``items``, telling every now and then how many are done."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _STEP == 0 or number == len(items):
            _tell(f"{name}: {number} of {len(items)}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
