"""Checks of sources, models, disk space and the Discord token."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from qabot.answering.fitted import confidence_of
from qabot.answering.reader import PACKAGED as READER
from qabot.answering.reader import Reader, open_reader
from qabot.doctor.check import Check, fault
from qabot.encoders import PACKAGED, Encoder, open_encoder
from qabot.encoders.e5.packaged import damaged_file, find_unpacked
from qabot.errors import QabotError, UnusableIndexError
from qabot.index import Store
from qabot.processes import TOKEN_SHAPE, TOKENS, find_token
from qabot.settings import Settings
from qabot.types import counted
from qabot.web import find_all

# A rebuild writes about as much as the live generation holds; twice that leaves room.
_ROOM = 2
_LEAST_FREE = 50_000_000
_UNPACKED_SIZE = 700_000_000


def sources_check(store: Store, settings: Settings) -> Check:
    """Check that all files and folders of sources and collections are there.

    If the settings name none and there is no folder of the default name, these are the ones that
    the index was built from.
    """
    sources, collections = settings.sources, settings.collections
    missing = not any(Path(source).exists() for source in sources)
    if sources == Settings().sources and not collections and missing:
        with contextlib.suppress(UnusableIndexError):
            manifest = store.manifest()
            sources, collections = manifest.sources, manifest.collections
    try:
        found, addresses = find_all(sources, collections, settings.exclude)
    except QabotError as error:
        return fault("sources", error)
    problems = [file for file in found.files if file.problem]
    if problems:
        first = f"{problems[0].source}: {problems[0].problem}"
        detail, _, remedy = first.rpartition("; ")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Check("sources", "warning", detail + more, remedy)
    held = f" in {counted(collections=len(collections))}" if collections else ""
    # The doctor sends nothing to other machines.
    also = f", {len(addresses)} web addresses (not fetched)" if addresses else ""
    return Check("sources", "ok", f"{counted(documents=len(found.files))}{also}{held}")


def model_check(settings: Settings) -> tuple[Encoder | None, Check]:
    """Open and try the embedding model; ``None`` if it cannot be used."""
    cache = settings.cache_folder
    if settings.encoder == PACKAGED and (problem := _unpacked_problem(cache)):
        return None, problem
    try:
        encoder = open_encoder(settings.encoder, cache=cache, threads=settings.threads)
        vector = encoder.encode_query(["qabot"])
    except QabotError as error:
        return None, fault("model", error)
    if vector.shape != (1, encoder.dimension) or not np.isfinite(vector).all():
        detail = f"{encoder.name}: its vectors do not have {encoder.dimension} numbers"
        return None, Check("model", "fault", detail, "name another model with --encoder")
    detail = f"{encoder.name}: {encoder.dimension} dimensions; {cache} holds {_held(cache)}"
    return encoder, Check("model", "ok", detail)


def _unpacked_problem(cache: Path) -> Check | None:
    """Hash the unpacked model, but do not unpack it: checks change nothing."""
    model = find_unpacked(cache)
    if model is None:
        detail = f"{cache}: the model is not unpacked, or not completely"
        return Check("model", "warning", detail, "run `qabot rebuild`, which unpacks it")
    if damaged := damaged_file(model):
        remedy = f"remove the folder {model.folder}; the next question unpacks it again"
        return Check("model", "fault", f"{damaged}: not as it was unpacked", remedy)
    return None


def _held(folder: Path) -> str:
    """Sum the sizes of a folder's files, in words."""
    size = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # Another process may remove it at this moment.
            size += path.stat().st_size if path.is_file() else 0
    return _amount(size)


def reader_check(settings: Settings, model: Check) -> tuple[Reader | None, Check]:
    """Open the reader; the packaged one shares the packaged model's vocabulary."""
    cache = settings.cache_folder
    if settings.reader == READER and (model.status == "fault" or not find_unpacked(cache)):
        detail, remedy = "needs the model's vocabulary", "mend the model first"
        return None, Check("reader", "warning", detail, remedy)
    try:
        reader = open_reader(settings.reader, cache=cache, threads=settings.threads)
    except QabotError as error:
        return None, fault("reader", error)
    return reader, Check("reader", "ok", settings.reader)


def confidence_check(store: Store, encoder: Encoder, reader: Reader | None) -> Check:
    """Check that the confidence was fitted for the models in use."""
    try:
        confidence = confidence_of(store.folder, encoder, reader)
    except UnusableIndexError as error:
        return fault("confidence", error)
    if confidence.fitted:
        return Check("confidence", "ok", "fitted for these models")
    detail = f"not fitted for {encoder.name} and {reader.name if reader else 'no reader'}"
    remedy = "run `qabot eval FILE --calibrate` with labelled questions"
    return Check("confidence", "warning", detail, remedy)


def space_checks(store: Store, settings: Settings) -> Iterator[Check]:
    """Check that the disk has room for the next rebuild, and for the model if not unpacked yet."""
    needs = {store.folder: max(_LEAST_FREE, _ROOM * store.size())}
    if settings.encoder == PACKAGED and not find_unpacked(settings.cache_folder):
        needs[settings.cache_folder] = _UNPACKED_SIZE
    for folder, needed in needs.items():
        there = next(
            path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir()
        )
        free = shutil.disk_usage(there).free
        detail = f"{folder}: {_amount(free)} free"
        if free < needed:
            yield Check(
                "space", "warning", detail, f"free {_amount(needed)} before the next rebuild"
            )
        else:
            yield Check("space", "ok", detail)
        if not os.access(there, os.W_OK | os.X_OK):
            detail = f"{there}: not writable"
            yield Check(
                "space",
                "warning",
                detail,
                "rebuild as the folder's owner, or change its permissions",
            )


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def token_check(token_file: str, environment: Mapping[str, str]) -> Check:
    """Check the form of the Discord token, without showing any of it."""
    remedy = "copy it again from the Bot page of Discord's developer portal"
    try:
        found = find_token(token_file, environment)
    except (OSError, ValueError):
        if TOKEN_SHAPE.search(token_file):
            told, remedy = "token_file holds a token", "put it into a file and name that file"
            return Check("token", "fault", told, remedy)
        return Check(
            "token", "fault", f"{token_file} cannot be read", "check the file and its permissions"
        )
    if found is None:
        return Check("token", "ok", f"no {' or '.join(TOKENS)}: only `qabot bot` needs one")
    name, text = found
    match = TOKEN_SHAPE.fullmatch(text)
    if match is None:
        wrong = "is not three parts with dots between them"
        if TOKEN_SHAPE.search(text):
            wrong = "has something around the token, such as quotes"
        return Check("token", "fault", f"{name} {wrong}", remedy)
    try:
        number = base64.b64decode(match[1] + "=" * (-len(match[1]) % 4), "-_", validate=True)
    except binascii.Error:
        number = b""
    if not number.isdigit():
        return Check("token", "fault", f"{name} does not begin with a bot's number", remedy)
    return Check("token", "ok", f"{name} has the form of a token")
