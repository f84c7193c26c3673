"""A model that is opened when it has something to do: most rebuilds find nothing to encode."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from qabot.encoders.base import Encoder, FloatArray


class LazyEncoder:
    """Stands for a model of which all is known but its vectors.

    Calls are safe from several threads if the model's are.

    Args:
        open_model: Called once, when a text is to be encoded or counted; what it raises comes out
            of that call.
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
        """Vectors of questions: float32 ``(len(texts), dimension)``, of length 1."""
        return self._model().encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Vectors of passages or sentences: float32 ``(len(texts), dimension)``, of length 1."""
        return self._model().encode_document(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of model tokens of each text, without special tokens and prompts."""
        return self._model().count_tokens(texts)

    def _model(self) -> Encoder:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened
