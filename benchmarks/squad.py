"""Measure questions like SQuAD 2.0's, whose paragraph does not answer them."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

from sklearn.metrics import roc_auc_score

from qabot.answering.confidence import packaged
from qabot.answering.reader.packaged import PackagedReader
from qabot.answering.reader.windows import read_hits
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED, open_encoder
from qabot.encoders.e5.packaged import unpack
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.settings import Settings
from training.sampling import measured_titles

_DEPTH = 12


def held_back_rows(file: Path) -> list[dict[str, Any]]:
    """Read paragraphs of the titles held out of training."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = measured_titles(
        row["title"] for row in rows if any(not item["answers"] for item in row["questions"])
    )
    return [row for row in rows if row["title"] in chosen]


def unanswerable_area(
    file: Path, work: Path, graph: Path | None = None
) -> tuple[float, float, int]:
    """Measure the confidence's area under the ROC curve, without and with the reader.

    The held-out paragraphs are one index. It is asked all questions without an answer, and as many
    others.

    Returns:
        The two areas, and the number of questions.
    """
    rows = held_back_rows(file)
    sources = work / "articles"
    sources.mkdir()
    for title in sorted({row["title"] for row in rows}):
        texts = [" ".join(row["context"].split()) for row in rows if row["title"] == title]
        text = "\n\n".join([title.replace("_", " "), *texts])
        (sources / f"{title.replace('/', '-')}.en.txt").write_text(text + "\n", "utf-8")
    cache = Settings().cache_folder
    encoder = open_encoder(PACKAGED, cache=cache)
    reader = PackagedReader(unpack(cache).folder, graph=graph)
    store = IndexStore(work / "index")
    rebuild(store, encoder, IndexPlan((str(sources),), cache))
    items = [item for row in rows for item in row["questions"]]
    none = [item["question"] for item in items if not item["answers"]]
    some = [item["question"] for item in items if item["answers"]]
    asked = [(text, False) for text in none]
    asked += [(text, True) for text in random.Random(1).sample(some, min(len(some), len(none)))]
    retriever = Retriever(store.open(), encoder)
    without, read = [], []
    for text, _ in asked:
        hits = retriever.search(text, _DEPTH)
        without.append(packaged().ranked(hits)[0][1])
        hits = read_hits(reader, text, hits, encoder.count_tokens)
        read.append(packaged().ranked(hits)[0][1])
    truth = [answerable for _, answerable in asked]
    return (
        float(roc_auc_score(truth, without)),
        float(roc_auc_score(truth, read)),
        len(asked),
    )
