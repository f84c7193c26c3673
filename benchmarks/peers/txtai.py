"""txtai: embeddings with instructions; with ``hybrid`` as last argument, its hybrid search."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from txtai import Embeddings

from benchmarks.harness import Document, run


class Txtai:
    """An embeddings database."""

    def __init__(self, model: str, *, hybrid: bool) -> None:
        self._options = {
            "path": model,
            "instructions": {"query": "query: ", "data": "passage: "},
            "hybrid": hybrid,
        }
        self._embeddings = Embeddings(**self._options)

    def build(self, documents: Sequence[Document]) -> None:
        self._embeddings.index([(document.id, document.titled) for document in documents])

    def search(self, question: str, language: str, count: int) -> list[str]:  # noqa: ARG002
        return [name for name, _ in self._embeddings.search(question, count)]

    def save(self, folder: Path) -> None:
        self._embeddings.save(str(folder))

    def load(self, folder: Path) -> None:
        self._embeddings.load(str(folder))

    def change(self, document: Document) -> None:
        self._embeddings.upsert([(document.id, document.titled)])


if __name__ == "__main__":
    run(lambda model: Txtai(model, hybrid=sys.argv[-1] == "hybrid"), "txtai")
