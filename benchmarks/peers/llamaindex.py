"""LlamaIndex with FAISS."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import faiss
from llama_index.core import Document as Stored
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.faiss import FaissVectorStore

from benchmarks.harness import Document, run


class LlamaIndex:
    """A vector index over FAISS's exact one."""

    def __init__(self, model: str) -> None:
        self._model = HuggingFaceEmbedding(
            model_name=model, query_instruction="query: ", text_instruction="passage: "
        )
        self._size = len(self._model.get_text_embedding("size"))
        self._index: VectorStoreIndex | None = None
        self._documents: dict[str, Document] = {}

    def build(self, documents: Sequence[Document]) -> None:
        self._documents = {document.id: document for document in documents}
        store = FaissVectorStore(faiss_index=faiss.IndexFlatL2(self._size))
        self._index = VectorStoreIndex.from_documents(
            [Stored(text=document.titled, id_=document.id) for document in documents],
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=self._model,
        )

    def search(self, question: str, language: str, count: int) -> list[str]:  # noqa: ARG002
        assert self._index is not None
        found = self._index.as_retriever(similarity_top_k=count).retrieve(question)
        return [str(hit.node.ref_doc_id) for hit in found]

    def save(self, folder: Path) -> None:
        assert self._index is not None
        self._index.storage_context.persist(str(folder))

    def load(self, folder: Path) -> None:
        store = FaissVectorStore.from_persist_dir(str(folder))
        context = StorageContext.from_defaults(vector_store=store, persist_dir=str(folder))
        self._index = load_index_from_storage(context, embed_model=self._model)

    def change(self, document: Document) -> None:
        # Its FAISS store cannot delete: build a new one.
        self.build(list((self._documents | {document.id: document}).values()))


if __name__ == "__main__":
    run(LlamaIndex, "llama-index-core", "faiss-cpu")
