"""Checks of the index: files, counts, vectors, earlier generations, and leftovers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qabot.doctor.check import Check, fault
from qabot.encoders import PACKAGED, Encoder, FloatArray
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import UnusableIndexError
from qabot.index import Generation, IndexStore
from qabot.index.manifest import SUBSPACE
from qabot.indexing.encoding_plan import passage_input
from qabot.indexing.passages import CHUNKER_VERSION
from qabot.indexing.write import stamp

# Passages to encode again, spread over the index: a second or two of work.
_SAMPLE = 8
# A quantised model's vectors depend a little on the rest of the batch, so they come back nearly the
# same. Vectors of another text or model are nowhere near this.
_LEAST_COSINE = 0.9
_REBUILD = "run `qabot rebuild --full`"


def index_checks(store: IndexStore, encoder: Encoder | None) -> Iterator[Check]:
    """Check the live generation; without an encoder, all but its vectors."""
    try:
        generation = store.open()
    except UnusableIndexError as error:
        yield fault("index", error)
        return
    with contextlib.closing(generation):
        made = generation.manifest
        detail = f"generation {made.generation} of {made.created}: all checksums are right"
        yield Check("index", "ok", detail)
        try:
            yield _counts(generation)
            yield _vectors(generation, encoder)
        except UnusableIndexError as error:
            yield fault("counts", error)
        except (OSError, ValueError, LookupError) as error:
            detail = f"{generation.folder}: cannot be read ({error})"
            yield Check("counts", "fault", detail, _REBUILD)


def _counts(generation: Generation) -> Check:
    """Check that all files of a generation hold the same articles, passages and sentences."""
    manifest, bounds = generation.manifest, generation.sentence_rows
    infos = generation.database.infos()
    lengths = {
        row: len(passage.sentences)
        for info in infos
        for row, passage in generation.database.passages(info.id)
    }
    counts = {
        "articles": (len(infos), manifest.articles),
        "passages": (len(lengths), manifest.passages),
        "vectors": (len(generation.vectors), manifest.passages),
        "passages in the word index": (len(generation.lexical), manifest.passages),
        "sentence vectors": (len(generation.sentences), manifest.sentences),
    }
    wrong = [
        f"{found} {name}, not {wanted}"
        for name, (found, wanted) in counts.items()
        if found != wanted
    ]
    if not wrong and np.diff(bounds).tolist() != [lengths[row] for row in sorted(lengths)]:
        wrong = ["sentences are assigned to other passages"]
    if wrong:
        return Check("counts", "fault", f"{generation.folder}: {'; '.join(wrong)}", _REBUILD)
    return Check("counts", "ok", f"{manifest.held}, {manifest.sentences} sentences")


def _vectors(generation: Generation, encoder: Encoder | None) -> Check:
    """Check on a sample that vectors belong to their texts."""
    made = generation.manifest
    if encoder is None:
        return Check("vectors", "warning", "not checked", "mend the model first")
    if made.encoder != stamp(encoder) or made.chunker != CHUNKER_VERSION:
        detail = f"{made.encoder.name} made the index; {encoder.name} would make it differently now"
        return Check("vectors", "fault", detail, "run `qabot rebuild` to renew it")
    if made.passages == 0:
        return Check("vectors", "ok", "the index is empty")
    rows = np.unique(np.linspace(0, made.passages - 1, _SAMPLE).astype(np.int64))
    subspace = LanguageSubspace.load(generation.folder / SUBSPACE)
    worst = 1.0
    for row in rows.tolist():
        passage, article = generation.database.passage(row)
        texts = [passage.text[start:end] for start, end in passage.sentences]
        again = subspace.documents(
            encoder.encode_document([passage_input(article.title, passage), *texts])
        )
        first, last = generation.sentence_rows[row], generation.sentence_rows[row + 1]
        stored = np.concatenate(
            [generation.vectors.vectors(np.array([row])), generation.sentences[first:last]]
        )
        worst = min(worst, _least_cosine(stored.astype(np.float32), again))
    if worst < _LEAST_COSINE:
        detail = f"{generation.folder}: a vector does not belong to its text (cosine {worst:.2f})"
        return Check("vectors", "fault", detail, _REBUILD)
    return Check("vectors", "ok", f"{len(rows)} passages encoded again: cosines from {worst:.3f}")


def _least_cosine(stored: FloatArray, again: FloatArray) -> float:
    # Texts without a word that the model knows may have a zero vector.
    both_zero = ~stored.any(axis=1) & ~again.any(axis=1)
    return float(np.where(both_zero, 1.0, (stored * again).sum(axis=1)).min())


def generation_checks(store: IndexStore) -> Iterator[Check]:
    """Check the generations that ``qabot rollback`` could return to."""
    kept = []
    for number in store.numbers():
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


def leftovers_check(store: IndexStore, cache: Path) -> Check:
    """Look for files that a killed process left."""
    if store.busy():
        return Check("leftovers", "ok", "a rebuild is running")
    left = [*store.leftovers(), *cache.glob(f".{PACKAGED}-*")]
    if not left:
        return Check("leftovers", "ok", "none")
    names = ", ".join(str(path) for path in left[:3]) + (", …" if len(left) > 3 else "")
    remedy = "a killed rebuild left them, and the next one removes them"
    return Check("leftovers", "warning", names, remedy)
