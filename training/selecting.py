"""Choose examples that still teach something, before the network is trained on them.

Most windows are told right with hardly any loss, and move the weights hardly at all; to find that
out by the reader in int8 costs a fraction of a training step. So an example is kept with a
probability in proportion to its loss, and counts in inverse proportion to it: the mean gradient
stays what it was (importance sampling; Katharopoulos and Fleuret, "Not All Samples Are Created
Equal", 2018).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from qabot.encoders.e5.words import WordEmbeddings
from qabot.encoders.onnx import open_session
from training.network import losses_of, tensors
from training.sampling import Example

# A step draws so many times its tokens, of which about a third are kept.
CANDIDATES = 2.0
_HIDDEN = 384
# Tokens that are read at a time: more would not stay in a core's cache.
_TOKENS = 512
# Some of those without any loss, too, so that they are not forgotten.
_LEAST = 0.1


class Selection:
    """Keeps the examples that a reader in int8 finds hard, and some of the others.

    Args:
        graph: A ``reader.onnx``.
        folder: The unpacked folder of the packaged encoder.
        sure: The loss from which on an example is always kept.
    """

    def __init__(self, graph: Path, folder: Path, sure: float) -> None:
        self._words = WordEmbeddings(folder, _HIDDEN)
        self._session = open_session(graph, 1)
        self._sure = sure

    def losses(self, batch: list[Example]) -> NDArray[np.float32]:
        """The loss of each example ``(batch,)``."""
        rows = max(1, _TOKENS // max(len(example.ids) for example in batch))
        parts = [batch[at : at + rows] for at in range(0, len(batch), rows)]
        return np.concatenate([self._losses(part) for part in parts])

    def _losses(self, batch: list[Example]) -> NDArray[np.float32]:
        ids, mask, allowed, target = tensors(batch)
        feed = {"words": self._words.rows(ids.numpy()), "attention_mask": mask.long().numpy()}
        scores = torch.from_numpy(self._session.run(None, feed)[0]).transpose(1, 2)
        found: NDArray[np.float32] = losses_of(scores, allowed, target).numpy()
        return found

    def choose(
        self, batch: list[Example], chance: np.random.Generator
    ) -> tuple[list[Example], torch.Tensor]:
        """What is kept of ``batch``, at least one, and what each counts: float32 ``(kept,)``."""
        places, weights = choice(self.losses(batch), self._sure, chance)
        return [batch[place] for place in places], torch.from_numpy(weights)


def choice(
    losses: NDArray[np.float32], sure: float, chance: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Choose examples by their losses, at least one.

    Args:
        losses: One for each ``(n,)``.
        sure: From this loss on, an example is always kept.

    Returns:
        The numbers of those kept ``(kept,)``, and their weights; the losses, summed by these, are
        the mean of all, as far as chance allows.
    """
    kept = np.clip(losses / sure, _LEAST, 1.0)
    places = np.flatnonzero(chance.random(len(losses)) < kept)
    if not len(places):
        places = kept.argmax(keepdims=True)
    return places, (1.0 / kept[places] / len(losses)).astype(np.float32)
