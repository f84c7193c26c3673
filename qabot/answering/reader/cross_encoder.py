"""A sentence-transformers CrossEncoder as the reader: one score for question and text together.

It says whether a text answers, not where. So it marks no span, and the sentence most like the
question is marked, as it is without a reader.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qabot.answering.reader.base import Window
from qabot.encoders.hub import local_folder
from qabot.errors import EncoderError
from qabot.text import first_line
from qabot.types import AnswerSpan

_HEAD = "ForSequenceClassification"
_REMEDY = "name the folder of a cross-encoder with one score, or use --no-reader"


class CrossEncoderReader:
    """A model that gives a pair of texts one score, a logit: above 0, the second answers the first.

    Args:
        name: A folder, or the name of a model in the local Hugging Face cache.

    Raises:
        EncoderError: There is no such model, it cannot be loaded, or it gives another number of
            scores.
    """

    batch_size = 3

    def __init__(self, name: str) -> None:
        folder = local_folder(name, f"cross-encoder/{name}")
        if folder is None:
            raise EncoderError(
                f"reader {name!r}: no such folder, nor a model in the local Hugging Face cache "
                f"(qabot downloads nothing); {_REMEDY}"
            )
        self.name = name.rstrip("/").rsplit("/", 1)[-1]
        import torch
        import transformers
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()
        try:
            config = transformers.AutoConfig.from_pretrained(folder)
            # Of any other model, the library would make up the head at random.
            if not any(kind.endswith(_HEAD) for kind in config.architectures or ()):
                raise ValueError("it was not trained to score")
            if config.num_labels != 1:
                raise ValueError(f"it gives {config.num_labels} scores")
            # Not the probability that the model may be set to return: its logit.
            logits = torch.nn.Identity()
            self._model = CrossEncoder(folder, local_files_only=True, activation_fn=logits)
        except Exception as error:  # Whatever the files hold, the libraries raise something of it.
            raise EncoderError(
                f"{name}: no cross-encoder ({first_line(error)}); {_REMEDY}"
            ) from error

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        """Empty spans with each window's score as margin, in order; −∞ where it has no text."""
        margins = np.full(len(windows), -np.inf)
        places = [place for place, window in enumerate(windows) if window.text.strip()]
        if places:
            pairs = [(question, "\n".join(windows[place]).strip()) for place in places]
            margins[places] = self._model.predict(pairs, show_progress_bar=False)
        return [AnswerSpan(0, 0, margin, margin) for margin in margins.tolist()]
