"""XLM-R's SentencePiece vocabulary: texts → token ids, with the characters of each."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.encoders.base import DAMAGED
from qabot.errors import EncoderError
from qabot.text import first_line

if TYPE_CHECKING:
    import sentencepiece

FILE = "sentencepiece.bpe.model"
FIRST, PAD, LAST, _UNKNOWN = 0, 1, 2, 3
# XLM-R's ids are one higher than the file's.
_OFFSET = 1
_MANY_TEXTS = 256
_loading = threading.Lock()


class SentencePieceTokenizer:
    """The tokenizer of one SentencePiece file. Thread-safe."""

    def __init__(self, processor: sentencepiece.SentencePieceProcessor) -> None:
        self._processor = processor

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenize texts, without special tokens."""
        # SentencePiece starts threads for a list: that takes milliseconds, a question takes none.
        threads = 1 if len(texts) < _MANY_TEXTS else -1
        pieces: list[list[int]] = self._processor.encode(list(texts), num_threads=threads)
        return [[piece + _OFFSET if piece else _UNKNOWN for piece in ids] for ids in pieces]

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """Tokenize ``text``: ``(id, start, end)`` of each token, in characters of ``text``.

        A character that normalises to several tokens belongs to each of them.
        """
        found = self._processor.encode(text, return_type="offset_mapping")
        pairs = zip(found["ids"], found["offsets"], strict=True)
        return [(_identity(piece), start, end) for piece, (start, end) in pairs]


def _identity(piece: int) -> int:
    return piece + _OFFSET if piece else _UNKNOWN


def load_tokenizer(path: Path) -> SentencePieceTokenizer:
    """Load the tokenizer of ``path``, once for all networks that share it.

    Raises:
        EncoderError: The file cannot be read.
    """
    with _loading:
        return _load(path)


@lru_cache(maxsize=2)
def _load(path: Path) -> SentencePieceTokenizer:
    import sentencepiece

    try:
        # Read here: by itself, it takes only paths in UTF-8, and reads 8 KB at a time.
        model = path.read_bytes()
        return SentencePieceTokenizer(sentencepiece.SentencePieceProcessor(model_proto=model))
    except (OSError, RuntimeError) as error:
        raise EncoderError(f"{path}: cannot be read ({first_line(error)}); {DAMAGED}") from error
