"""Haystack: BM25 and embeddings in memory, joined by reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from haystack import Document as Stored
from haystack import Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from benchmarks.harness import Document, run


class Haystack:
    """The pipeline of its tutorial on hybrid retrieval, without a ranker, as for all systems."""

    def __init__(self, model: str) -> None:
        self._documents = SentenceTransformersDocumentEmbedder(
            model=model, prefix="passage: ", progress_bar=False
        )
        self._documents.warm_up()
        self._model = model
        self._store = InMemoryDocumentStore()
        self._pipeline = self._connect()

    def build(self, documents: Sequence[Document]) -> None:
        self._store = InMemoryDocumentStore()
        self._add(documents)
        self._pipeline = self._connect()

    def search(self, question: str, language: str, count: int) -> list[str]:  # noqa: ARG002
        result = self._pipeline.run(
            {
                "text": {"text": question},
                "words": {"query": question, "top_k": count},
                "vectors": {"top_k": count},
                "join": {"top_k": count},
            }
        )
        return [document.id for document in result["join"]["documents"]]

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._store.save_to_disk(str(folder / "store.json"))

    def load(self, folder: Path) -> None:
        self._store = InMemoryDocumentStore.load_from_disk(str(folder / "store.json"))
        self._pipeline = self._connect()

    def change(self, document: Document) -> None:
        self._add([document])

    def _add(self, documents: Sequence[Document]) -> None:
        stored = [Stored(id=document.id, content=document.titled) for document in documents]
        embedded = self._documents.run(documents=stored)["documents"]
        self._store.write_documents(embedded, policy=DuplicatePolicy.OVERWRITE)

    def _connect(self) -> Pipeline:
        pipeline = Pipeline()
        # A component belongs to one pipeline; the model itself is loaded once, by a cache.
        embedder = SentenceTransformersTextEmbedder(
            model=self._model, prefix="query: ", progress_bar=False
        )
        pipeline.add_component("text", embedder)
        pipeline.add_component("vectors", InMemoryEmbeddingRetriever(self._store))
        pipeline.add_component("words", InMemoryBM25Retriever(self._store))
        pipeline.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        pipeline.connect("text", "vectors")
        pipeline.connect("vectors", "join")
        pipeline.connect("words", "join")
        return pipeline


if __name__ == "__main__":
    run(Haystack, "haystack-ai", "sentence-transformers-haystack")
