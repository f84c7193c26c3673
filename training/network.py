"""The reader's network as it is trained, and batches of examples for it."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import BertModel

from training.data import PAD
from training.sampling import Example

# About the tokens of a batch; examples of about one length are drawn from so many.
TOKENS = 3072
_POOL = 4096
# What "this window answers" counts beside start and end.
ANSWER_WEIGHT = 1.0


class Network(nn.Module):  # type: ignore[misc] # torch's types are not read
    """The encoder's network with a linear layer of three scores for each token.

    Start and end of an answer, and of the first token whether the window answers at all.

    Args:
        dropout: Share of what each half of a trained layer adds that training leaves out.
    """

    def __init__(self, folder: Path, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.bert = BertModel.from_pretrained(
            folder,
            dtype=torch.float32,
            add_pooling_layer=False,
            attn_implementation="sdpa",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.head = nn.Linear(self.bert.config.hidden_size, 3)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def freeze(self, layers: int) -> None:
        """Leave the embeddings and the first ``layers`` as they are."""
        for part in (self.bert.embeddings, *self.bert.encoder.layer[:layers]):
            part.requires_grad_(False)
        self.frozen = layers

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Scores ``(batch, 3, tokens)`` of ``ids`` ``(batch, tokens)``."""
        return self.head(self.hidden(ids, mask).float()).transpose(1, 2)

    def hidden(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """What the last layer makes of each token: ``(batch, tokens, hidden)``."""
        bias = torch.zeros(mask.shape, dtype=torch.float32).masked_fill(~mask, -1e4)[:, None, None]
        with torch.no_grad():
            hidden = self.bert.embeddings(ids)
        for number, layer in enumerate(self.bert.encoder.layer):
            if number < self.frozen:
                with torch.no_grad():
                    hidden = _layer(layer, hidden, bias)
            else:
                hidden = _layer(layer, hidden, bias, self.dropout if self.training else 0.0)
        return hidden


def _layer(
    layer: Any, hidden: torch.Tensor, bias: torch.Tensor, dropout: float = 0.0
) -> torch.Tensor:
    attention = layer.attention.self
    batch, tokens, size = hidden.shape

    def heads(linear: nn.Linear) -> torch.Tensor:
        return linear(hidden).view(batch, tokens, attention.num_attention_heads, -1).transpose(1, 2)

    query, key, value = heads(attention.query), heads(attention.key), heads(attention.value)
    # Not torch's fused attention, whose backward pass on CPUs takes a quarter of a training step.
    scores = query / math.sqrt(query.shape[-1]) @ key.transpose(-1, -2) + bias
    mixed = scores.softmax(-1).to(value.dtype) @ value
    mixed = mixed.transpose(1, 2).reshape(batch, tokens, size)
    output = layer.attention.output
    middle = output.LayerNorm(nn.functional.dropout(output.dense(mixed), dropout) + hidden)
    grown = nn.functional.gelu(layer.intermediate.dense(middle))
    grown = nn.functional.dropout(layer.output.dense(grown), dropout)
    return layer.output.LayerNorm(grown + middle)


def batches(
    examples: list[Example], chance: random.Random, tokens: int = TOKENS
) -> list[list[Example]]:
    """Batches of about so many tokens, of examples of about one length."""
    made = []
    for at in range(0, len(examples), _POOL):
        pool = sorted(examples[at : at + _POOL], key=lambda example: len(example.ids))
        part: list[list[Example]] = [[]]
        for example in pool:
            if part[-1] and len(example.ids) * (len(part[-1]) + 1) > tokens:
                part.append([])
            part[-1].append(example)
        chance.shuffle(part)
        made += part
    return made


def tensors(batch: list[Example]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, which of them are tokens, which may be answers, and starts and ends ``(batch, 2)``."""
    longest = max(len(example.ids) for example in batch)
    ids = np.full((len(batch), longest), PAD, np.int64)
    allowed = np.zeros((len(batch), longest), bool)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = example.ids
        allowed[row, example.window : len(example.ids) - 1] = True
        allowed[row, 0] = True
    mask = ids != PAD
    mask[:, 0] = True
    target = np.array([[example.start, example.end] for example in batch])
    made = [torch.from_numpy(array) for array in (ids, mask, allowed, target)]
    return made[0], made[1], made[2], made[3]


def loss_of(
    model: Network, batch: list[Example], weights: torch.Tensor | None = None
) -> torch.Tensor:
    """The examples' mean loss, or their sum by ``weights`` ``(batch,)``."""
    ids, mask, allowed, target = tensors(batch)
    losses = losses_of(model(ids, mask), allowed, target)
    return losses.mean() if weights is None else losses @ weights


def losses_of(scores: torch.Tensor, allowed: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of start and end, plus that of "this window answers": ``(batch,)``.

    Args:
        scores: What the network says of each token ``(batch, 3, tokens)``.
        allowed: Which tokens may be answers ``(batch, tokens)``.
        target: Starts and ends ``(batch, 2)``.
    """
    spans = scores[:, :2].masked_fill(~allowed[:, None], -1e4)
    marked = nn.functional.cross_entropy(spans.transpose(1, 2), target, reduction="none").mean(1)
    truth = (target[:, 1] > 0).float()
    answered = nn.functional.binary_cross_entropy_with_logits(
        scores[:, 2, 0], truth, reduction="none"
    )
    return marked + ANSWER_WEIGHT * answered
