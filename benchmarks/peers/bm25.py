"""bm25s with Snowball stems, or pairs of characters in scripts without spaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import bm25s
import Stemmer

from benchmarks.harness import Document, run

_STEMMERS = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "ro": "romanian",
    "ru": "russian",
    "tr": "turkish",
}
_UNSPACED = {"ja", "th", "zh"}


class Bm25:
    """The library's index; each text is tokenized by its language."""

    def __init__(self) -> None:
        self._stemmers = {language: Stemmer.Stemmer(name) for language, name in _STEMMERS.items()}
        self._index = bm25s.BM25()
        self._documents: dict[str, Document] = {}
        self._ids: list[str] = []

    def build(self, documents: Sequence[Document]) -> None:
        self._documents = {document.id: document for document in documents}
        self._ids = list(self._documents)
        self._index = bm25s.BM25(corpus=self._ids)
        terms = [self._terms(document.titled, document.language) for document in documents]
        self._index.index(terms, show_progress=False)

    def search(self, question: str, language: str, count: int) -> list[str]:
        terms = self._terms(question, language)
        found, scores = self._index.retrieve(
            [terms], k=min(count, len(self._ids)), show_progress=False
        )
        return [str(name) for name, score in zip(found[0], scores[0], strict=True) if score > 0]

    def save(self, folder: Path) -> None:
        self._index.save(str(folder), corpus=self._ids)

    def load(self, folder: Path) -> None:
        self._index = bm25s.BM25.load(str(folder), load_corpus=True)
        self._ids = [entry["text"] for entry in self._index.corpus]
        self._index.corpus = self._ids

    def change(self, document: Document) -> None:
        # It cannot change an index: build a new one.
        self.build(list((self._documents | {document.id: document}).values()))

    def _terms(self, text: str, language: str) -> list[str]:
        words = re.findall(r"\w+", text.lower())
        if language in _UNSPACED:
            return [word[at : at + 2] for word in words for at in range(max(len(word) - 1, 1))]
        stemmer = self._stemmers.get(language)
        return list(stemmer.stemWords(words)) if stemmer else words


if __name__ == "__main__":
    run(lambda _: Bm25(), "bm25s")
