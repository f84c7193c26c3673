"""Embedding models: texts → vectors.

``open_encoder`` is the entry point: it takes the value of the setting ``encoder``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qabot.encoders.base import Encoder, FloatArray

PACKAGED = "multilingual-e5-small"
_BY_LIBRARY = "sentence-transformers:"

__all__ = ["PACKAGED", "Encoder", "FloatArray", "open_encoder", "open_encoder_later"]


def open_encoder(
    name: str,
    *,
    cache: Path,
    threads: int | None = None,
    notify: Callable[[str], None] = lambda line: None,
) -> Encoder:
    """Open an embedding model.

    Args:
        name: ``multilingual-e5-small`` is the packaged model. A folder with an ONNX file runs on
            ONNX Runtime. Anything else, and anything after ``sentence-transformers:``, is a folder
            or name for sentence-transformers.
        cache: Where the packaged model is unpacked.
        threads: Cores for one call of ONNX Runtime; by default, all.
        notify: Called with lines about long work.

    Raises:
        EncoderError: There is no such model, or it cannot be loaded.
    """
    if name == PACKAGED:
        from qabot.encoders.e5.packaged import open_packaged

        return open_packaged(cache, threads=threads, notify=notify)
    if not name.startswith(_BY_LIBRARY):
        from qabot.encoders.onnx import OnnxEncoder
        from qabot.encoders.onnx_folder import find_graph

        if find_graph(Path(name)):
            return OnnxEncoder(Path(name), threads=threads)
    from qabot.encoders.sentence_transformers import SentenceTransformersEncoder

    return SentenceTransformersEncoder(name.removeprefix(_BY_LIBRARY))


def open_encoder_later(
    name: str,
    *,
    cache: Path,
    threads: int | None = None,
    notify: Callable[[str], None] = lambda line: None,
) -> Encoder:
    """Open an embedding model, but load the packaged one only when there is something to encode.

    Raises:
        EncoderError: As for ``open_encoder``; for the packaged model, perhaps on first use.
    """
    if name == PACKAGED:
        from qabot.encoders.e5.packaged import open_packaged_later

        return open_packaged_later(cache, threads=threads, notify=notify)
    return open_encoder(name, cache=cache, threads=threads, notify=notify)
