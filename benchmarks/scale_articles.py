"""Articles for ``benchmarks.scale``, and a stand-in for the model that encodes them."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase

import numpy as np

from qabot.articles import read_sources
from qabot.encoders import FloatArray
from qabot.encoders.base import normalize
from qabot.indexing.passages import split_article
from qabot.indexing.sentences import sentences_of
from qabot.types import Article

DIMENSION = 384
COPIES = 10
_WORD_VECTORS = 1 << 15
_PASSAGES, _SENTENCES = 10, 9
# An article takes its sentences from so many that stand together.
_NEAR = 120
UNSPACED = {"ja", "zh"}
_SHARE = 1000


def write_articles(folder: Path, passages: int, data: Path | None) -> None:
    """Write articles with this many passages together."""
    sentences = _corpus(data)
    languages = sorted(sentences)
    shares = [len(sentences[language]) for language in languages]
    for number in range(passages // _PASSAGES):
        chance = random.Random(number)
        language = chance.choices(languages, shares)[0]
        at = chance.randrange(max(1, len(sentences[language]) - _NEAR))
        near = sentences[language][at : at + _NEAR]
        joint = "" if language in UNSPACED else " "
        parts = [f'---\ntitle: "Article {number}"\nlanguage: {language}\n---']
        for _ in range(_PASSAGES):
            chosen = chance.choices(near, k=_SENTENCES)
            place = chance.randrange(_SENTENCES)
            chosen[place] = f"{chance.randrange(10**6)} {chosen[place]}"
            parts += [f"## Part {len(parts)}", joint.join(chosen)]
        path = folder / f"{number // 100:03}" / f"{number:05}.{language}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(parts) + "\n", "utf-8")


def _corpus(data: Path | None) -> dict[str, list[str]]:
    """Language → sentences of ordinary length."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def add(language: str, text: str) -> None:
        for start, end in sentences_of(text, 0, len(text), language):
            sentence = " ".join(text[start:end].split())
            if 30 <= len(sentence) <= 160:
                found[language][sentence] = None

    if data is None:
        for article in read_sources(["seeds"]):
            if isinstance(article, Article):
                for passage in split_article(article, lambda texts: [len(t) // 4 for t in texts]):
                    add(article.info.language, passage.text.replace("\n", " "))
    else:
        for path in sorted(data.glob("*.jsonl.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    if {"context", "language"} <= row.keys():
                        add(row["language"], row["context"].replace("\n", " "))
    return {language: list(known) for language, known in found.items() if len(known) > 50}


def copy_articles(smaller: Path, folder: Path) -> None:
    """Write ten copies of the articles in ``smaller``, which share their files, into ``folder``."""
    for copy in range(COPIES):
        for path in sorted(smaller.rglob("*.md")):
            target = copied(path, smaller, folder, copy)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)


def copied(path: Path, smaller: Path, folder: Path, copy: int) -> Path:
    """Name the copy of an article: ``000/00001.en.md`` is ``a000/a00001.en.md`` there."""
    place = path.relative_to(smaller)
    letter = ascii_lowercase[copy]
    return folder / f"{letter}{place.parent}" / f"{letter}{place.name}"


def change(articles: Path, *, everything: bool) -> None:
    """Write a sentence more into one article, or into a thousandth of them."""
    files = sorted(articles.rglob("*.md"))
    count = max(1, len(files) // _SHARE) if everything else 1
    for path in random.Random(2).sample(files, count):
        text = path.read_text("utf-8").rstrip()
        path.unlink()  # Copies share their files.
        path.write_text(f"{text} Then {len(text)} more came.\n", "utf-8")


class WordEncoder:
    """A stand-in for the model: a text's vector is the sum of random vectors of its words.

    Attributes:
        seconds: CPU time spent in it.
    """

    name = "words"
    fingerprint = hashlib.sha256(b"benchmarks.scale").hexdigest()
    dimension = DIMENSION

    def __init__(self) -> None:
        chance = np.random.default_rng(0)
        self._words = chance.standard_normal((_WORD_VECTORS, DIMENSION), np.float32)
        self.seconds = 0.0

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        """Do the same as for documents."""
        return self.encode_document(texts)

    def encode_document(self, texts: Sequence[str]) -> FloatArray:
        """Add up the vectors of words: unit vectors, float32 ``(len(texts), dimension)``."""
        started = time.process_time()
        vectors = np.zeros((len(texts), DIMENSION), np.float32)
        with contextlib.suppress(ValueError):
            for row, text in enumerate(texts):
                pieces = text.lower().split() or [text]
                places = [hash_of(piece) for piece in pieces]
                vectors[row] = self._words[places].sum(axis=0)
        unit = normalize(vectors)
        self.seconds += time.process_time() - started
        return unit

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Guess, so that a passage holds nine sentences."""
        return [len(text) // 8 for text in texts]


def hash_of(word: str) -> int:
    """The place of a word's vector, the same in every process."""
    place = _KNOWN.get(word)
    if place is None:
        place = _KNOWN[word] = (
            int.from_bytes(hashlib.md5(word.encode()).digest()[:4]) % _WORD_VECTORS
        )
    return place


_KNOWN: dict[str, int] = {}
