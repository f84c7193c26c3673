"""The corpus for all systems, and the tables that compare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.systems import QABOT, SYSTEMS
from benchmarks.xquad import load

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the language-independent name of its paragraph."""

    text: str
    language: str
    paragraph: str


@dataclass(frozen=True, slots=True)
class Parallel:
    """XQuAD-R in some languages.

    Attributes:
        documents: Language → paragraphs, as tasks name them.
        questions: Language → the same questions in the same order.
    """

    documents: dict[str, list[dict[str, Any]]]
    questions: dict[str, list[Asked]]

    @property
    def languages(self) -> list[str]:
        """The languages, in the order asked for."""
        return list(self.documents)

    @property
    def pool(self) -> list[dict[str, Any]]:
        """List the paragraphs of all languages."""
        return [document for part in self.documents.values() for document in part]


def read(
    folder: Path, languages: Sequence[str], articles: int | None, questions: int | None
) -> Parallel:
    """Load the first ``articles`` per language, and at most ``questions`` questions on them."""
    documents: dict[str, list[dict[str, Any]]] = {}
    asked: dict[str, list[Asked]] = {}
    for language in languages:
        corpus = load(folder, language)
        titles = corpus.titles()[:articles]
        documents[language] = [
            {
                "id": f"{language}/{title}/{number}",
                "title": title.replace("_", " "),
                "number": number,
                "language": language,
                "text": " ".join(text.split()),
            }
            for title in titles
            for number, text in enumerate(corpus.articles[title])
        ]
        about = [question for question in corpus.questions if question.paragraph[0] in titles]
        asked[language] = [
            Asked(question.text, language, "{}/{}".format(*question.paragraph))
            for question in evenly(about, questions or len(about))
        ]
    return Parallel(documents, asked)


@dataclass(frozen=True, slots=True)
class Column:
    """A measure.

    Attributes:
        title: The name, with its unit in brackets.
        shown: Value → text.
        higher_is_better: If false, lower is better.
        with_ratio: Each value is followed by its ratio to qabot's.
    """

    title: str
    shown: Callable[[float], str]
    higher_is_better: bool = True
    with_ratio: bool = False

    def beats(self, one: float, other: float) -> bool:
        """True if ``one`` is better, to the shown precision."""
        if self.shown(one) == self.shown(other):
            return False
        return one > other if self.higher_is_better else one < other


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """Choose at most ``count`` of ``items``, evenly, including the first."""
    count = min(count, len(items))
    return [items[place * len(items) // count] for place in range(count)]


def three_digits(value: float) -> str:
    """Write a number to the precision of the measurement."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def table(
    columns: dict[str, Column], rows: dict[str, dict[str, float]], command: Callable[[str], str]
) -> list[str]:
    """Write a Markdown table: a row per system, the best of each column in bold, and peers' wins.

    Args:
        columns: Name → measure.
        rows: System → measure → value.
        command: System → the command that measures it.
    """
    titles = [column.title for column in columns.values()]
    lines = [
        f"| | {' | '.join(titles)} | reproduced by |",
        f"|---|{'---:|' * len(titles)}---|",
    ]
    for system, values in rows.items():
        cells = [_cell(columns[name], name, rows, system) for name in columns if name in values]
        lines.append(f"| {SYSTEMS[system].title} | {' | '.join(cells)} | `{command(system)}` |")
    return [*lines, "", *_verdict(columns, rows)]


def _cell(column: Column, name: str, rows: dict[str, dict[str, float]], system: str) -> str:
    value = rows[system][name]
    text = column.shown(value)
    if not any(column.beats(other[name], value) for other in rows.values()):
        text = f"**{text}**"
    if column.with_ratio and system != QABOT and QABOT in rows:
        text += f" ({three_digits(value / rows[QABOT][name])}×)"
    return text


def _verdict(columns: dict[str, Column], rows: dict[str, dict[str, float]]) -> list[str]:
    """Say where qabot is not the best."""
    if QABOT not in rows or len(rows) == 1:
        return []
    lines = []
    for name, column in columns.items():
        ours = rows[QABOT][name]
        peers = [system for system in rows if SYSTEMS[system].is_peer]
        better = [system for system in peers if column.beats(rows[system][name], ours)]
        own = [system for system in rows if system not in peers]
        if better:
            figures = (
                f"{SYSTEMS[system].title} {column.shown(rows[system][name])}"
                for system in (*better, *own)
            )
            lines.append(f"- {column.title}: {'; '.join(figures)}")
    if not lines:
        return ["No peer wins a column."]
    return ["**Where a peer wins**", "", *lines]
