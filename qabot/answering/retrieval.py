"""A question → the passages that may answer it, best first.

Three signals are summed, each blind where another sees:

* the passage's vector: what it is about as a whole;
* its best sentence's vector: a fact that the passage's vector averages away;
* coverage-normalised BM25: names and numbers. It is 0 to 1, and across languages nearly 0 by
  itself, where fusing ranks would let accidental matches push the right passage down.
"""

from __future__ import annotations

import numpy as np

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import DamagedIndexError, IndexMismatchError
from qabot.index import Generation
from qabot.index.manifest import SUBSPACE
from qabot.index.vectors import Mask, RowArray
from qabot.text import macrolanguage
from qabot.types import ArticleInfo, Filters, Hit, Passage

# How much a full lexical score counts beside the two cosines (benchmarks/retrieval.py).
LEXICAL_WEIGHT = 0.8
# Passages whose sentences are looked at: the nearest by vector, and by words in each language.
_NEAREST = 200
_WORDIEST = 50


class Retriever:
    """Ranks the passages of one generation with the encoder that made it.

    Raises:
        IndexMismatchError: The generation was made by another model.
        DamagedIndexError: The generation's language subspace cannot be read.
    """

    def __init__(self, generation: Generation, encoder: Encoder) -> None:
        _check_encoder(generation, encoder)
        self._generation = generation
        self._encoder = encoder
        path = generation.folder / SUBSPACE
        try:
            self._subspace = LanguageSubspace.load(path)
        except (OSError, ValueError, KeyError) as error:
            raise DamagedIndexError(
                f"{path}: cannot be read ({error}); run `qabot rebuild --full`"
            ) from error

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
        allowed = self._generation.allowed(filters or Filters())
        if self._generation.manifest.passages == 0 or (allowed is not None and not allowed.any()):
            return []
        raw = self._encoder.encode_query([question]) if vector is None else vector[np.newaxis]
        query, language = self._subspace.queries(raw)[0], self._subspace.language(raw[0])
        lexical = self._generation.lexical.search(question, _WORDIEST, allowed)
        rows = self._candidates(query, lexical, allowed)
        similarities = self._generation.vectors.vectors(rows) @ query
        vectors, starts = self._generation.sentences.of(rows)
        sentences = vectors @ query
        best = np.maximum.reduceat(sentences, starts[:-1])
        covered = np.array([lexical.get(row, 0.0) for row in rows.tolist()], np.float32)
        scores = similarities + best + LEXICAL_WEIGHT * covered
        hits = []
        for place, passage, article in self._best(rows, scores, count):
            part = sentences[starts[place] : starts[place + 1]]
            texts = [passage.text[start:end] for start, end in passage.sentences]
            shares = self._shares(question, texts, article, covered[place] > 0)
            hits.append(
                Hit(
                    passage=passage,
                    article=article,
                    score=float(scores[place]),
                    similarity=float(similarities[place]),
                    sentence_similarities=tuple(part.tolist()),
                    sentence_lexical_scores=shares,
                    lexical_score=float(covered[place]),
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
        database = self._generation.database
        found = [(place, *database.passage(int(rows[place]))) for place in order.tolist()]
        found.sort(key=lambda item: (-scores[item[0]], item[2].id, item[1].start))
        return found[:count]

    def _shares(
        self, question: str, sentences: list[str], article: ArticleInfo, shares_any: bool
    ) -> tuple[float, ...]:
        if not shares_any:
            return (0.0,) * len(sentences)
        return tuple(self._generation.lexical.shares(question, article.language, sentences))

    def _candidates(
        self, query: FloatArray, lexical: dict[int, float], allowed: Mask | None
    ) -> RowArray:
        nearest = self._generation.vectors.search(query, _NEAREST, allowed)[1]
        return np.union1d(nearest, np.fromiter(lexical, np.int64, len(lexical)))


def _check_encoder(generation: Generation, encoder: Encoder) -> None:
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
        f"{generation.folder}: the index was made by {made}, not by {encoder.name}; {remedy}"
    )
