"""What the reader is worth: the same index with it and without, on XQuAD-R. A table on output.

    python -m benchmarks.reader FOLDER [--work DIR] [--every N] [--squad FILE]

FOLDER holds XQuAD-R's en.json, de.json and so on; FILE is SQuAD 2.0's training part as
``training/README.md`` describes it, of which the titles are asked that no training saw.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.readings import Asked, add_arguments, everything
from benchmarks.squad import unanswerable_area
from benchmarks.xquad import LANGUAGES
from qabot.answering.confidence import packaged
from qabot.answering.quotes import compose
from qabot.evaluation.calibration import calibration_error
from qabot.evaluation.overlap import f1, holds
from qabot.types import Answer, Hit

Measure = Callable[[Asked], float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--squad", type=Path, help="squad-v2-train-part.jsonl.gz")
    options = parser.parse_args()
    rows = everything(options)
    print(f"{len(rows)} questions asked; without → with the reader")
    full = [row for row in rows if not row.half]
    _line("R@1", full, _first_is_right)
    _line("first quote holds the answer", full, _first_quote_holds)
    for language in LANGUAGES:
        mono = [row for row in full if row.asked == row.articles == language]
        print(f"highlight F1 {language}: {_mean(_plain(mono), _f1):.3f} → {_mean(mono, _f1):.3f}")
    cross = [row for row in full if row.asked != row.articles]
    print(f"highlight F1 across: {_mean(_plain(cross), _f1):.3f} → {_mean(cross, _f1):.3f}")
    _not_found([row for row in rows if row.half])
    if options.squad:
        with tempfile.TemporaryDirectory() as scratch:
            without, read, count = unanswerable_area(options.squad, Path(scratch), options.graph)
        print(f"AUROC, SQuAD 2.0's unanswerables ({count}): {without:.3f} → {read:.3f}")


def _line(name: str, rows: Sequence[Asked], measure: Measure) -> None:
    for kind, mono in (("one language", True), ("across", False)):
        part = [row for row in rows if (row.asked == row.articles) == mono]
        print(f"{name}, {kind}: {_mean(_plain(part), measure):.3f} → {_mean(part, measure):.3f}")


def _not_found(rows: Sequence[Asked]) -> None:
    """Confidence where every other title is left out: does the index answer?"""
    for kind, mono in (("one language", True), ("across", False)):
        part = [row for row in rows if (row.asked == row.articles) == mono]
        inside = np.array([row.inside for row in part])
        pairs = [(row.asked, row.articles) for row in part]
        for name, chosen in (("without", _plain(part)), ("with", part)):
            sure = np.array([packaged().ranked(row.hits)[0][1] for row in chosen])
            areas = [
                roc_auc_score(inside[where], sure[where])
                for pair in set(pairs)
                for where in [np.array([other == pair for other in pairs])]
            ]
            error = calibration_error(sure, inside, np.ones((1, len(sure))))[0]
            print(
                f"{kind}, {name} reader: AUROC {np.mean(areas):.3f} (pooled "
                f"{roc_auc_score(inside, sure):.3f}), calibration error "
                f"{error:.3f}, of the answerable called not found "
                f"{(sure[inside] < 0.5).mean():.3f}, of the others answered "
                f"{(sure[~inside] >= 0.5).mean():.3f}"
            )


def _plain(rows: Sequence[Asked]) -> list[Asked]:
    """The same hits, unread."""
    return [
        replace(row, hits=tuple(replace(hit, answer_span=None) for hit in row.hits)) for row in rows
    ]


def _mean(rows: Sequence[Asked], measure: Measure) -> float:
    return float(np.mean([measure(row) for row in rows]))


def _first_is_right(row: Asked) -> float:
    return float(row.right[_place(row, packaged().ranked(row.hits)[0][0])])


def _first_quote_holds(row: Asked) -> float:
    quote = _answer(row.hits).quotes[0]
    places = [
        place
        for place, hit in enumerate(row.hits)
        if hit.article == quote.article and hit.passage.start <= quote.start < hit.passage.end
    ]
    return float(row.right[places[0]] and holds(quote.text, row.answers))


def _f1(row: Asked) -> float:
    quote = _answer(row.hits).quotes[0]
    start, end = quote.highlights[0] if quote.highlights else (quote.start, quote.start)
    return f1(quote.text[start - quote.start : end - quote.start], row.answers, row.articles)


def _place(row: Asked, hit: Hit) -> int:
    return next(place for place, other in enumerate(row.hits) if other.passage == hit.passage)


def _answer(hits: Sequence[Hit]) -> Answer:
    return compose("", hits, limit=3, threshold=0.0, generation=0, encoder="", elapsed_ms=0.0)


if __name__ == "__main__":
    main()
