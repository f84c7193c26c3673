"""Look at everything that qabot needs, and say of each fault what to do about it.

Nothing is changed, and one fault does not keep the others from being found.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from qabot.articles import find_files
from qabot.encoders import PACKAGED, Encoder, FloatArray, open_encoder
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.encoders.packaged import find_unpacked
from qabot.errors import QabotError, SettingsError, UnusableIndexError
from qabot.index import Generation, IndexStore
from qabot.index.manifest import SUBSPACE
from qabot.passages import CHUNKER_VERSION
from qabot.rebuild import passage_input, stamp
from qabot.settings import Settings, load_settings

TOKENS = ("QABOT_TOKEN", "DISCORD_TOKEN")
# What one rebuild writes is about as large as the live generation; twice that leaves room.
_ROOM = 2
_LEAST_FREE = 50_000_000
_UNPACKED_SIZE = 700_000_000
# Passages that are encoded again, spread over the index: a second or two of work.
_SAMPLE = 8
# Quantised models round by what else is in a batch, so that vectors come back nearly the same; of
# another text or model they do not come near this.
_LEAST_COSINE = 0.9
# A bot's number, in base 64; when the token was made; its signature.
_TOKEN = re.compile(r"([\w-]{17,40})\.[\w-]{5,8}\.[\w-]{25,60}", re.ASCII)

_OF_THE_INDEX = {"index", "counts", "vectors"}
_REBUILD = "run `qabot rebuild --full`"

Status = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: What it is: ``settings``, ``sources``, ``index``, ``counts``, ``vectors``, …
        status: A warning is worth knowing and stops nothing.
        detail: What was found.
        remedy: What to do about it; ``None`` where all is well.
    """

    name: str
    status: Status
    detail: str
    remedy: str | None = None


