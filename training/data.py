"""The data on disk → paragraphs with questions, as tokens."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import sentencex
from tokenizers import Tokenizer

MOST_QUESTION = 48

FIRST, PAD, LAST = 0, 1, 2


@dataclass(slots=True)
class Paragraph:
    """A paragraph as tokens.

    Attributes:
        ids: Token ids ``(n,)``.
        offsets: Half-open character offsets of each, ``(n, 2)``.
        sentences: Token spans of its sentences, in order, covering all of it.
    """

    dataset: str
    language: str
    title: str
    text: str
    ids: np.ndarray
    offsets: np.ndarray
    sentences: list[tuple[int, int]]
    questions: list[Question] = field(default_factory=list)


@dataclass(slots=True)
class Question:
    """A question; ``span`` holds token positions of its answer in the paragraph, half open."""

    text: str
    ids: list[int]
    span: tuple[int, int] | None
    answers: list[str]


class Encoding:
    """The packaged encoder's tokenizer."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()

    def ids(self, text: str) -> list[int]:
        """Token ids without special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def batch(self, texts: list[str]) -> list[Any]:
        """Encodings with offsets, without special tokens."""
        return list(self._tokenizer.encode_batch(texts, add_special_tokens=False))


def read_paragraphs(
    folder: Path, encoding: Encoding, most: int | None = None
) -> Iterator[Paragraph]:
    """All paragraphs of the data in ``folder``, tokenized, or the first ``most`` of each set.

    Raises:
        SystemExit: There is none; says so.
    """
    paths = sorted(folder.glob("*.jsonl.gz"))
    if not paths:
        raise SystemExit(f"{folder}: no NAME.jsonl.gz in it; name the folder that holds the data")
    for path in paths:
        dataset = path.name.removesuffix(".jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in islice(file, most)]
        contexts = encoding.batch([row["context"] for row in rows])
        for row, context in zip(rows, contexts, strict=True):
            yield _paragraph(dataset, row, context, encoding)


def _paragraph(dataset: str, row: dict[str, Any], context: Any, encoding: Encoding) -> Paragraph:
    offsets = np.array(context.offsets, np.int32).reshape(-1, 2)
    paragraph = Paragraph(
        dataset,
        row["language"],
        row["title"],
        row["context"],
        np.array(context.ids, np.int32),
        offsets,
        _sentences(row["context"], row["language"], offsets),
    )
    for item in row["questions"]:
        answers = [
            answer
            for answer in item["answers"]
            if row["context"][answer["start"] :].startswith(answer["text"])
        ]
        if item["answers"] and not answers:
            continue
        span = None
        if answers:
            begin = answers[0]["start"]
            span = token_span(offsets, begin, begin + len(answers[0]["text"]))
            if span is None:
                continue
        ids = encoding.ids(item["question"])[:MOST_QUESTION]
        texts = [answer["text"] for answer in answers]
        paragraph.questions.append(Question(item["question"], ids, span, texts))
    return paragraph


def token_span(offsets: np.ndarray, begin: int, end: int) -> tuple[int, int] | None:
    """The tokens that the characters ``begin`` to ``end`` touch, half open."""
    touched = np.flatnonzero((offsets[:, 1] > begin) & (offsets[:, 0] < end))
    return (int(touched[0]), int(touched[-1]) + 1) if len(touched) else None


def _sentences(text: str, language: str, offsets: np.ndarray) -> list[tuple[int, int]]:
    starts = [0]
    for boundary in sentencex.get_sentence_boundaries(language.split("-", maxsplit=1)[0], text):
        first = int(np.searchsorted(offsets[:, 0], boundary["start_index"]))
        if first > starts[-1]:
            starts.append(first)
    starts = [start for start in starts if start < len(offsets)] or [0]
    return list(zip(starts, [*starts[1:], len(offsets)], strict=True))
