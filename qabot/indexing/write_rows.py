"""Write a new generation to a Milvus server: articles, passages with their vectors, terms."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from qabot.encoders import Encoder, FloatArray
from qabot.encoders.workers import Workers
from qabot.index import EncodedTexts, IndexedArticle
from qabot.index.milvus.generation import MilvusGeneration
from qabot.index.milvus.writer import MilvusWriter
from qabot.indexing.collect import Collected
from qabot.indexing.encode import Encoding, texts_of
from qabot.indexing.encoding_plan import NEW, EncodingPlan, SegmentPlan
from qabot.indexing.summary import Progress, Report
from qabot.indexing.write import manifest_of, probe_of, stamp_of_vectors, subspace_of

# Passages whose vectors are in memory at a time.
_PASSAGES = 512
_STEPS = 4


def write_rows(
    writer: MilvusWriter,
    plan: EncodingPlan,
    old: MilvusGeneration | None,
    collected: Collected,
    *,
    encoder: Encoder,
    cache: Path,
    report: Report,
    workers: Workers | None = None,
) -> int:
    """Write the next generation and publish it; as ``write_generation``.

    Raises:
        IndexMismatchError: The encoder gives other vectors than those that would be reused.
        StorageError: It cannot be published.
        UnreachableIndexError: The server does not answer.
    """
    known = probe_of(encoder, plan, old)
    subspace = subspace_of(encoder, old, cache, report)
    writer.begin(encoder.dimension)
    kept = EncodedTexts(writer.folder, stamp_of_vectors(encoder, known, subspace))
    with contextlib.closing(kept):
        encoding = Encoding(
            plan,
            None,
            encoder=encoder,
            subspace=subspace,
            encoded=kept,
            report=report,
            workers=workers,
        )
        for segment in plan.written:
            _write_articles(writer, segment, old, encoding)
    writer.settle(lambda done, total: report(Progress("indexing", done, total)))
    report(Progress("writing", 1, _STEPS))
    writer.end_others(plan.stay)
    report(Progress("writing", 2, _STEPS))
    languages = writer.write_terms()
    report(Progress("writing", 3, _STEPS))
    manifest = manifest_of(writer.number, plan, collected, encoder, known)
    writer.publish(manifest, subspace, languages)
    report(Progress("writing", _STEPS, _STEPS))
    return encoding.resumed


def _write_articles(
    writer: MilvusWriter, plan: SegmentPlan, old: MilvusGeneration | None, encoding: Encoding
) -> None:
    """Write the new articles of a part of the plan."""
    origins = iter(plan.origins.tolist())
    articles = (item for item in plan.articles if isinstance(item, IndexedArticle))
    for group in _groups(articles):
        texts = [
            texts_of(item.article.info, passage) for item in group for passage in item.passages
        ]
        vectors = _vectors(texts, list(islice(origins, len(texts))), old, encoding)
        writer.add(group, [whole for whole, *_ in texts], vectors)


def _vectors(
    texts: list[list[str]], origins: list[int], old: MilvusGeneration | None, encoding: Encoding
) -> list[FloatArray]:
    """The vectors of each passage and, after it, of its sentences: taken over, or encoded."""
    found: dict[int, FloatArray] = {}
    kept = [place for place, origin in enumerate(origins) if origin != NEW]
    if old and kept:
        rows = np.array([origins[place] for place in kept], np.int64)
        vectors = old.vectors.vectors(rows)
        sentences, starts = old.sentences.of(rows)
        for number, place in enumerate(kept):
            own = sentences[starts[number] : starts[number + 1]]
            found[place] = np.concatenate([vectors[number : number + 1], own])
    missing = [place for place in range(len(texts)) if place not in found]
    made = encoding.passages([texts[place] for place in missing])
    found |= zip(missing, made, strict=True)
    return [found[place] for place in range(len(texts))]


def _groups(articles: Iterable[IndexedArticle]) -> Iterator[list[IndexedArticle]]:
    group: list[IndexedArticle] = []
    size = 0
    for item in articles:
        group.append(item)
        size += len(item.passages)
        if size >= _PASSAGES:
            yield group
            group, size = [], 0
    if group:
        yield group
