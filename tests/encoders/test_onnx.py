"""Model folders on ONNX Runtime: a tiny network by hand, and the packaged model."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.encoders.e5.packaged import UnpackedModel
from qabot.encoders.onnx import OnnxEncoder
from qabot.encoders.onnx_folder import find_graph
from qabot.errors import EncoderError
from tests.encoders.texts import PASSAGES, SENTENCES
from tests.encoders.tiny_onnx import (
    CLS,
    NAMES,
    SEP,
    UNK,
    WORDS,
    counts,
    ids,
    write_folder,
    write_plain_tokenizer,
)
from tests.support import run_python

CAT, DOG, BIRD, ASK, READ = range(4, 9)
SHARED = [*(texts[0] for texts in SENTENCES.values()), *list(PASSAGES.values())[:2]]


def close(expected: Any, actual: np.ndarray) -> None:
    np.testing.assert_allclose(np.stack(expected), actual, atol=1e-6)
    assert np.float32 == actual.dtype


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderError) as error:
        OnnxEncoder(folder)
    text = str(error.value)
    assert text.startswith(str(folder))
    assert "\n" not in text
    return text.removeprefix(str(folder))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> OnnxEncoder:
    return OnnxEncoder(write_folder(tmp_path_factory.mktemp("models") / "tiny"))


def test_mean_pooling_by_hand(tiny: OnnxEncoder) -> None:
    expected = np.array([0, 0, 1, 1, 2, 1, 0, 0, 0]) / np.sqrt(7)
    close([expected], tiny.encode_document(["cat dog cat"]))


def test_cls_pooling_by_hand(tmp_path: Path) -> None:
    pooling = {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    encoder = OnnxEncoder(write_folder(tmp_path, configs={"1_Pooling/config.json": pooling}))
    close([counts(CLS)] * 2, encoder.encode_document(["cat dog cat", "bird"]))


def test_zero_vectors_stay_zero(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, table=np.zeros((len(WORDS), 9)))
    close([np.zeros(9)], OnnxEncoder(folder).encode_document(["cat"]))


@given(st.lists(st.lists(st.sampled_from(["cat", "dog", "bird", "cow"]), max_size=30), max_size=50))
def test_texts_of_any_lengths_keep_their_order(tiny: OnnxEncoder, texts: list[list[str]]) -> None:
    lines = [" ".join(words) for words in texts]
    vectors = tiny.encode_query(lines)
    assert (len(texts), len(WORDS)) == vectors.shape
    for line, vector in zip(lines, vectors, strict=True):
        close([counts(CLS, *ids(line), SEP)], vector[None])
    assert [len(words) for words in texts] == tiny.count_tokens(lines)


def test_no_texts(tiny: OnnxEncoder, e5: OnnxEncoder) -> None:
    for encoder in (tiny, e5):
        assert (0, encoder.dimension) == encoder.encode_query([]).shape
        assert (0, encoder.dimension) == encoder.encode_document([]).shape
        assert [] == encoder.count_tokens([])


def test_empty_text(tiny: OnnxEncoder, e5: OnnxEncoder) -> None:
    close([counts(CLS, SEP)], tiny.encode_document([""]))
    assert [0] == tiny.count_tokens([""]) == e5.count_tokens([""])
    np.testing.assert_allclose([1], np.linalg.norm(e5.encode_query([""]), axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("prompts", "query", "document"),
    [
        ({}, [], []),
        (None, [], []),
        ({"query": "ask: ", "document": "read: "}, [ASK], [READ]),
        ({"query": "ask: ", "passage": "read: "}, [ASK], [READ]),
        ({"query": "ask: ", "corpus": "read: "}, [ASK], [READ]),
        ({"query": "ask: ", "document": "", "passage": "read: "}, [ASK], [READ]),
        ({"query": "ask: ", "document": "read: ", "passage": "dog "}, [ASK], [READ]),
        ({"classification": "dog "}, [], []),
    ],
)
def test_prompts(tmp_path: Path, prompts: Any, query: list[int], document: list[int]) -> None:
    configs = {"config_sentence_transformers.json": {"prompts": prompts}}
    encoder = OnnxEncoder(write_folder(tmp_path, configs=configs))
    close([counts(CLS, *query, CAT, SEP)], encoder.encode_query(["cat"]))
    close([counts(CLS, *document, CAT, SEP)], encoder.encode_document(["cat"]))
    assert [1] == encoder.count_tokens(["cat"])


@pytest.mark.parametrize(
    ("configs", "words"),
    [
        ({}, 510),
        ({"config.json": {"max_position_embeddings": 20}}, 18),
        ({"config.json": {"max_position_embeddings": -1}}, 510),
        ({"tokenizer_config.json": {"model_max_length": 30}}, 28),
        ({"tokenizer_config.json": {"model_max_length": int(1e30)}}, 10**9),
        # XLM-R counts positions from 2; what it can take is in its tokenizer's settings.
        (
            {
                "config.json": {"max_position_embeddings": 514},
                "tokenizer_config.json": {"model_max_length": 512},
            },
            510,
        ),
        (
            {
                "config.json": {"max_position_embeddings": 512},
                "sentence_bert_config.json": {"max_seq_length": 12},
            },
            10,
        ),
        ({"sentence_bert_config.json": {"max_seq_length": None}}, 510),
    ],
)
def test_longest_input(tmp_path: Path, configs: dict[str, Any], words: int) -> None:
    encoder = OnnxEncoder(write_folder(tmp_path, configs=configs))
    text = "cat " * 700 + "dog"
    kept = [CAT] * min(words, 700) + [DOG] * (words > 700)
    close([counts(CLS, *kept, SEP)], encoder.encode_document([text]))
    assert [701] == encoder.count_tokens([text])


@pytest.mark.parametrize("inputs", [NAMES, NAMES[:1], (*NAMES, "token_type_ids")])
def test_inputs_that_networks_take(tmp_path: Path, inputs: tuple[str, ...]) -> None:
    encoder = OnnxEncoder(write_folder(tmp_path, inputs=inputs))
    expected = [counts(CLS, CAT, SEP), counts(CLS, DOG, DOG, SEP)]
    close(expected, encoder.encode_document(["cat", "dog dog"]))


def test_size_of_vectors_that_the_graph_gives_a_name_only(tmp_path: Path) -> None:
    for key in ("word_embedding_dimension", "embedding_dimension"):
        folder = write_folder(
            tmp_path / key, size="hidden", configs={"1_Pooling/config.json": {key: len(WORDS)}}
        )
        assert len(WORDS) == OnnxEncoder(folder).dimension


def test_best_graph_of_several(tmp_path: Path) -> None:
    assert find_graph(tmp_path) is None
    for name in ("onnx/other.onnx", "model.onnx", "onnx/model.onnx", "onnx/model_qint8.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        assert tmp_path / name == find_graph(tmp_path)


def test_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "some-model")
    assert "some-model" == OnnxEncoder(folder).name
    assert "another" == OnnxEncoder(folder, name="another").name


# Folders that are refused.


def test_no_graph(tmp_path: Path) -> None:
    assert ": no ONNX file in it; name a sentence-transformers folder" == refusal(tmp_path)


def test_no_tokenizer(tmp_path: Path) -> None:
    (write_folder(tmp_path) / "tokenizer.json").unlink()
    expected = ": no tokenizer.json in it; name a complete sentence-transformers folder"
    assert expected == refusal(tmp_path)


def test_broken_graph(tmp_path: Path) -> None:
    graph = write_folder(tmp_path) / "onnx/model.onnx"
    graph.write_bytes(graph.read_bytes()[:-20])
    assert refusal(tmp_path).startswith("/onnx/model.onnx: ONNX Runtime cannot load it (")


def test_graph_without_its_weights(tmp_path: Path) -> None:
    write_folder(tmp_path, external="model.onnx_data")
    (tmp_path / "onnx/model.onnx_data").unlink()
    assert refusal(tmp_path).startswith("/onnx/model.onnx: ONNX Runtime cannot load it (")


def test_weights_that_are_cut_short(tmp_path: Path) -> None:
    write_folder(tmp_path, external="model.onnx_data")
    os.truncate(tmp_path / "onnx/model.onnx_data", 4)
    with pytest.raises(EncoderError, match=r"model\.onnx: ONNX Runtime cannot load it \("):
        OnnxEncoder(tmp_path)


@pytest.mark.parametrize("size", [0, 4])
def test_weights_that_are_cut_short_while_they_are_used(tmp_path: Path, size: int) -> None:
    """A mapped file would end the process, or give vectors of nothing."""
    encoder = OnnxEncoder(write_folder(tmp_path, external="model.onnx_data"), threads=2)
    before = encoder.encode_document(["cat dog"])
    os.truncate(tmp_path / "onnx/model.onnx_data", size)
    np.testing.assert_array_equal(before, encoder.encode_document(["cat dog"]))
    # Many texts are encoded by a network that is opened now.
    with pytest.raises(EncoderError) as caught:
        encoder.encode_document(["cat dog"] * 100)
    assert str(caught.value).startswith(f"{tmp_path}/onnx/model.onnx: ")


def test_weights_that_were_overwritten_while_they_are_used(tmp_path: Path) -> None:
    encoder = OnnxEncoder(write_folder(tmp_path, external="model.onnx_data"), threads=2)
    before = encoder.encode_document(["cat dog"])
    path = tmp_path / "onnx/model.onnx_data"
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    os.utime(path, (1, 1))
    np.testing.assert_array_equal(before, encoder.encode_document(["cat dog"]))
    with pytest.raises(EncoderError) as caught:
        encoder.encode_document(["cat dog"] * 100)
    assert str(caught.value) == (
        f"{tmp_path}/onnx/model.onnx: changed while it is in use; start qabot again"
    )


def test_broken_tokenizer(tmp_path: Path) -> None:
    (write_folder(tmp_path) / "tokenizer.json").write_text("{")
    assert refusal(tmp_path).startswith("/tokenizer.json: cannot be read (")


def test_broken_sentencepiece_file(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, configs={"config.json": {"model_type": "xlm-roberta"}})
    path = folder / "sentencepiece.bpe.model"
    path.write_bytes(b"no model")
    encoder = OnnxEncoder(folder)  # The file is read in the background.
    with pytest.raises(EncoderError) as error:
        encoder.encode_query(["cat"])
    assert str(error.value).startswith(f"{path}: cannot be read (")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    [
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer_config.json",
    ],
)
@pytest.mark.parametrize("content", ['{"prompts":', "\xff", '"text"'])
def test_broken_settings(tmp_path: Path, name: str, content: str) -> None:
    write_folder(tmp_path, configs={name: {}})
    (tmp_path / name).write_text(content, "latin-1")
    assert refusal(tmp_path).startswith(f"/{name}: cannot be read (")


@pytest.mark.parametrize(
    ("pooling", "kind"),
    [
        ({"pooling_mode": "max"}, "max"),
        ({"pooling_mode": "lasttoken"}, "lasttoken"),
        ({"pooling_mode": ["mean", "max"]}, "mean and max"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": False}, "max"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, "cls and mean"),
        ({"pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt_len"),
    ],
)
def test_other_pooling(tmp_path: Path, pooling: dict[str, Any], kind: str) -> None:
    write_folder(tmp_path, configs={"1_Pooling/config.json": pooling})
    expected = (
        f"/1_Pooling/config.json: pooling is {kind}, not mean or cls; "
        "use it as sentence-transformers:FOLDER"
    )
    assert expected == refusal(tmp_path)


def test_pooling_that_leaves_prompts_out(tmp_path: Path) -> None:
    pooling = {"1_Pooling/config.json": {"include_prompt": False}}
    OnnxEncoder(write_folder(tmp_path, configs=pooling))  # There are none.
    prompts = {"config_sentence_transformers.json": {"prompts": {"query": "ask: "}}}
    write_folder(tmp_path, configs=pooling | prompts)
    expected = (
        "/1_Pooling/config.json: pooling leaves prompts out; use it as sentence-transformers:FOLDER"
    )
    assert expected == refusal(tmp_path)


def test_module_behind_the_graph(tmp_path: Path) -> None:
    kinds = ["Transformer", "Pooling", "Dense", "Normalize"]
    modules = [{"type": f"sentence_transformers.models.{kind}"} for kind in kinds]
    write_folder(tmp_path, configs={"modules.json": modules})
    expected = (
        "/modules.json: the ONNX file leaves Dense out; use it as sentence-transformers:FOLDER"
    )
    assert expected == refusal(tmp_path)


@pytest.mark.parametrize(
    "graph",
    [{"pooled": True}, {"inputs": (*NAMES, "position_ids")}, {"size": "hidden"}],
    ids=["gives a vector for each text", "takes positions", "has no size"],
)
def test_other_graph(tmp_path: Path, graph: dict[str, Any]) -> None:
    write_folder(tmp_path, **graph)
    expected = (
        "/onnx/model.onnx: not token ids in and a vector for each out; "
        "use it as sentence-transformers:FOLDER"
    )
    assert expected == refusal(tmp_path)


def test_tokenizer_without_special_tokens(tmp_path: Path) -> None:
    write_plain_tokenizer(write_folder(tmp_path))
    expected = (
        "/tokenizer.json: not one special token before and one after a text; "
        "use it as sentence-transformers:FOLDER"
    )
    assert expected == refusal(tmp_path)


def test_sentencepiece_file_that_is_not_numbered_as_xlm_r_is(tmp_path: Path) -> None:
    """CamemBERT's, say: its tokenizer.json knows the numbers."""
    folder = write_folder(tmp_path, configs={"config.json": {"model_type": "camembert"}})
    with (folder / "sentencepiece.bpe.model").open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["cat dog bird"] * 20),
            model_writer=file,
            vocab_size=20,
            hard_vocab_limit=False,
            minloglevel=2,
        )
    close([counts(CLS, CAT, UNK, SEP)], OnnxEncoder(folder).encode_document(["cat cow"]))


