"""Fit the models of confidence: ``qabot/answering/confidence.json``.

``python -m training.calibrate DATA [--work DIR]``: the near-topic articles that training left out
are put into one index, and their questions asked twice: of all these articles (*all*), and of their
own article alone (*own*). Half of the questions are answered by their article; the others are about
its matter, and nothing answers them. A third setting, *public*, is paragraphs of the public sets of
which every other one is missing from the index: there, questions share the paragraph's words, and
those without an answer are about something else.

A model learns which of the hits that it ranks first hold the answer, so that the probability is
that of a quote. Log loss is given for articles that were not fitted on.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from benchmarks.near_topic_data import Item, NearTopic, load, sample, write_articles
from qabot.answering.confidence import (
    READER,
    RETRIEVAL,
    TOPIC,
    Kind,
    Model,
    features,
    object_of,
    packaged,
)
from qabot.answering.reader.packaged import PackagedReader
from qabot.answering.reader.windows import STAGES, Stage, read_hits
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED, Encoder, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.evaluation.fitting import Judged, fit, quoted
from qabot.evaluation.overlap import holds
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from qabot.types import Filters, Hit
from training.collection import is_held_back, public

OUT = Path(__file__).parents[1] / "qabot" / "answering" / "confidence.json"
_FOLDS = 6
# Paragraphs of each public set; not of those whose questions are about their paragraph alone.
_PARAGRAPHS = 16
_NOT_ALIKE = (
    "afriqa",
    "amqa",
    "condaqa",
    "fairytaleqa",
    "policyqa",
    "qamr",
    "squadshifts-amazon",
    "unansq",
)
_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and its hits.

    Attributes:
        setting: ``all``, ``own`` or ``public``.
        hits: The first ones read.
        right: Of each hit, whether it holds the answer ``(hits,)``.
        quoted: Of each, whether what would be quoted of it holds the answer.
    """

    item: Item
    setting: str
    hits: tuple[Hit, ...]
    right: NDArray[np.bool_]
    quoted: NDArray[np.bool_]


