"""Checks of the index: files, counts, vectors, earlier generations, and leftovers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from qabot.doctor.check import Check, fault
from qabot.encoders import PACKAGED, Encoder, FloatArray
from qabot.errors import UnreachableIndexError, UnusableIndexError
from qabot.index import AnyGeneration, IndexStore, Store
from qabot.index.segment import Segment
from qabot.indexing.encoding_plan import passage_input
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.write import stamp
from qabot.types import counted

if TYPE_CHECKING:
    from qabot.index.milvus.claim import Holder

# Passages to encode again, spread over the index: a second or two of work.
_SAMPLE = 8
# A quantised model's vectors depend a little on the rest of the batch, so they come back nearly the
# same. Vectors of another text or model are nowhere near this.
_LEAST_COSINE = 0.9
_FIRST = "mend the index first"
_REBUILD = "run `qabot rebuild --full`"


def index_checks(store: Store, encoder: Encoder | None) -> Iterator[Check]:
    """Check the live generation; without an encoder, all but its vectors."""
    try:
        generation = store.open(whole=False)
    except UnusableIndexError as error:
        yield fault("index", error)
        return
    with contextlib.closing(generation):
        try:
            compared = generation.compare()
        except UnusableIndexError as error:
            yield fault("index", error)
            return
        made = generation.manifest
        detail = f"generation {made.generation} of {made.created}: {compared}"
        yield Check("index", "ok", detail)
        try:
            yield _counts(generation)
            yield _vectors(generation, encoder)
        except UnusableIndexError as error:
            yield fault("counts", error)
        except (OSError, ValueError, LookupError) as error:
            detail = f"{generation.place}: cannot be read ({error})"
            yield Check("counts", "fault", detail, _REBUILD)


def _counts(generation: AnyGeneration) -> Check:
    """Check that all files of a generation hold the same articles, passages and sentences."""
    manifest = generation.manifest
    for segment in generation.segments:
        if wrong := _differing_within(segment):
            return Check("counts", "fault", f"{segment.folder}: {'; '.join(wrong)}", _REBUILD)
    articles = len(generation.database.article_ids())
    counts = {
        "articles": (articles, manifest.articles),
        "passages": (len(generation.rows), manifest.passages),
    }
    if wrong := _differing(counts):
        return Check("counts", "fault", f"{generation.place}: {'; '.join(wrong)}", _REBUILD)
    sentences = int(generation.sentences.counts(generation.rows).sum())
    return Check("counts", "ok", f"{manifest.held}, {sentences} sentences")


def _differing_within(segment: Segment) -> list[str]:
    made = segment.stamp
    articles, lengths = segment.database.held()
    counts = {
        "articles": (articles, made.articles),
        "passages": (len(lengths), made.passages),
        "vectors": (len(segment.vectors), made.passages),
        "passages in the word index": (len(segment.words), made.passages),
        "sentence vectors": (len(segment.sentences), made.sentences),
    }
    if wrong := _differing(counts):
        return wrong
    fits = np.diff(segment.sentence_rows).tolist() == lengths
    return [] if fits else ["sentences are assigned to other passages"]


def _differing(counts: dict[str, tuple[int, int]]) -> list[str]:
    wrong = ((what, found, made) for what, (found, made) in counts.items() if found != made)
    return [f"{found} {what}, not {made}" for what, found, made in wrong]


def _vectors(generation: AnyGeneration, encoder: Encoder | None) -> Check:
    """Check on a sample that vectors belong to their texts."""
    made = generation.manifest
    if encoder is None:
        return Check("vectors", "warning", "not checked", "mend the model first")
    if made.encoder != stamp(encoder) or made.chunker != CHUNKER_VERSION:
        detail = f"{made.encoder.name} made the index; {encoder.name} would make it differently now"
        return Check("vectors", "fault", detail, "run `qabot rebuild` to renew it")
    if made.passages == 0:
        return Check("vectors", "ok", "the index is empty")
    places = np.unique(np.linspace(0, made.passages - 1, _SAMPLE).astype(np.int64))
    rows = generation.rows[places]
    subspace = generation.subspace
    worst = 1.0
    for row in rows.tolist():
        passage, article = generation.database.passage(row)
        texts = [passage.text[start:end] for start, end in passage.sentences]
        again = subspace.documents(
            encoder.encode_document([passage_input(article.title, passage), *texts])
        )
        whole = generation.vectors.vectors(np.array([row]))
        stored = np.concatenate([whole, generation.sentences.of(np.array([row]))[0]])
        worst = min(worst, _least_cosine(stored, again))
    if worst < _LEAST_COSINE:
        detail = f"{generation.place}: a vector does not belong to its text (cosine {worst:.2f})"
        return Check("vectors", "fault", detail, _REBUILD)
    looked_at = counted(passages=len(rows))
    return Check("vectors", "ok", f"{looked_at} encoded again: cosines from {worst:.3f}")


def _least_cosine(stored: FloatArray, again: FloatArray) -> float:
    # Texts without a word that the model knows may have a zero vector.
    both_zero = ~stored.any(axis=1) & ~again.any(axis=1)
    return float(np.where(both_zero, 1.0, (stored * again).sum(axis=1)).min())


def generation_checks(store: Store) -> Iterator[Check]:
    """Check the generations that ``qabot rollback`` could return to."""
    kept = []
    try:
        numbers = store.numbers()
    except UnreachableIndexError:
        yield Check("rollback", "warning", "not checked", _FIRST)
        return
    for number in numbers:
        with contextlib.suppress(UnusableIndexError):
            if number == store.current():
                continue
        try:
            store.open_number(number).close()
            kept.append(str(number))
        except UnusableIndexError as error:
            detail = str(error).rpartition("; ")[0]
            remedy = "only `qabot rollback` needs it: remove its folder"
            yield Check("rollback", "warning", detail, remedy)
    held = f"to return to: {', '.join(kept)}" if kept else "no other generation"
    yield Check("rollback", "ok", held)


def leftovers_check(store: Store, cache: Path) -> Check:
    """Look for files that a killed process left."""
    if store.busy():
        return Check("leftovers", "ok", "a rebuild is running")
    try:
        if not isinstance(store, IndexStore) and (holder := store.holder()):
            return _claimed(holder)
        left = [*store.leftovers(), *cache.glob(f".{PACKAGED}-*")]
    except UnreachableIndexError:
        return Check("leftovers", "warning", "not checked", _FIRST)
    if not left:
        return Check("leftovers", "ok", "none")
    names = ", ".join(str(path) for path in left[:3]) + (", …" if len(left) > 3 else "")
    remedy = "a killed rebuild left them, and the next one removes them"
    return Check("leftovers", "warning", names, remedy)


def _claimed(holder: Holder) -> Check:
    """A machine has the claim to rebuild an index on a server, and no rebuild runs here."""
    if holder.works and not holder.here:
        return Check("leftovers", "ok", f"another machine is rebuilding it ({holder.name})")
    detail = f"the claim of {holder.name} to rebuild the index"
    if holder.lapses:
        minutes = -int(-holder.lapses // 60)
        remedy = f"run `qabot rebuild` there, or on any machine {minutes} minutes from now"
    else:
        remedy = "a killed rebuild left it, and the next one takes it over"
    return Check("leftovers", "warning", detail, remedy)