# Fingerprints.


def fingerprint(folder: Path, **options: Any) -> str:
    return OnnxEncoder(write_folder(folder, **options)).fingerprint


def test_fingerprint_is_stable(tmp_path: Path) -> None:
    first = fingerprint(tmp_path / "first")
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    assert first == OnnxEncoder(tmp_path / "second", threads=1).fingerprint
    assert first == fingerprint(tmp_path / "third")


def test_fingerprint_changes_with_vectors(tmp_path: Path) -> None:
    weights = np.eye(len(WORDS)) * 2
    variants: list[dict[str, Any]] = [
        {},
        {"table": weights},
        {"external": "model.onnx_data"},
        {"external": "model.onnx_data", "table": weights},
        {"external": "model.onnx.data", "table": weights * 2},
        {"external": "model.onnx.data", "table": weights * 3},
        {"configs": {"1_Pooling/config.json": {"pooling_mode": "cls"}}},
        {"configs": {"config_sentence_transformers.json": {"prompts": {"query": "ask: "}}}},
        {"configs": {"sentence_bert_config.json": {"max_seq_length": 12}}},
        {"configs": {"config.json": {"max_position_embeddings": 20}}},
    ]
    found = [fingerprint(tmp_path / str(n), **variant) for n, variant in enumerate(variants)]
    assert len(variants) == len(set(found))


