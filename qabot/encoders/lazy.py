"""A model that opens on first use: most rebuilds find nothing to encode."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from qabot.encoders.base import Encoder, FloatArray


class LazyEncoder:
    """A model that opens on first use; everything but its vectors is known before.

    Thread-safe if the model is.

    Args:
        open_model: Called once, when the first text is encoded or counted. That call raises
            whatever it raises.
    """

    def __init__(
        self, name: str, fingerprint: str, dimension: int, open_model: Callable[[], Encoder]
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dimension = dimension
        self._open = open_model
        self._opened: Encoder | None = None
        self._lock = threading.Lock()

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Encode questions: unit vectors, float32 ``(len(texts), dimension)``."""
        return self._model().encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Encode passages or sentences: unit vectors, float32 ``(len(texts), dimension)``."""
        return self._model().encode_document(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the model's tokens of each text, without special tokens and prompts."""
        return self._model().count_tokens(texts)

    def _model(self) -> Encoder:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened
