"""Train the reader from the packaged encoder.

``python -m training.train DATA… --out FOLDER``: DATA holds the ``*.jsonl.gz`` files that
``training/README.md`` lists. Checkpoints are written on the way; started again, it goes on from the
last one. ``--minutes`` ends it early, with the learning rate brought to zero by then; ``--start``
takes up the weights of such a run, with a new plan and course of learning rates, or the weights of
a reader that ships.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import time
from collections.abc import Iterator
from multiprocessing import Value, get_context
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import torch
from torch import nn

from qabot.encoders.e5.packaged import unpack
from training.collection import load
from training.data import Encoding, Paragraph, read_paragraphs
from training.near_topic import CollectionSampler
from training.network import TOKENS, Network, batches, loss_of, tensors
from training.sampling import CROSSED, Example, Sampler, example_of, held_back
from training.selecting import CANDIDATES, Selection
from training.shipped import shipped_weights

RATE, HEAD_RATE, DECAY, WARM_UP = 1e-4, 4e-4, 0.01, 0.04
AVERAGE = 0.998
# Seconds between checkpoints, and between measurements of what was held back.
_SAVE, _MEASURE = 600, 1800


def main() -> None:
    """Train as the command line says."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    folder = unpack(options.cache, print).folder
    encoding = Encoding(folder)
    started = time.monotonic()
    paragraphs = [p for folder in options.data for p in read_paragraphs(folder, encoding)]
    print(f"{len(paragraphs)} paragraphs read in {time.monotonic() - started:.0f} s", flush=True)
    model = Network(folder, options.dropout)
    model.freeze(0)
    run = Run(model, paragraphs, encoding, options, folder)
    run.train()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--collection", type=Path, help="what training.collection wrote")
    parser.add_argument("--dev", type=Path, help="the same of the part to measure on")
    parser.add_argument("--public", type=float, default=1.0, help="share of the public sets")
    parser.add_argument(
        "--crossed", type=float, default=1.0, help="of the public sets, share of crossed ones"
    )
    parser.add_argument(
        "--known", type=float, default=1.0, help="share of near-topic questions, if trained on"
    )
    parser.add_argument(
        "--paragraphs",
        type=float,
        default=1.0,
        help="share of the public sets' paragraphs with questions of training/written",
    )
    parser.add_argument(
        "--again",
        type=int,
        nargs=2,
        default=(0, 1),
        metavar=("ARTICLES", "TIMES"),
        help="take the questions of the ARTICLES that were written last TIMES times",
    )
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--bfloat16", action="store_true", help="faster on some processors")
    parser.add_argument("--cache", type=Path, default=platformdirs.user_cache_path("qabot"))
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--steps", type=int, default=0, help="stop after; for trying things")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--workers", type=int, default=1, help="processes that train together")
    parser.add_argument(
        "--start", type=Path, help="a run's averaged.pt or checkpoint.pt, or a reader.onnx"
    )
    parser.add_argument("--rate", type=float, default=RATE, help="the learning rate at its peak")
    parser.add_argument(
        "--select",
        type=float,
        default=0.0,
        metavar="LOSS",
        help="keep examples that --start's reader.onnx reads with less loss more rarely",
    )
    options = parser.parse_args()
    if options.select and (not options.start or options.start.suffix != ".onnx"):
        parser.error("--select needs a reader.onnx as --start")
    if options.workers > 1 and options.threads > 1:
        # Those of this process are gone in the others, which would wait for them forever.
        parser.error("--workers needs --threads 1")
    return options


