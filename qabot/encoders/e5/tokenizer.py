"""Write multilingual-e5-small's tokenizer in the two usual forms.

``tokenizer.json`` serves the ``tokenizers`` library and so sentence-transformers;
``sentencepiece.bpe.model`` serves SentencePiece, which loads the same vocabulary in a quarter of
the memory and half the time.

Both give the same token ids for text in Unicode's form NFKC in any script, except for runs of one
letter that can be split equally well in several ways. In other text, SentencePiece composes all
that can be composed, while ``tokenizers`` works on grapheme clusters and may leave characters
decomposed or drop a mark. A special token's name in a text (``</s>``) is text to SentencePiece, but
a special token to ``tokenizers``.
"""

from __future__ import annotations

import io
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as schema
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from qabot.encoders.e5.weights import Vocabulary

MASK = "<mask>"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def write_tokenizers(vocabulary: Vocabulary, folder: Path) -> None:
    """Write ``sentencepiece.bpe.model`` and ``tokenizer.json`` into ``folder``."""
    model = _empty_model()
    _write_sentencepiece(vocabulary, model, folder / "sentencepiece.bpe.model")
    _write_tokenizers_json(
        vocabulary, model.normalizer_spec.precompiled_charsmap, folder / "tokenizer.json"
    )


def _empty_model() -> schema.ModelProto:
    """Make a SentencePiece model with everything but a vocabulary, including ``nmt_nfkc``'s map.

    In Python, that compiled map is only available inside a trained model.
    """
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c d e f g h"] * 20),
        model_writer=trained,
        vocab_size=12,
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = schema.ModelProto.FromString(trained.getvalue())
    del model.pieces[:]
    return model


def _write_sentencepiece(vocabulary: Vocabulary, model: schema.ModelProto, path: Path) -> None:
    # The order of XLM-R's own model file: <unk>, <s>, </s>, then the pieces that follow <s> <pad>
    # </s> <unk>, so that a token id is the piece's number plus one.
    piece = schema.ModelProto.SentencePiece
    for name, kind in (("<unk>", piece.UNKNOWN), ("<s>", piece.CONTROL), ("</s>", piece.CONTROL)):
        model.pieces.add(piece=name, score=0.0, type=kind)
    scores = vocabulary.scores.tolist()
    for text, score in zip(vocabulary.pieces[4:], scores[4:], strict=True):
        if text != MASK:
            model.pieces.add(piece=text, score=score, type=piece.NORMAL)
    trainer = model.trainer_spec
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 0, 1, 2, -1
    trainer.vocab_size = len(model.pieces)
    path.write_bytes(model.SerializeToString())


def _write_tokenizers_json(vocabulary: Vocabulary, charsmap: bytes, path: Path) -> None:
    pieces = list(zip(vocabulary.pieces, vocabulary.scores.tolist(), strict=True))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk, byte_fallback=False))
    # SentencePiece collapses and strips spaces, which is not in its compiled map.
    # Spaces only: normalizers.Strip() would remove U+0085, too.
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(charsmap),
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Replace(Regex(r"\A +| +\z"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", vocabulary.bos), ("</s>", vocabulary.eos)],
    )
    tokenizer.add_special_tokens([*_SPECIAL, MASK])
    # Not save(): on a full disk, its error is not an OSError.
    path.write_text(tokenizer.to_str(pretty=False), "utf-8")
