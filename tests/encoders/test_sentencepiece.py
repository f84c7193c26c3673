"""Tokens with their characters, and word embeddings looked up beside the network."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.encoders.e5.packaged import UnpackedModel, weights_file
from qabot.encoders.e5.weights import E5Weights
from qabot.encoders.e5.words import WordEmbeddings
from qabot.encoders.sentencepiece import FILE, SentencePieceTokenizer, load_tokenizer
from qabot.errors import EncoderError
from tests.encoders.texts import SENTENCES


@pytest.fixture(scope="module")
def tokenizer(unpacked: UnpackedModel) -> SentencePieceTokenizer:
    return load_tokenizer(unpacked.folder / FILE)


def assert_spans_fit(tokenizer: SentencePieceTokenizer, text: str) -> None:
    spans = tokenizer.spans(text)
    assert [identity for identity, _, _ in spans] == tokenizer.ids([text])[0]
    at = 0
    for _, start, end in spans:
        # In order, and nothing but what normalisation drops or joins lies between two tokens.
        assert at <= end <= len(text)
        assert start <= end
        at = max(at, start)


@pytest.mark.parametrize("script", sorted(SENTENCES))
def test_each_token_stands_for_its_characters(tokenizer, script):
    for text in SENTENCES[script]:
        assert_spans_fit(tokenizer, text)
        covered = {place for _, start, end in tokenizer.spans(text) for place in range(start, end)}
        assert all(place in covered for place, character in enumerate(text) if character.isalnum())


@given(text=st.text(max_size=80))
def test_any_text_has_tokens_inside_it(tokenizer, text):
    assert_spans_fit(tokenizer, text)


def test_words_are_found_where_they_stand(tokenizer):
    text = "Zürich １２３ 東京 😀 end"
    words = {text[start:end].strip() for _, start, end in tokenizer.spans(text)}
    assert {"Zürich", "１２３", "東京", "😀", "end"} <= words


def test_a_tokenizer_is_loaded_once(unpacked):
    assert load_tokenizer(unpacked.folder / FILE) is load_tokenizer(unpacked.folder / FILE)


def test_word_embeddings_are_the_wheels_own(unpacked):
    weights = E5Weights(weights_file())
    table = weights.tensor("emb.word", -1, weights.config.hidden)
    ids = np.array([[0, 1, 2, 5], [100, 77_777, 250_001, len(table) - 1]])
    words = WordEmbeddings(unpacked.folder, weights.config.hidden)
    np.testing.assert_array_equal(words.rows(ids), table[ids])


def test_missing_word_embeddings_name_the_folder(tmp_path):
    with pytest.raises(EncoderError, match="word embeddings cannot be read"):
        WordEmbeddings(tmp_path, 384)
