"""The tokenizer of a model folder, by SentencePiece or by tokenizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from qabot.encoders.base import DAMAGED, REMEDY
from qabot.encoders.sentencepiece import FILE, FIRST, LAST, PAD, load_tokenizer
from qabot.errors import EncoderError
from qabot.text import first_line

Tokenize = Callable[[Sequence[str]], list[list[int]]]
"""Texts → token ids of each, without special tokens."""

_TOKENIZERS_FILE = "tokenizer.json"
# Networks with XLM-R's vocabulary, if there is a SentencePiece file: multilingual-e5 is a BERT.
# Others (CamemBERT) number the pieces of a file of the same name differently.
_XLM_R = ("bert", "xlm-roberta")


class BackgroundTokenizer:
    """A tokenizer that loads in the background, since loading it takes longest.

    Attributes:
        first, last, pad: Ids of the special tokens before, after and behind a text.
    """

    def __init__(self, load: Callable[[], Tokenize], first: int, last: int, pad: int) -> None:
        self.first, self.last, self.pad = first, last, pad
        pool = ThreadPoolExecutor(1, "tokenizer")
        self._loaded: Future[Tokenize] = pool.submit(load)
        pool.shutdown(wait=False)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokenize texts, without special tokens."""
        return self._loaded.result()(texts)


def open_tokenizer(folder: Path, network: str | None) -> BackgroundTokenizer:
    """Open the tokenizer of a model folder.

    Args:
        network: The network's type, as ``config.json`` names it.

    Raises:
        EncoderError: There is no tokenizer, or it cannot be used.
    """
    # XLM-R's SentencePiece file numbers its pieces one lower than the network does.
    if network in _XLM_R and (folder / FILE).is_file():
        path = folder / FILE
        return BackgroundTokenizer(lambda: load_tokenizer(path).ids, FIRST, LAST, PAD)
    if (folder / _TOKENIZERS_FILE).is_file():
        return _load_tokenizers(folder / _TOKENIZERS_FILE)
    raise EncoderError(
        f"{folder}: no {_TOKENIZERS_FILE} in it; name a complete sentence-transformers folder"
    )


def _load_tokenizers(path: Path) -> BackgroundTokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # The Rust library raises bare Exception.
        raise EncoderError(f"{path}: cannot be read ({first_line(error)}); {DAMAGED}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    around = tokenizer.encode("").ids
    if len(around) != 2:
        raise EncoderError(f"{path}: not one special token before and one after a text; {REMEDY}")

    def tokenize(texts: Sequence[str]) -> list[list[int]]:
        encoded = tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [item.ids for item in encoded]

    return BackgroundTokenizer(lambda: tokenize, first=around[0], last=around[1], pad=0)


def files_of(folder: Path) -> list[Path]:
    """List the files that a folder's tokenizer may be in; they need not exist."""
    return [folder / FILE, folder / _TOKENIZERS_FILE]
