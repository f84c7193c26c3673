"""What retrieval and the reader measure for XQuAD-R's questions, gathered for fitting and tables.

Each question is asked of an index with its article, and, where its title is left out, of one
without it.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.xquad import LANGUAGES, Corpus, Paragraphs, Question, build
from qabot.encoders import Encoder
from qabot.index import Generation
from qabot.reader.base import Reader
from qabot.reader.windows import MOST_READ, read_hits
from qabot.retrieval import Retriever
from qabot.types import Hit

DEPTH = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in ``asked`` of an index of articles in ``articles``, and its hits, read.

    Attributes:
        inside: Whether the index holds the question's article.
        right: Of each hit, whether it lies in the right paragraph.
        answers: What answers it, in the language of the articles.
    """

    asked: str
    articles: str
    question: Question
    inside: bool
    hits: tuple[Hit, ...]
    right: tuple[bool, ...]
    answers: tuple[str, ...]


def gather(
    corpora: dict[str, Corpus],
    encoder: Encoder,
    reader: Reader | None,
    work: Path,
    cache: Path,
    *,
    half: bool,
    every_cross: int = 1,
) -> Iterator[Asked]:
    """Ask everything.

    Args:
        half: Whether every other title is left out of the index.
        every_cross: Ask only every n-th question across languages.
    """
    for articles in LANGUAGES:
        generation = _generation(corpora[articles], encoder, work, cache, half=half)
        retriever = Retriever(generation, encoder)
        where = Paragraphs(generation, corpora[articles].titles())
        inside = set(corpora[articles].titles()[:: 2 if half else 1])
        for asked in LANGUAGES:
            step = 1 if asked == articles else every_cross
            for asking, wanted in list(
                zip(corpora[asked].questions, corpora[articles].questions, strict=True)
            )[::step]:
                hits = retriever.search(asking.text, DEPTH)
                if reader:
                    hits = read_hits(reader, asking.text, hits, encoder.count_tokens)
                yield Asked(
                    asked,
                    articles,
                    asking,
                    wanted.paragraph[0] in inside,
                    tuple(hits),
                    tuple(where.of_hit(hit) == wanted.paragraph for hit in hits),
                    wanted.answers,
                )


def _generation(
    corpus: Corpus, encoder: Encoder, work: Path, cache: Path, *, half: bool
) -> Generation:
    name = corpus.language
    full = build(work, f"full.{name}", [(corpus, corpus.titles())], encoder, cache)
    if not half:
        return full.open()
    chosen = [(corpus, corpus.titles()[::2])]
    return build(work, f"half.{name}", chosen, encoder, cache, f"full.{name}").open()


def saved(path: Path, rows: Iterator[Asked]) -> list[Asked]:
    """``rows``, kept in ``path`` between runs."""
    if not path.exists():
        path.write_bytes(pickle.dumps(list(rows)))
    found: list[Asked] = pickle.loads(path.read_bytes())
    return found


__all__ = ["MOST_READ", "Asked", "gather", "saved"]