def main() -> None:
    """Fit as the command line says."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        rows = asked(options, options.work or Path(scratch))
    fitted: dict[Kind, Model] = {}
    features_of: dict[Kind, tuple[str, ...]] = {"retrieval": RETRIEVAL, "reader": READER}
    for kind, names in features_of.items():
        print(f"{kind}: {_on_other_articles(rows, kind, names)}")
        fitted[kind] = fit(_chosen_of(rows, kind), names)
    fitted["topic"] = fit_topic(rows)
    text = object_of(fitted)
    options.out.write_text(json.dumps(text, indent=2) + "\n", "utf-8")
    print(f"{options.out}: {json.dumps(text)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of near-topic and reader")
    parser.add_argument("--work", type=Path, help="keep the index and what was read here")
    parser.add_argument("--questions", type=int, default=700, help="in each setting")
    parser.add_argument("--graph", type=Path, help="another reader.onnx than the packaged one")
    parser.add_argument("--stages", help="passages:tokens,…, instead of the product's")
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def asked(options: argparse.Namespace, work: Path) -> list[Asked]:
    """Ask the questions, or take what was kept in ``work``."""
    cache = Settings().cache_folder
    encoder = open_encoder(PACKAGED, cache=cache, notify=print)
    reader = PackagedReader(unpack(cache).folder, graph=options.graph)
    stages: Sequence[Stage] = STAGES
    if options.stages:
        parts = [part.split(":") for part in options.stages.split(",")]
        stages = tuple(Stage(int(passages), int(tokens)) for passages, tokens in parts)
    path = work / f"asked-{options.questions}-{reader.digest}-{options.stages}.pickle"
    if path.exists():
        found: list[Asked] = pickle.loads(path.read_bytes())
        return found
    articles = load(options.data / "near-topic" / "train.jsonl.gz")
    articles = [article for article in articles if is_held_back(article.cluster)]
    paragraphs = list(_paragraphs(options.data / "reader"))
    rows: list[Asked] = []
    for setting in ("all", "own", "public"):
        chosen = paragraphs if setting == "public" else articles
        # Every other paragraph stays out of the index: its questions have no answer there.
        held = chosen[::2] if setting == "public" else chosen
        folder = work / ("public" if setting == "public" else "near-topic")
        write_articles(held, folder)
        store = IndexStore(work / f"{folder.name}-index")
        rebuild(store, encoder, IndexPlan((str(folder),), cache))
        items = [item for article in chosen for item in article.items]
        inside = {article.id for article in held}
        items = [i if i.article in inside else replace(i, answers=()) for i in items]
        items = sample(items, options.questions, 11)
        rows += list(_ask(store, encoder, reader, items, setting, folder, stages))
    path.write_bytes(pickle.dumps(rows))
    return rows


def _paragraphs(folder: Path) -> Iterator[NearTopic]:
    """Some paragraphs of each public set, with two questions each."""
    for path in sorted(folder.glob("*.jsonl.gz")):
        if path.name.startswith(_NOT_ALIKE):
            continue
        for article, rows in public(path, _PARAGRAPHS):
            info = article.info
            items = tuple(
                Item(
                    question=row["question"],
                    article=info.id,
                    language=row.get("question_language", info.language),
                    article_language=info.language,
                    answers=tuple(answer["text"] for answer in row["answers"]),
                    why="",
                )
                for row in rows[:2]
            )
            yield NearTopic(info.id, info.title, article.text, info.id, items)


def _ask(
    store: IndexStore,
    encoder: Encoder,
    reader: PackagedReader,
    items: Sequence[Item],
    setting: str,
    folder: Path,
    stages: Sequence[Stage],
) -> Iterator[Asked]:
    generation = store.open()
    try:
        retriever = Retriever(generation, encoder)
        for number, item in enumerate(items, 1):
            own = setting == "own"
            filters = Filters(source=str(folder / f"{item.article}.md")) if own else None
            found = retriever.search(item.question, _DEPTH, filters=filters)
            hits = read_hits(
                reader,
                item.question,
                found,
                encoder.count_tokens,
                is_clear=packaged().is_clear,
                stages=stages,
            )
            right = [_is_right(item, hit) for hit in hits]
            shown = [
                held and holds(quoted(item.question, hit), item.answers)
                for held, hit in zip(right, hits, strict=True)
            ]
            yield Asked(item, setting, tuple(hits), np.array(right), np.array(shown))
            if number % 100 == 0:
                print(f"{setting}: {number} of {len(items)}", flush=True)
    finally:
        generation.close()


def _is_right(item: Item, hit: Hit) -> bool:
    return Path(hit.article.source).stem == item.article and holds(hit.passage.text, item.answers)


def _chosen(row: Asked, kind: Kind) -> Judged:
    """The hits that a model is asked about, and which of them a quote would be right of."""
    if kind == "reader":
        read = [place for place, hit in enumerate(row.hits) if hit.answer_span is not None]
        return Judged([row.hits[place] for place in read], row.quoted[read])
    return Judged(row.hits[:8], row.quoted[:8])


def _chosen_of(rows: Sequence[Asked], kind: Kind) -> list[Judged]:
    return [judged for judged in (_chosen(row, kind) for row in rows) if judged.hits]


def fit_topic(rows: Sequence[Asked]) -> Model:
    """A model of whether the first hit is about what the question is about.

    Where every other paragraph is missing from the index, the others are about something else.
    """
    first = [row for row in rows if row.setting == "public" and row.hits]
    values = [[features(row.hits[:1])[0][name] for name in TOPIC] for row in first]
    truth = [bool(row.item.answers) for row in first]
    model = LogisticRegression(C=10.0, max_iter=3000).fit(np.array(values), truth)
    weights = dict(zip(TOPIC, map(float, model.coef_[0]), strict=True))
    return Model(float(model.intercept_[0]), weights)


def _on_other_articles(rows: Sequence[Asked], kind: Kind, names: Sequence[str]) -> str:
    """What models that were fitted on some articles say of the others."""
    groups = [row.item.article for row in rows]
    found: dict[str, list[tuple[float, bool, bool]]] = defaultdict(list)
    for train, test in GroupKFold(_FOLDS).split(groups, groups=groups):
        model = fit(_chosen_of([rows[number] for number in train], kind), names)
        for row in (rows[number] for number in test):
            hits, right = _chosen(row, kind)
            if not hits:
                continue
            logits = np.array([model.logit(part) for part in features(hits)])
            best = int(logits.argmax())
            found[row.setting].append((logits[best], bool(right[best]), bool(row.item.answers)))
    lines = []
    for setting, part in found.items():
        logits, first, answerable = (np.array(column) for column in zip(*part, strict=True))
        shown = logits > 0
        lines.append(
            f"\n  {setting}: AUROC {roc_auc_score(answerable, logits):.3f}, "
            f"first right {first[answerable].mean():.3f}, answered "
            f"{shown[answerable].mean():.3f} / {shown[~answerable].mean():.3f}, first quotes right "
            f"{first[shown].mean():.3f}, log loss "
            f"{np.logaddexp(0, np.where(first, -logits, logits)).mean():.4f}"
        )
    return "".join(lines)


if __name__ == "__main__":
    # By its full name, which is then what the kept rows' class goes by.
    from training.calibrate import main as run

    run()
