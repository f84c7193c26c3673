"""Near-topic questions out of their file, samples of them, and what asking one gave."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """A question about an article.

    Attributes:
        article: The article's id.
        language, article_language: Of the question and of the article.
        answers: Pieces of the article that answer it; empty where it does not.
        why: In what way the article fails to answer, such as ``detail``; empty where it answers.
    """

    question: str
    article: str
    language: str
    article_language: str
    answers: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class NearTopic:
    """An article with its questions.

    Attributes:
        cluster: What it shares with articles about the same matter.
    """

    id: str
    title: str
    text: str
    cluster: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What somebody typed.

    Attributes:
        kind: Such as ``thanks``.
    """

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a question got at the threshold that is measured.

    Attributes:
        confidence: In [0, 1], also where nothing was found.
        held: Of each quote, whether it holds the answer and is of the right article.
        scores: Of each quote, in [0, 1].
        overlap: F1 of the first quote's highlight with the answer, in [0, 1].
    """

    item: Item
    confidence: float
    held: tuple[bool, ...]
    scores: tuple[float, ...]
    overlap: float
    elapsed_ms: float


def load(file: Path) -> list[NearTopic]:
    """The articles of a gzipped file of JSON lines."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        NearTopic(
            row["id"],
            row["title"],
            row["text"],
            row.get("cluster", row["id"]),
            tuple(
                Item(
                    question=item["q"],
                    article=row["id"],
                    language=item["language"],
                    article_language=row["language"],
                    answers=tuple(item["answers"]),
                    why=item.get("why", ""),
                )
                for item in row["questions"]
            ),
        )
        for row in rows
    ]


def write_articles(articles: Sequence[NearTopic], folder: Path) -> None:
    """Write each article as Markdown to ``folder/ID.md``; other files there are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        path.unlink()
    for article in articles:
        text = f"# {article.title}\n\n{article.text}\n"
        (folder / f"{article.id}.md").write_text(text, "utf-8")


def load_lines(file: Path) -> list[Line]:
    """The lines of a file of JSON lines that people type at bots."""
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [Line(row["text"], row["kind"]) for row in rows]


def sample(items: Sequence[T], count: int, seed: int) -> list[T]:
    """``count`` of ``items`` at random, the same for the same seed; all if there are no more."""
    return random.Random(seed).sample(items, min(count, len(items)))
