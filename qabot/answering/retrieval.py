"""A question → the passages that may answer it, best first.

Three signals are summed, each blind where another sees:

* the passage's vector: what it is about as a whole;
* its best sentence's vector: a fact that the passage's vector averages away;
* coverage-normalised BM25: names and numbers. It is 0 to 1, and across languages nearly 0 by
  itself, where fusing ranks would let accidental matches push the right passage down. In an index
  of several languages, though, much of any question's wording stands in passages of its own
  language, and little in others: what the wordiest of a language hold is mostly taken off.
"""

from __future__ import annotations

import numpy as np

from qabot.encoders import Encoder, FloatArray
from qabot.errors import IndexMismatchError
from qabot.index import Candidates, OpenGeneration
from qabot.index.vectors import RowArray
from qabot.text import macrolanguage
from qabot.types import ArticleInfo, Filters, Hit, Passage

# How much the best sentence's cosine and a full lexical score count beside the passage's cosine
# (benchmarks/retrieval.py).
SENTENCE_WEIGHT, LEXICAL_WEIGHT = 2.0, 0.8
# How much of its language's usual wording is taken off a passage's.
_USUAL = 0.7
# Passages to find: the nearest by vector, and by words in each language. Questions of many words
# find hundreds in a large index of many languages; the sentences of so many of them are looked at.
_NEAREST = 200
_WORDIEST = 50
_MOST = 300


class Retriever:
    """Ranks the passages of one generation with the encoder that made it.

    Raises:
        IndexMismatchError: The generation was made by another model.
        DamagedIndexError: The generation's language subspace cannot be read.
    """

    def __init__(self, generation: OpenGeneration, encoder: Encoder) -> None:
        _check_encoder(generation, encoder)
        self._generation = generation
        self._encoder = encoder
        self._subspace = generation.subspace

    def search(
        self,
        question: str,
        count: int,
        *,
        filters: Filters | None = None,
        vector: FloatArray | None = None,
    ) -> list[Hit]:
        """The best ``count`` passages for ``question`` that pass ``filters``, best first.

        Args:
            vector: What the encoder makes of the question, ``(dimension,)``, where it has that
                already.

        Raises:
            FilterError: A filter is no date, or names what the index does not hold.
        """
        raw = self._encoder.encode_query([question]) if vector is None else vector[np.newaxis]
        query, language = self._subspace.queries(raw)[0], self._subspace.language(raw[0])
        found = self._generation.candidates(
            question,
            query,
            filters or Filters(),
            nearest=_NEAREST,
            wordiest=_WORDIEST,
            most=_MOST,
        )
        if len(found.rows) == 0:
            return []
        similarities, sentences = found.similarities, found.sentences
        scores = scores_of(found)
        hits = []
        for place, passage, article in self._best(found.rows, scores, count):
            part = sentences[found.starts[place] : found.starts[place + 1]]
            texts = [passage.text[start:end] for start, end in passage.sentences]
            covered = float(found.lexical[place])
            hits.append(
                Hit(
                    passage=passage,
                    article=article,
                    score=float(scores[place]),
                    similarity=float(similarities[place]),
                    sentence_similarities=tuple(part.tolist()),
                    sentence_lexical_scores=self._shares(question, texts, article, covered > 0),
                    lexical_score=covered,
                    same_language=macrolanguage(article.language) == language,
                    pages=self._generation.database.pages(article.id),
                )
            )
        return hits

    def _best(
        self, rows: RowArray, scores: FloatArray, count: int
    ) -> list[tuple[int, Passage, ArticleInfo]]:
        """The best ``count`` of ``rows``: their places, passages and articles.

        Passages that score alike stay in the order of their articles, whatever segments they are
        in.
        """
        order = np.argsort(-scores, kind="stable")
        if len(order) > count:
            order = order[scores[order] >= scores[order[count - 1]]]
        read = self._generation.database.read(rows[order].tolist())
        found = [(place, *item) for place, item in zip(order.tolist(), read, strict=True)]
        found.sort(key=lambda item: (-scores[item[0]], item[2].id, item[1].start))
        return found[:count]

    def _shares(
        self, question: str, sentences: list[str], article: ArticleInfo, shares_any: bool
    ) -> tuple[float, ...]:
        if not shares_any:
            return (0.0,) * len(sentences)
        return tuple(self._generation.shares(question, article.language, sentences))


def scores_of(found: Candidates) -> FloatArray:
    """How likely each of one candidate at least is to answer: float32 ``(n,)``, of no unit."""
    best = np.maximum.reduceat(found.sentences, found.starts[:-1])
    wording = found.lexical - _USUAL * found.usual
    scores = found.similarities + SENTENCE_WEIGHT * best + LEXICAL_WEIGHT * wording
    return scores.astype(np.float32, copy=False)


def _check_encoder(generation: OpenGeneration, encoder: Encoder) -> None:
    stamp = generation.manifest.encoder
    if stamp.fingerprint == encoder.fingerprint and stamp.dimension == encoder.dimension:
        return
    if stamp.name == encoder.name:
        made = f"another version of {stamp.name}"
        remedy = "run `qabot rebuild` to renew it"
    else:
        made = stamp.name
        remedy = f"run `qabot rebuild` to renew it, or ask with --encoder {stamp.name}"
    raise IndexMismatchError(
        f"{generation.place}: the index was made by {made}, not by {encoder.name}; {remedy}"
    )
