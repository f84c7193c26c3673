"""XQuAD-R as articles and questions: the same questions and paragraphs in several languages.

The data is not part of the project (LAReQA, Roy et al. 2020; CC BY-SA 4.0): name a folder that
holds ``en.json``, ``de.json`` and so on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qabot.encoders import Encoder
from qabot.index import IndexStore, OpenGeneration
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.types import Hit, Quote

LANGUAGES = ("en", "de", "es", "zh", "ar")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the place of its answer.

    Attributes:
        id: The same in all languages.
        paragraph: ``(title, number of the paragraph in its article)``.
        answers: Answering texts in the paragraph's language.
    """

    id: str
    text: str
    paragraph: tuple[str, int]
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Corpus:
    """One language: title → paragraphs, and questions in the same order in every language."""

    language: str
    articles: dict[str, list[str]]
    questions: list[Question]

    def write(self, folder: Path, titles: Iterable[str]) -> None:
        """Write the articles of ``titles`` as text files, the title first."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for title in titles:
            paragraphs = [" ".join(text.split()) for text in self.articles[title]]
            name = title.replace("_", " ")
            path = folder / f"{title.replace('/', '-')}.{self.language}.txt"
            path.write_text("\n\n".join([name, *paragraphs]) + "\n", "utf-8")

    def titles(self) -> list[str]:
        """List all titles, in the order of the data."""
        return list(self.articles)


def load(folder: Path, language: str) -> Corpus:
    """Read ``<folder>/<language>.json``."""
    data = json.loads((folder / f"{language}.json").read_text("utf-8"))["data"]
    questions = [
        Question(
            id=item["id"],
            text=item["question"],
            paragraph=(article["title"], number),
            answers=tuple(answer["text"] for answer in item["answers"]),
        )
        for article in data
        for number, paragraph in enumerate(article["paragraphs"])
        for item in paragraph["qas"]
    ]
    articles = {a["title"]: [p["context"] for p in a["paragraphs"]] for a in data}
    return Corpus(language, articles, questions)


def build(
    work: Path,
    name: str,
    corpora: Iterable[tuple[Corpus, list[str]]],
    encoder: Encoder,
    cache: Path,
    base: str | None = None,
) -> IndexStore:
    """Build an index of the given titles of each corpus at ``work/name``.

    It reuses the vectors of an index that is there already, and of ``base``, another index under
    ``work`` with all of these titles.
    """
    if base and not (work / name).exists():
        shutil.copytree(work / base, work / name)
    sources = []
    for corpus, titles in corpora:
        folder = work / f"{name}.articles" / corpus.language
        corpus.write(folder, titles)
        sources.append(str(folder))
    store = IndexStore(work / name)
    rebuild(store, encoder, IndexPlan(tuple(sources), cache))
    return store


class Paragraphs:
    """Locates paragraphs in the indexed text.

    Args:
        generation: An index made by ``build``.
        titles: All titles of the corpora.
    """

    def __init__(self, generation: OpenGeneration, titles: Iterable[str]) -> None:
        names = {title.replace("_", " "): title for title in titles}
        self._spans: dict[str, list[tuple[int, int, tuple[str, int]]]] = {}
        for info in generation.database.infos():
            article = generation.database.article(info.id)
            assert article is not None
            spans, at = self._spans.setdefault(info.source, []), 0
            # The first is the title.
            for number, text in enumerate(article.text.split("\n\n"), -1):
                if number >= 0:
                    spans.append((at, at + len(text), (names[info.title], number)))
                at += len(text) + 2

    def of(self, source: str, start: int) -> tuple[str, int] | None:
        """Return the paragraph with character ``start`` of the article read from ``source``."""
        for begin, end, paragraph in self._spans[source]:
            if begin <= start < end:
                return paragraph
        return None

    def of_hit(self, hit: Hit) -> tuple[str, int] | None:
        """Return the paragraph of a hit."""
        return self.of(hit.article.source, hit.passage.start)

    def of_quote(self, quote: Quote) -> tuple[str, int] | None:
        """Return the paragraph of a quote."""
        return self.of(quote.article.source, quote.start)


def holds_answer(quote: Quote, question: Question) -> bool:
    """True if the quote's text holds one of the answers."""
    return any(answer.strip().rstrip(".") in quote.text for answer in question.answers)