def examine(flags: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[Check]:
    """Look at everything, one thing with each step.

    Args:
        flags: Settings from the command line, as ``load_settings`` takes them.
        environment: Variables, among them perhaps a Discord token.
    """
    try:
        settings = load_settings(flags, environment=environment)
        yield Check("settings", "ok", f"index {settings.index}, encoder {settings.encoder}")
    except SettingsError as error:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
        yield _fault("settings", error)
    yield _sources(settings)
    encoder, model = _model(settings)
    yield model
    store = IndexStore(Path(settings.index))
    yield from _index(store, encoder)
    yield from _generations(store)
    yield _leftovers(store, settings.cache_folder)
    yield from _space(store, settings)
    yield _token(environment)


def _fault(name: str, error: QabotError) -> Check:
    """What an error says, taken apart where its remedy begins."""
    detail, _, remedy = str(error).rpartition("; ")
    return Check(name, "fault", detail or remedy, remedy if detail else None)


def exit_code(checks: Iterable[Check]) -> int:
    """3 if the index cannot be used, 2 for any other fault, 0 if there is none."""
    faults = {check.name for check in checks if check.status == "fault"}
    return UnusableIndexError.exit_code if faults & _OF_THE_INDEX else 2 if faults else 0


def _sources(settings: Settings) -> Check:
    try:
        files = find_files(settings.sources, settings.collections)
    except QabotError as error:
        return _fault("sources", error)
    problems = [file for file in files if file.problem]
    if problems:
        first = f"{problems[0].source}: {problems[0].problem}"
        detail, _, remedy = first.rpartition("; ")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Check("sources", "warning", detail + more, remedy)
    held = f" in {len(settings.collections)} collections" if settings.collections else ""
    return Check("sources", "ok", f"{len(files)} documents{held}")


def _model(settings: Settings) -> tuple[Encoder | None, Check]:
    cache = settings.cache_folder
    if settings.encoder == PACKAGED and not find_unpacked(cache):
        # Looking changes nothing: unpacking is left to whoever needs the model.
        detail = f"{cache}: the model is not unpacked, or not whole"
        return None, Check("model", "warning", detail, "run `qabot rebuild`, which unpacks it")
    try:
        encoder = open_encoder(settings.encoder, cache=cache, threads=settings.threads)
        vector = encoder.encode_query(["qabot"])
    except QabotError as error:
        return None, _fault("model", error)
    if vector.shape != (1, encoder.dimension) or not np.isfinite(vector).all():
        detail = f"{encoder.name}: gives no vectors of {encoder.dimension} numbers"
        return None, Check("model", "fault", detail, "name another one with --encoder")
    return encoder, Check("model", "ok", f"{encoder.name}: {encoder.dimension} dimensions")


def _index(store: IndexStore, encoder: Encoder | None) -> Iterator[Check]:
    try:
        generation = store.open()
    except UnusableIndexError as error:
        yield _fault("index", error)
        return
    with contextlib.closing(generation):
        made = generation.manifest
        detail = f"generation {made.generation} of {made.created}: all checksums are right"
        yield Check("index", "ok", detail)
        try:
            yield _counts(generation)
            yield _vectors(generation, encoder)
        except (sqlite3.Error, OSError, ValueError, LookupError) as error:
            detail = f"{generation.folder}: cannot be read ({error})"
            yield Check("counts", "fault", detail, _REBUILD)


def _counts(generation: Generation) -> Check:
    """Whether all files of a generation speak of the same articles, passages and sentences."""
    manifest, bounds = generation.manifest, generation.sentence_rows
    infos = generation.database.infos()
    lengths = {
        row: len(passage.sentences)
        for info in infos
        for row, passage in generation.database.passages(info.id)
    }
    counted = {
        "articles": (len(infos), manifest.articles),
        "passages": (len(lengths), manifest.passages),
        "vectors": (len(generation.vectors), manifest.passages),
        "passages in the word index": (len(generation.lexical), manifest.passages),
        "sentence vectors": (len(generation.sentences), manifest.sentences),
    }
    wrong = [
        f"{found} {name}, not {told}" for name, (found, told) in counted.items() if found != told
    ]
    if not wrong and np.diff(bounds).tolist() != [lengths[row] for row in sorted(lengths)]:
        wrong = ["sentences are assigned to other passages"]
    if wrong:
        return Check("counts", "fault", f"{generation.folder}: {'; '.join(wrong)}", _REBUILD)
    held = f"{manifest.articles} articles, {manifest.passages} passages"
    return Check("counts", "ok", f"{held}, {manifest.sentences} sentences")


def _vectors(generation: Generation, encoder: Encoder | None) -> Check:
    """Whether vectors belong to their texts, on a sample."""
    made = generation.manifest
    if encoder is None:
        return Check("vectors", "warning", "not looked at", "see to the encoder first")
    if made.encoder != stamp(encoder) or made.chunker != CHUNKER_VERSION:
        detail = f"the index was made by {made.encoder.name}, and not as {encoder.name} would now"
        return Check("vectors", "fault", detail, "run `qabot rebuild` to renew it")
    if made.passages == 0:
        return Check("vectors", "ok", "there are none")
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
        detail = f"{generation.folder}: a vector is not that of its text (cosine {worst:.2f})"
        return Check("vectors", "fault", detail, _REBUILD)
    return Check("vectors", "ok", f"{len(rows)} passages encoded again: cosines from {worst:.3f}")


def _least_cosine(stored: FloatArray, again: FloatArray) -> float:
    # A text without a word that the model knows may have no direction at all: both are zero then.
    both_zero = ~stored.any(axis=1) & ~again.any(axis=1)
    return float(np.where(both_zero, 1.0, (stored * again).sum(axis=1)).min())


def _generations(store: IndexStore) -> Iterator[Check]:
    """Whether those that ``qabot rollback`` could return to are whole."""
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
            remedy = "nothing needs it but `qabot rollback`: remove its folder"
            yield Check("rollback", "warning", detail, remedy)
    held = f"to return to: {', '.join(kept)}" if kept else "no other generation"
    yield Check("rollback", "ok", held)


def _leftovers(store: IndexStore, cache: Path) -> Check:
    if store.busy():
        return Check("leftovers", "ok", "a rebuild is running")
    left = [*store.leftovers(), *cache.glob(f".{PACKAGED}-*")]
    if not left:
        return Check("leftovers", "ok", "none")
    names = ", ".join(str(path) for path in left[:3]) + (", …" if len(left) > 3 else "")
    remedy = "a killed rebuild left them; the next one removes them"
    return Check("leftovers", "warning", names, remedy)


def _space(store: IndexStore, settings: Settings) -> Iterator[Check]:
    """Whether the next rebuild fits on the disk, and the model where it is not unpacked yet."""
    needs = {store.folder: max(_LEAST_FREE, _ROOM * store.size())}
    if settings.encoder == PACKAGED and not find_unpacked(settings.cache_folder):
        needs[settings.cache_folder] = _UNPACKED_SIZE
    for folder, needed in needs.items():
        there = next(
            path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
        )
        free = shutil.disk_usage(there).free
        told = f"{folder}: {_amount(free)} free"
        if free < needed:
            yield Check("space", "warning", told, f"free {_amount(needed)} before the next rebuild")
        else:
            yield Check("space", "ok", told)
        if not os.access(there, os.W_OK | os.X_OK):
            detail = f"{there}: cannot be written"
            yield Check(
                "space", "warning", detail, "rebuild as its owner, or change its permissions"
            )


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _token(environment: Mapping[str, str]) -> Check:
    """Whether the Discord token looks like one; of its text, nothing is told."""
    name = next((name for name in TOKENS if environment.get(name)), None)
    if name is None:
        return Check("token", "ok", f"no {' or '.join(TOKENS)}: only `qabot bot` needs one")
    remedy = "copy it again from the Bot page of Discord's developer portal"
    text = environment[name]
    match = _TOKEN.fullmatch(text)
    if match is None:
        wrong = "is not three parts with dots between them"
        if _TOKEN.search(text):
            wrong = "has more around the token (blanks, quotes, `Bot`)"
        return Check("token", "fault", f"{name} {wrong}", remedy)
    try:
        number = base64.b64decode(match[1] + "=" * (-len(match[1]) % 4), "-_", validate=True)
    except binascii.Error:
        number = b""
    if not number.isdigit():
        return Check("token", "fault", f"{name} begins with no bot's number", remedy)
    return Check("token", "ok", f"{name} has the form of one")