def test_fingerprint_changes_with_the_tokenizer(tmp_path: Path) -> None:
    before = fingerprint(tmp_path)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text("utf-8").replace('"bird"', '"crow"'), "utf-8")
    assert before != OnnxEncoder(tmp_path).fingerprint


def test_fingerprint_that_is_known(tmp_path: Path) -> None:
    assert "known" == OnnxEncoder(write_folder(tmp_path), fingerprint="known").fingerprint


# The packaged model.


def test_a_texts_vector_hardly_depends_on_its_company(e5: OnnxEncoder) -> None:
    # It does at all since int8 steps are chosen for a whole batch.
    alone = np.concatenate([e5.encode_document([text]) for text in SHARED])
    together = e5.encode_document(SHARED)
    assert (alone * together).sum(axis=1).min() > 0.99
    backwards = e5.encode_document(SHARED[::-1])[::-1]
    assert (together * backwards).sum(axis=1).min() > 0.99


def test_the_same_call_gives_the_same_vectors(e5: OnnxEncoder) -> None:
    np.testing.assert_array_equal(e5.encode_document(SHARED), e5.encode_document(SHARED))


def test_many_texts_on_several_cores_get_what_they_get_on_one(
    e5: OnnxEncoder, unpacked: UnpackedModel
) -> None:
    texts = next(iter(SENTENCES.values())) * 3 + SHARED
    several = OnnxEncoder(unpacked.folder, threads=3)
    one = OnnxEncoder(unpacked.folder, threads=1)
    np.testing.assert_array_equal(one.encode_document(texts), several.encode_document(texts))


