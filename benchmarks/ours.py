"""qabot as a system for ``benchmarks.harness``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.harness import Document, run
from qabot.answering.engine import Engine
from qabot.answering.reader import NONE
from qabot.answering.reader import PACKAGED as PACKAGED_READER
from qabot.encoders import PACKAGED, Encoder, open_encoder
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from qabot.types import Hit


class Qabot:
    """qabot over articles in text files; a found passage counts as its paragraph.

    Unlike its peers, it splits paragraphs into passages itself, also encodes each sentence, and its
    time includes reading files and writing the index.

    Args:
        answering: ``search`` answers with quotes, as for a person, instead of ranking passages.
        reader: The setting of that name.
    """

    def __init__(self, *, answering: bool, reader: str = PACKAGED_READER) -> None:
        self._answering = answering
        self._settings = Settings(threshold=0.0, reader=reader)
        self._encoder: Encoder | None = None
        self._work = Path(tempfile.mkdtemp(prefix="qabot-bench-"))
        self._engine: Engine | None = None
        self._spans: dict[str, list[tuple[int, int, str]]] = {}
        self._documents: dict[str, Document] = {}

    def build(self, documents: Sequence[Document]) -> None:
        """Build a new index of new files."""
        self.clear()
        self._documents = {document.id: document for document in documents}
        self._write()
        self._rebuild()

    def change(self, document: Document) -> None:
        """Write its article again, and bring the index up to date."""
        self._documents[document.id] = document
        self._write()
        self._rebuild()

    def search(self, question: str, language: str, count: int) -> list[str]:  # noqa: ARG002
        """Rank paragraphs by their best passage or quote."""
        assert self._engine is not None
        if self._answering:
            quotes = self._engine.ask(question, limit=count).quotes
            found = [self._paragraph(q.article.source, q.start, q.end) for q in quotes]
        else:
            hits: list[Hit] = self._engine.search(question, 2 * count)
            found = [
                self._paragraph(hit.article.source, hit.passage.start, hit.passage.end)
                for hit in hits
            ]
        return list(dict.fromkeys(found))[:count]

    def save(self, folder: Path) -> None:
        """Copy the index, for others to load; it is on disk already."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._work / "index", folder)

    def load(self, folder: Path) -> None:
        """Open an index, with everything that answering needs."""
        self._engine = Engine.open(folder, settings=self._settings)

    def clear(self) -> None:
        """Forget index and files."""
        if self._engine:
            self._engine.close()
            self._engine = None
        shutil.rmtree(self._work)
        self._work.mkdir()

    def _write(self) -> None:
        """Write an article per title and language, with its paragraphs in order."""
        self._spans = {}
        ordered = sorted(self._documents.values(), key=lambda d: (d.language, d.title, d.number))
        for (language, title), group in groupby(ordered, key=lambda d: (d.language, d.title)):
            path = self._work / "articles" / language / f"{title.replace('/', '-')}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            text, spans = title, []
            for document in group:
                text += "\n\n"
                spans.append((len(text), len(text) + len(document.text), document.id))
                text += document.text
            path.write_text(f"{text}\n", "utf-8")
            self._spans[str(path)] = spans

    def _rebuild(self) -> None:
        store = IndexStore(self._work / "index")
        sources = [str(self._work / "articles")]
        cache = Settings().cache_folder
        self._encoder = self._encoder or open_encoder(PACKAGED, cache=cache)
        rebuild(store, self._encoder, IndexPlan(tuple(sources), cache))
        if self._engine is None:
            self.load(self._work / "index")

    def _paragraph(self, source: str, start: int, end: int) -> str:
        """Return the paragraph that holds most of ``start`` to ``end``.

        The index leaves out invisible characters, so its offsets can be slightly below the file's.
        """
        shared, name = max(
            (min(end, stop) - max(start, begin), name) for begin, stop, name in self._spans[source]
        )
        return name if shared > 0 else f"{source} title"


if __name__ == "__main__":
    import json
    import sys

    mode = json.loads(Path(sys.argv[1]).read_text("utf-8"))["mode"]
    chosen = NONE if "no-reader" in sys.argv[3:] else PACKAGED_READER
    run(
        lambda _: Qabot(answering=mode != "quality", reader=chosen),
        "onnxruntime",
        "faiss-cpu",
        "numpy",
    )
