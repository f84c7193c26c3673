"""Any question-answering model for transformers: larger, other languages, on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qabot.answering.reader.base import Window, best_span, blocks_of, trimmed
from qabot.encoders.base import FloatArray
from qabot.encoders.hub import local_folder
from qabot.errors import EncoderError
from qabot.text import first_line
from qabot.types import AnswerSpan

_MOST_TOKENS = 384
_REMEDY = "name the folder of a question-answering model, or use --no-reader"


class TransformersReader:
    """A question-answering model whose first token stands for "no answer", as in SQuAD 2.0.

    Args:
        name: A folder, or the name of a model in the local Hugging Face cache.

    Raises:
        EncoderError: There is no such model, or it cannot be loaded.
    """

    batch_size = 3

    def __init__(self, name: str) -> None:
        folder = local_folder(name)
        if folder is None:
            raise EncoderError(
                f"reader {name!r}: no such folder, nor a model in the local Hugging Face cache "
                f"(qabot downloads nothing); {_REMEDY}"
            )
        self.name = name.rstrip("/").rsplit("/", 1)[-1]
        import torch
        import transformers
        from transformers.utils import logging

        logging.disable_progress_bar()
        logging.set_verbosity_error()  # What is missing is told below.
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True)
            self._model, found = transformers.AutoModelForQuestionAnswering.from_pretrained(
                folder, output_loading_info=True
            )
            # The library makes up at random what the files lack.
            if found["missing_keys"]:
                raise ValueError(f"it lacks {min(found['missing_keys'])}")
        except Exception as error:  # Whatever the files hold, transformers raises something of it.
            raise EncoderError(
                f"{name}: no question-answering model ({first_line(error)}); {_REMEDY}"
            ) from error
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model.to(self._device).eval()

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        """The best span of each window, in order; an empty one where a window has no text."""
        if not windows:
            return []
        batch = self._tokenizer(
            [question] * len(windows),
            [window.text for window in windows],
            truncation="only_second",
            max_length=_MOST_TOKENS,
            padding=True,
            return_offsets_mapping=True,
            return_tensors="np",
        )
        offsets = batch.pop("offset_mapping")
        scores = self._scores(batch)
        return [
            _span(window.text, scores[row], offsets[row], batch.sequence_ids(row))
            for row, window in enumerate(windows)
        ]

    def _scores(self, batch: Any) -> FloatArray:
        """Of each token as start and as end, float32 ``(windows, tokens, 2)``."""
        import torch

        with torch.inference_mode():
            feed = {key: torch.as_tensor(value).to(self._device) for key, value in batch.items()}
            output = self._model(**feed)
        pair = (output.start_logits, output.end_logits)
        stacked = np.stack([part.float().cpu().numpy() for part in pair], axis=-1)
        return np.asarray(stacked, np.float32)


def _span(text: str, scores: FloatArray, offsets: Any, parts: list[int | None]) -> AnswerSpan:
    tokens = [place for place, part in enumerate(parts) if part == 1]
    if not tokens:
        return AnswerSpan(0, 0, -np.inf, -np.inf)
    blocks = blocks_of(text, [int(offsets[token][0]) for token in tokens])
    start, end, margin = best_span(scores, tokens[0], blocks)
    begin, stop = int(offsets[start][0]), int(offsets[end - 1][1])
    return AnswerSpan(*trimmed(text, begin, stop), margin, margin)