def test_long_texts_are_cut_not_refused(e5: OnnxEncoder) -> None:
    text = "word " * 10_000
    assert [10_000] == e5.count_tokens([text])
    # "passage", ":" and the special tokens leave room for 508 words.
    expected = e5.encode_document(["word " * 508])
    close(expected, e5.encode_document([text]))


def test_eight_threads_get_what_one_gets(e5: OnnxEncoder) -> None:
    groups = list(SENTENCES.values()) * 2
    expected = [(e5.encode_query(texts), e5.count_tokens(texts)) for texts in groups]
    with ThreadPoolExecutor(8) as pool:
        vectors = list(pool.map(e5.encode_query, groups))
        tokens = list(pool.map(e5.count_tokens, groups))
    for (expected_vectors, expected_tokens), found, counted in zip(
        expected, vectors, tokens, strict=True
    ):
        np.testing.assert_array_equal(expected_vectors, found)
        assert expected_tokens == counted


@settings(max_examples=30)
@given(st.lists(st.text(max_size=50), max_size=5))
def test_any_text_has_a_vector_of_length_1(e5: OnnxEncoder, texts: list[str]) -> None:
    for encode in (e5.encode_query, e5.encode_document):
        vectors = encode(texts)
        assert (len(texts), 384) == vectors.shape
        np.testing.assert_allclose(1, np.linalg.norm(vectors, axis=1), rtol=1e-5)


def test_the_packaged_model_needs_no_heavy_library(unpacked: UnpackedModel) -> None:
    program = (
        "import sys; from pathlib import Path; from qabot.encoders import open_encoder; "
        "encoder = open_encoder('multilingual-e5-small', cache=Path(sys.argv[1])); "
        "print(encoder.encode_query(['where?']).shape, encoder.count_tokens(['where?'])); "
        "print(sorted({name.split('.')[0] for name in sys.modules} & set(sys.argv[2:])))"
    )
    heavy = ["torch", "transformers", "sentence_transformers", "tokenizers", "onnx", "safetensors"]
    done = run_python("-c", program, unpacked.folder.parent, *heavy, cwd=unpacked.folder)
    assert ["(1, 384) [2]", "[]"] == done.stdout.splitlines(), done.stderr
    assert "" == done.stderr
