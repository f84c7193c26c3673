"""Measure retrieval, quotes and "not found" on XQuAD-R: a table on standard output.

    python -m benchmarks.retrieval FOLDER [--work DIR]

FOLDER holds XQuAD-R's en.json, de.json, es.json, zh.json and ar.json. Questions in each language
are put to an index per language of articles, all with the same settings; then to one index of all
languages; then to indexes that lack every other article.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.xquad import LANGUAGES, Corpus, Paragraphs, Question, build, holds_answer, load
from qabot.answering.confidence import packaged
from qabot.answering.quotes import compose
from qabot.answering.retrieval import Retriever
from qabot.encoders import PACKAGED, Encoder, open_encoder
from qabot.encoders.language_subspace import LanguageSubspace
from qabot.index import Generation
from qabot.index import manifest as files
from qabot.index.sentences import pack
from qabot.indexing.encoding_plan import passage_input
from qabot.settings import Settings
from qabot.types import Answer, Hit

Pair = tuple[str, str]
_DEPTH = 50


@dataclass(slots=True)
class Bench:
    """The corpora, the encoder and the folder for indexes."""

    corpora: dict[str, Corpus]
    encoder: Encoder
    work: Path
    cache: Path

    def generation(
        self, name: str, languages: tuple[str, ...], every: int = 1, base: str | None = None
    ) -> Generation:
        """Build an index of every ``every``-th article in some languages."""
        chosen = [(self.corpora[x], self.corpora[x].titles()[::every]) for x in languages]
        return build(self.work, name, chosen, self.encoder, self.cache, base).open()


def main() -> None:
    """Run all measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="XQuAD-R")
    parser.add_argument("--work", type=Path, help="keep the indexes here between runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        cache = Settings().cache_folder
        bench = Bench(
            corpora={language: load(options.folder, language) for language in LANGUAGES},
            encoder=open_encoder(PACKAGED, cache=cache, notify=print),
            work=options.work or Path(scratch),
            cache=cache,
        )
        _ranking(bench)
        _not_found(bench)
        _one_pool(bench)


def _ranking(bench: Bench) -> None:
    """Measure recall of the right paragraph, and quotes with the answer, by pair of languages."""
    recall: dict[Pair, float] = {}
    first: dict[Pair, float] = {}
    shown: dict[Pair, float] = {}
    for articles in LANGUAGES:
        generation = bench.generation(f"full.{articles}", (articles,))
        where = Paragraphs(generation, bench.corpora[articles].titles())
        for asked in LANGUAGES:
            questions, wanted = bench.corpora[asked].questions, bench.corpora[articles].questions
            pair = (asked, articles)
            recall[pair], first[pair], shown[pair] = ranked(
                Retriever(generation, bench.encoder), where, questions, wanted
            )
    _table("Recall@1 of the paragraph", recall)
    _table("First quote holds the answer", first)
    _table("One of three quotes holds the answer", shown)


def ranked(
    retriever: Retriever, where: Paragraphs, asked: Sequence[Question], wanted: Sequence[Question]
) -> tuple[float, float, float]:
    """Ask an index the questions of one language, without a reader.

    Args:
        wanted: The same questions in the articles' language.

    Returns:
        For how many of them, in [0, 1], the right paragraph is first, the first quote holds the
        answer, and one of three quotes does.
    """
    ranks, quotes = [], []
    for asking, right in zip(asked, wanted, strict=True):
        hits = retriever.search(asking.text, _DEPTH)
        ranks.append(where.of_hit(hits[0]) == right.paragraph)
        quotes.append(
            [
                where.of_quote(quote) == right.paragraph and holds_answer(quote, right)
                for quote in _answer(asking.text, hits).quotes
            ]
        )
    return (
        float(np.mean(ranks)),
        float(np.mean([any(held[:1]) for held in quotes])),
        float(np.mean([any(held) for held in quotes])),
    )


def _answer(question: str, hits: list[Hit]) -> Answer:
    return compose(question, hits, limit=3, threshold=0.0, generation=0, encoder="", elapsed_ms=0.0)


def _one_pool(bench: Bench) -> None:
    """Measure mean average precision over the five versions of a paragraph in one index."""
    generation = bench.generation("pool", LANGUAGES)
    where = Paragraphs(generation, bench.corpora["en"].titles())
    precision = {}
    for name, pool in (("with", generation), ("without", _uncorrected(bench, generation))):
        retriever = Retriever(pool, bench.encoder)
        values = [
            _average_precision(retriever.search(question.text, 10_000), where, question.paragraph)
            for corpus in bench.corpora.values()
            for question in corpus.questions
        ]
        precision[name] = float(np.mean(values))
    print(
        f"\nOne pool of {len(LANGUAGES)} languages: mean average precision "
        f"{precision['with']:.3f} with the language taken out, {precision['without']:.3f} without, "
        f"{precision['with'] / precision['without']:.2f} times as high"
    )


def _average_precision(hits: list[Hit], where: Paragraphs, wanted: tuple[str, int] | None) -> float:
    """Compute it for one question; each version of a paragraph counts once, at its best passage."""
    versions = dict.fromkeys((hit.article.language, where.of_hit(hit)) for hit in hits)
    right = [paragraph == wanted for _, paragraph in versions]
    places = np.flatnonzero(right) + 1
    return float(np.sum(np.arange(1, len(places) + 1) / places)) / len(LANGUAGES)


def _uncorrected(bench: Bench, corrected: Generation) -> Generation:
    """Open the same index with the model's own vectors."""
    texts, sentences = [], []
    for row in corrected.rows.tolist():
        passage, info = corrected.database.passage(row)
        texts.append(passage_input(info.title, passage))
        sentences += [passage.text[start:end] for start, end in passage.sentences]
    folder = bench.work / "pool.uncorrected"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(corrected.folder.parent.parent, folder)
    generation = folder / corrected.folder.relative_to(corrected.folder.parent.parent)
    (made,) = corrected.manifest.segments
    segment = folder / files.SEGMENTS / made.name
    encode, size = bench.encoder.encode_document, bench.encoder.dimension
    np.save(segment / files.VECTORS, encode(texts).astype(np.float16))
    np.save(segment / files.SENTENCES, pack(encode(sentences)))
    nothing = np.zeros(size, np.float32)
    replace(
        LanguageSubspace.load(generation / files.SUBSPACE),
        query_mean=nothing,
        document_mean=nothing,
        basis=np.zeros((0, size), np.float32),
        languages=np.array([], str),
        centres=np.zeros((0, 0), np.float32),
    ).save(generation / files.SUBSPACE)
    replace(
        corrected.manifest,
        files=files.stamps(generation, files.FILES),
        segments=(replace(made, files=files.stamps(segment, files.SEGMENT_FILES)),),
    ).write(generation)
    return Generation(generation)


def _not_found(bench: Bench) -> None:
    """Measure the confidence's area under the ROC curve, without every other article."""
    rows: list[tuple[Pair, bool, float]] = []
    for articles in LANGUAGES:
        half = bench.generation(f"half.{articles}", (articles,), 2, f"full.{articles}")
        retriever = Retriever(half, bench.encoder)
        inside = set(bench.corpora[articles].titles()[::2])
        for asked in LANGUAGES:
            for question in bench.corpora[asked].questions:
                confidence = packaged().ranked(retriever.search(question.text, _DEPTH))[0][1]
                rows.append(((asked, articles), question.paragraph[0] in inside, confidence))
    areas = {}
    for pair in {row[0] for row in rows}:
        chosen = [row for row in rows if row[0] == pair]
        areas[pair] = float(roc_auc_score([row[1] for row in chosen], [row[2] for row in chosen]))
    _table("AUROC of the confidence", areas)
    for name, mono in (("one language", True), ("across", False)):
        chosen = [row for row in rows if (row[0][0] == row[0][1]) == mono]
        truth = np.array([row[1] for row in chosen])
        guess = np.array([row[2] for row in chosen])
        bins = np.clip((guess * 10).astype(int), 0, 9)
        error = sum(
            abs(guess[bins == b].mean() - truth[bins == b].mean()) * (bins == b).mean()
            for b in set(bins.tolist())
        )
        print(
            f"{name}: pooled AUROC {roc_auc_score(truth, guess):.4f}, "
            f"calibration error {error:.3f}, "
            f"accuracy at 0.5 {((guess >= 0.5) == truth).mean():.3f}, "
            f"answerable called not found {(guess[truth] < 0.5).mean():.3f}, "
            f"unanswerable answered {(guess[~truth] >= 0.5).mean():.3f}"
        )


def _table(title: str, values: dict[Pair, float]) -> None:
    mono = np.mean([value for (a, b), value in values.items() if a == b])
    cross = np.mean([value for (a, b), value in values.items() if a != b])
    print(f"\n{title}: one language {mono:.4f}, across {cross:.4f}")
    print("asked in ↓ / articles in →  " + "  ".join(f"{x:>5}" for x in LANGUAGES))
    for asked in LANGUAGES:
        print(f"{asked:>26}  " + "  ".join(f"{values[asked, x]:.3f}" for x in LANGUAGES))


if __name__ == "__main__":
    main()
