"""The unpacked model: files that are cut short, emptied of their numbers, or lose a bit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from faults.commands import cache_folder
from faults.site import REBUILD, Campaign, Row

Damage = Callable[[Path], object]
_FILES = (
    "onnx/model_qint8.onnx_words",
    "onnx/model_qint8.onnx_data",
    "onnx/model_qint8.onnx",
    "sentencepiece.bpe.model",
    "qabot.json",
)
_MEGABYTE = 1_000_000


def _zero(path: Path) -> None:
    """A megabyte of zeros in the middle, or as much as there is."""
    content = bytearray(path.read_bytes())
    begin = max(0, len(content) // 2 - _MEGABYTE // 2)
    content[begin : begin + _MEGABYTE] = bytes(len(content[begin : begin + _MEGABYTE]))
    path.write_bytes(content)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def copied_cache(to: Path) -> None:
    """Make a cache in ``to`` whose files are links to the other's, where they can be."""

    def copy(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    shutil.copytree(cache_folder(), to, copy_function=copy)


def _copied(to: Path, name: str) -> Path:
    """Make such a cache, of which one file is no link to the other; return that file."""
    copied_cache(to)
    (path,) = to.glob(f"multilingual-e5-small-*/{name}")
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    return path


def damaged(campaign: Campaign, chosen: list[tuple[str, Damage]], *, silent: bool) -> Iterator[Row]:
    """Files of the model are damaged; whoever needs it next unpacks it again.

    Args:
        silent: The damage leaves size, time and inode as they were: only what stores vectors, and
            the doctor, hash all files.
    """
    how = (
        "behind the system's back, before a rebuild that encodes" if silent else "before a question"
    )
    row = Row(f"a file of the unpacked model is zeroed, cut short or loses a bit, {how}")
    for (name, damage), site in zip(chosen, campaign.sites(len(chosen)), strict=True):
        path = _copied(site.folder / "cache", name)
        environment = {"QABOT_CACHE": str(site.folder / "cache")}
        ended = site.run("ask", "which?", environment=environment)  # The copy is hashed.
        before = path.stat()
        damage(path)
        if silent:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
            doctor = site.run("doctor", environment=environment)
            if doctor.code != 2 or f"{path}: not as it was unpacked" not in doctor.out:
                row.problems.append(f"{name}: the doctor says {doctor.out!r}")
            ended = site.run(*REBUILD, "--full", environment=environment)
            # As JSON, a rebuild says nothing on the way: the doctor tells what came of it.
            doctor = site.run("doctor", environment=environment)
            renewed = f"{path}: not as it was unpacked" not in doctor.out
        else:
            ended = site.run("ask", "--batch", "questions", "--json", environment=environment)
            renewed = "it is renewed" in ended.err
        row.codes[ended.code] += 1
        if ended.code or not renewed:
            row.problems.append(f"{name}: code {ended.code}, said {ended.err!r}")
        site.judge(row)
        site.repair(row)
        yield row


def cases(*, silent: bool) -> list[tuple[str, Damage]]:
    """Files that are used, damaged in each way; the mark cannot be damaged in silence."""
    damages = (_zero, _flip) if silent else (_zero, _flip, _cut)
    names = _FILES[:-1] if silent else _FILES
    return [(name, damage) for name in names for damage in damages]