class Run:
    """One training run: its model, optimizer, averaged weights, log and checkpoints."""

    def __init__(
        self,
        model: Network,
        paragraphs: list[Paragraph],
        encoding: Encoding,
        options: argparse.Namespace,
        folder: Path,
    ) -> None:
        self.model, self.options, self.folder = model, options, folder
        self.sampler = Sampler(paragraphs, encoding, options.seed, options.crossed)
        self.near_topic: CollectionSampler | None = None
        if options.collection:
            collection = load(options.collection)
            self.near_topic = CollectionSampler(collection, encoding, options.seed)
        self.dev: CollectionSampler | None = None
        if options.dev:
            self.dev = CollectionSampler(load(options.dev), encoding, 0)
        self.measured = _measured(paragraphs)
        body = [p for p in model.bert.encoder.parameters() if p.requires_grad]
        rate = options.rate
        head_rate = rate * HEAD_RATE / RATE
        groups: list[dict[str, Any]] = [
            {"params": [p for p in body if p.dim() > 1], "weight_decay": DECAY, "peak": rate},
            {"params": [p for p in body if p.dim() == 1], "weight_decay": 0.0, "peak": rate},
            {"params": list(model.head.parameters()), "weight_decay": 0.0, "peak": head_rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
        self.parameters = [p for group in groups for p in group["params"]]
        self.average = [p.detach().clone() for p in self.parameters]
        self.peaks = [group["peak"] for group in groups]
        self.step, self.spent = 0, 0.0
        options.out.mkdir(parents=True, exist_ok=True)

    def train(self) -> None:
        """Train to the end, with a checkpoint every ten minutes and figures every half hour."""
        chance = random.Random(self.options.seed)
        planned: list[list[Example]] = []
        for _ in range(self.options.epochs):
            examples = self.sampler.epoch(self.options.public)
            if self.near_topic:
                near = self.near_topic.epoch(
                    self.options.known, self.options.paragraphs, *self.options.again
                )
                self._log(f"{len(examples)} examples of public sets, {len(near)} near-topic ones")
                examples += near
                chance.shuffle(examples)
            planned += batches(examples, chance, self._candidates())
        count = sum(map(len, planned))
        tokens = sum(len(e.ids) for b in planned for e in b)
        none = sum(e.end == 0 for b in planned for e in b)
        self._log(
            f"{count} examples ({none} without an answer), {tokens} tokens, {len(planned)} steps"
        )
        self._resume()
        self.steps, self.drawn = Value("i", self.step), Value("i", self.step)
        workers = self.options.workers
        if workers == 1:
            self._work(planned, 0)
            return
        # Each worker has a core and an optimizer of its own, and all change the same weights as
        # they go (Hogwild; Recht et al., 2011): none waits for another where cores are shared.
        self.model.share_memory()
        others = [
            get_context("fork").Process(target=self._work, args=(planned, number))
            for number in range(1, workers)
        ]
        for other in others:
            other.start()
        self._work(planned, 0)
        for other in others:
            other.join()

    def _work(self, planned: list[list[Example]], number: int) -> None:
        """Train on batches until none is left; the first worker logs, saves and measures."""
        self.model.train()
        began, shown, losses = time.monotonic() - self.spent, time.monotonic(), []
        shares: list[float] = []
        saved = measured = time.monotonic()
        first = number == 0
        # Made here, after the fork: a session's threads do not survive it.
        selection, drawn = self._selection(), np.random.default_rng(self.options.seed + number)
        for batch in self._drawn(planned):
            self.spent = time.monotonic() - began
            step = self.steps.value
            done = max(step / len(planned), self.spent / 60 / self.options.minutes)
            if done >= 1 or (self.options.steps and step >= self.options.steps):
                break
            for group in self.optimizer.param_groups:
                group["lr"] = group["peak"] * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
            kept, weights = selection.choose(batch, drawn) if selection else (batch, None)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.options.bfloat16):
                loss = loss_of(self.model, kept, weights)
            loss.backward()
            nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            with self.steps.get_lock():
                self.steps.value += 1
            if not first:
                continue
            self.step = self.steps.value
            keep = min(AVERAGE, self.step / (self.step + 10))
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - keep)
            losses.append(loss.item())
            shares.append(len(kept) / len(batch))
            if time.monotonic() - shown > 30:
                self._log(
                    f"step {self.step} {100 * done:.1f} % loss {np.mean(losses):.3f} "
                    f"kept {np.mean(shares):.2f} "
                    f"{60 * self.step / self.spent:.1f} steps/min "
                    f"{self.spent / 60:.1f} min"
                )
                shown, losses, shares = time.monotonic(), [], []
            if time.monotonic() - saved > _SAVE:
                averaged = self._save()
                saved = time.monotonic()
                if saved - measured > _MEASURE:
                    self._measure(averaged)
                    measured = time.monotonic()
        if first:
            self._measure(self._save())

    def _candidates(self) -> int:
        """Tokens to draw for a step, of which a selection then keeps some."""
        return round(TOKENS * (CANDIDATES if self.options.select else 1.0))

    def _selection(self) -> Selection | None:
        if not self.options.select:
            return None
        return Selection(self.options.start, self.folder, self.options.select)

    def _drawn(self, planned: list[list[Example]]) -> Iterator[list[Example]]:
        """Draw batches from the queue that all workers share."""
        while True:
            with self.drawn.get_lock():
                place = self.drawn.value
                self.drawn.value += 1
            if place >= len(planned):
                return
            yield planned[place]

    def _save(self) -> dict[str, torch.Tensor]:
        path = self.options.out / "checkpoint.pt"
        state = {
            "model": {n: p for n, p in self.model.state_dict().items() if "embeddings" not in n},
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent": self.spent,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        averaged = self._averaged()
        torch.save(averaged, self.options.out / "averaged.pt")
        return averaged

    def _averaged(self) -> dict[str, torch.Tensor]:
        """The weights, averaged over the last steps; what is frozen in training is left out."""
        trained = dict(zip(map(id, self.parameters), self.average, strict=True))
        return {
            name: trained.get(id(value), value).detach().clone()
            for name, value in self.model.named_parameters()
            if "embeddings" not in name
        }

    def _resume(self) -> None:
        path, start = self.options.out / "checkpoint.pt", self.options.start
        if not path.exists() and not start:
            return
        source = path if path.exists() else start
        state = shipped_weights(source) if source.suffix == ".onnx" else torch.load(source)
        if "model" not in state:  # Weights alone.
            for name in ("head.weight", "head.bias"):
                # A reader without a score for "this window answers" gets one that says nothing.
                missing = 3 - len(state[name])
                zeros = torch.zeros(missing, *state[name].shape[1:])
                state[name] = torch.cat([state[name], zeros])
            self.model.load_state_dict(state, strict=False)
            self.average = [p.detach().clone() for p in self.parameters]
            self._log(f"goes on from {source.name}: {len(state)} tensors")
            return
        self.model.load_state_dict(state["model"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["peak"] = peak
        self.average = state["average"]
        if path.exists():
            self.step, self.spent = state["step"], state["spent"]
        self._log(f"goes on after step {state['step']}")

    def _measure(self, weights: dict[str, torch.Tensor]) -> None:
        """Share of exact spans, and AUROC of "has an answer", on what was held back."""
        from sklearn.metrics import roc_auc_score

        # A copy: other workers go on with the model's own.
        model = copy.deepcopy(self.model)
        model.load_state_dict(weights, strict=False)
        model.eval()
        for name, examples in self.measured.items():
            right, margins, labels = 0, [], []
            for batch in batches(examples, random.Random(0)):
                ids, mask, allowed, target = tensors(batch)
                with torch.no_grad():
                    scores = model(ids, mask)[:, :2].masked_fill(~allowed[:, None], -1e4)
                best = scores[:, :, 1:].max(dim=2)
                margins += (best.values.sum(1) - scores[:, :, 0].sum(1)).tolist()
                hit = (best.indices + 1 == target).all(dim=1) & (target[:, 1] > 0)
                right += int(hit.sum())
                labels += (target[:, 1] > 0).tolist()
            answerable = sum(labels)
            area = roc_auc_score(labels, margins) if 0 < answerable < len(labels) else math.nan
            self._log(
                f"  {name}: {right / max(1, answerable):.3f} spans exact, AUROC {area:.3f} "
                f"({answerable} of {len(labels)} answerable)"
            )

        if self.dev:
            self._log("  " + near_topic_figures(model, self.dev))

    def _log(self, line: str) -> None:
        print(line, flush=True)
        with (self.options.out / "log.txt").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def near_topic_figures(
    model: Network, sampler: CollectionSampler, count: int = 240, limit: int = 96
) -> str:
    """How well the windows of its article tell whether a question is answered, and where."""
    from sklearn.metrics import roc_auc_score

    collection = sampler.collection
    numbers = random.Random(3).sample(range(len(collection.questions)), count)
    choices = [sampler.all_windows(number, limit) for number in numbers]
    flat = [choice for group in choices for choice in group]
    examples = list(sampler.examples(flat, bare=0.0))
    order = sorted(range(len(examples)), key=lambda place: len(examples[place].ids))
    answer, margin = np.zeros(len(flat)), np.zeros(len(flat))
    exact = np.zeros(len(flat), bool)
    for at in range(0, len(order), 32):
        places = order[at : at + 32]
        ids, mask, allowed, target = tensors([examples[place] for place in places])
        with torch.no_grad():
            scores = model(ids, mask)
        spans = scores[:, :2].masked_fill(~allowed[:, None], -1e4)
        best = spans[:, :, 1:].max(dim=2)
        answer[places] = scores[:, 2, 0].numpy()
        margin[places] = (best.values.sum(1) - spans[:, :, 0].sum(1)).numpy()
        exact[places] = (best.indices + 1 == target).all(dim=1).numpy()
    truth, at = [bool(collection.questions[number].spans) for number in numbers], 0
    figures = []
    for name, values in (("answer logit", answer), ("margin", margin)):
        at, tops, right = 0, [], []
        for group, answerable in zip(choices, truth, strict=True):
            part = values[at : at + len(group)]
            tops.append(part.max())
            if answerable:
                right.append(group[int(part.argmax())].answered)
            at += len(group)
        area = roc_auc_score(truth, tops)
        figures.append(f"{name} AUROC {area:.3f}, right window first {np.mean(right):.3f}")
    answered = np.array([choice.answered for choice in flat])
    return f"near-topic: {'; '.join(figures)}; exact spans {exact[answered].mean():.3f}"


def _measured(paragraphs: list[Paragraph]) -> dict[str, list[Example]]:
    """What is measured on: SQuAD 2.0's held back titles, crossed too, and some Japanese."""
    titles = held_back(paragraphs)
    chosen: dict[str, list[Example]] = {"squad-v2": [], "crossed": [], "jaquad-dev": []}
    chance = random.Random(1)
    for paragraph in paragraphs:
        key = paragraph.dataset
        if paragraph.title in titles:
            key = "crossed" if key.startswith(CROSSED) else "squad-v2"
        if key not in chosen or len(paragraph.ids) > 300 or not len(paragraph.ids):
            continue
        for question in paragraph.questions:
            rare = key == "squad-v2" and question.span is None
            if rare or chance.random() < (0.1 if key == "jaquad-dev" else 0.5):
                window = (0, len(paragraph.ids))
                chosen[key].append(example_of(question.ids, paragraph, window, question.span))
    return {name: examples[:300] for name, examples in chosen.items()}


if __name__ == "__main__":
    main()
