"""Fit what tells small talk from questions: ``qabot/answering/small_talk.npy``.

``python -m training.small_talk DATA``: DATA holds ``chat/``, ``near-topic/`` and ``reader/``. What
is printed is of lines that were not fitted on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from qabot.answering.small_talk import THRESHOLD, WEIGHTS
from qabot.encoders import PACKAGED, open_encoder
from qabot.settings import Settings

OUT = Path(__file__).parents[1] / "qabot" / "answering" / WEIGHTS
# Questions of articles beside the short ones, and how much more the short ones count.
_QUESTIONS, _SHORT_WEIGHT = 4000, 8.0
# The words that tell an article best from others, of each: "PyTorch" asks what there is about it,
# as in a search box.
_TERMS, _TERM_WEIGHT = 2, 0.5
_FOLDS = 5
_STRENGTH = 30.0


def main() -> None:
    """Fit as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    chat = list(_lines(options.data / "chat" / "noquestion.jsonl"))
    short = list(_lines(options.data / "chat" / "shortquestion.jsonl"))
    questions = random.Random(7).sample(sorted(set(_questions(options.data))), _QUESTIONS)
    terms = sorted(set(_terms(options.data)) - set(chat))
    encoder = open_encoder(PACKAGED, cache=Settings().cache_folder, notify=print)
    vectors = encoder.encode_query([*chat, *short, *questions, *terms])
    kinds = np.repeat([0, 1, 2, 3], [len(chat), len(short), len(questions), len(terms)])
    weights = np.array([1.0, _SHORT_WEIGHT, 1.0, _TERM_WEIGHT])[kinds]
    print(_on_others(vectors, kinds, weights))
    model = _fit(vectors, kinds, weights)
    whole = np.concatenate([model.intercept_, model.coef_[0]]).astype(np.float32)
    np.save(options.out, whole, allow_pickle=False)
    print(f"{options.out}: {options.out.stat().st_size} bytes")


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)["text"]


def _questions(data: Path) -> Iterator[str]:
    paths = [data / "near-topic" / "train.jsonl.gz", *sorted((data / "reader").glob("*.gz"))]
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield from (item.get("q") or item["question"] for item in row["questions"][:8])


def _terms(data: Path) -> Iterator[str]:
    with gzip.open(data / "near-topic" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        texts = [row["title"] + "\n" + row["text"] for row in map(json.loads, file)]
    # One word in the languages that part words by spaces, a whole clause in the others.
    vectorizer = TfidfVectorizer(token_pattern=r"[^\W\d_]{3,20}", max_df=0.01, sublinear_tf=True)
    counts = vectorizer.fit_transform(texts)
    words = vectorizer.get_feature_names_out()
    for row in counts:
        for place in row.indices[np.argsort(-row.data)[:_TERMS]]:
            yield str(words[place])


def _fit(
    vectors: NDArray[np.float32], kinds: NDArray[np.int64], weights: NDArray[np.float64]
) -> LogisticRegression:
    return LogisticRegression(C=_STRENGTH, max_iter=2000).fit(vectors, kinds == 0, weights)


def _on_others(
    vectors: NDArray[np.float32], kinds: NDArray[np.int64], weights: NDArray[np.float64]
) -> str:
    found = np.zeros(len(kinds))
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=1).split(vectors, kinds):
        model = _fit(vectors[train], kinds[train], weights[train])
        found[test] = model.predict_proba(vectors[test])[:, 1]
    taken = found >= THRESHOLD
    names = ("small talk", "short questions", "questions", "terms")
    return ", ".join(f"{name} {taken[kinds == n].mean():.4f}" for n, name in enumerate(names))


if __name__ == "__main__":
    main()
