"""Readers: question and passage together → the answer marked in it.

``open_reader`` is the entry: it takes what stands in the setting ``reader``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qabot.answering.reader.base import Reader
from qabot.answering.reader.windows import MOST_READ, read_hits

PACKAGED, NONE = "qabot-reader", "none"
_CROSS_ENCODER = "cross-encoder:"

__all__ = ["MOST_READ", "NONE", "PACKAGED", "Reader", "open_reader", "read_hits"]


def open_reader(
    name: str,
    *,
    cache: Path,
    threads: int | None = None,
    notify: Callable[[str], None] = lambda line: None,
) -> Reader | None:
    """The reader that ``name`` means.

    Args:
        name: ``qabot-reader`` is the packaged one and ``none`` no reader; ``cross-encoder:`` is
            followed by the folder or name of a CrossEncoder for sentence-transformers; anything
            else is that of a question-answering model for transformers.
        cache: Where the packaged encoder is unpacked, whose vocabulary the packaged reader shares.
        threads: Cores for one call of the packaged reader; all where not given.
        notify: Takes lines about long work.

    Raises:
        EncoderError: There is no such model, or it cannot be loaded.
    """
    if name == NONE:
        return None
    if name == PACKAGED:
        from qabot.answering.reader.packaged import PackagedReader
        from qabot.encoders.e5.packaged import unpack

        return PackagedReader(unpack(cache, notify).folder, threads=threads)
    if name.startswith(_CROSS_ENCODER):
        from qabot.answering.reader.cross_encoder import CrossEncoderReader

        return CrossEncoderReader(name.removeprefix(_CROSS_ENCODER))
    from qabot.answering.reader.transformers import TransformersReader

    return TransformersReader(name)
