"""Labelled questions out of JSON lines, and whether their labels fit an index."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qabot.errors import UsageError
from qabot.evaluation.overlap import stands_in
from qabot.types import ArticleInfo

UNKNOWN = "und"
"""The language of a question whose label names none, as ISO 639-2 has it."""

# ISO 639, perhaps with script and region.
_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_FIELDS = ("question", "article", "answers", "language", "why")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and what answers it.

    Attributes:
        article: Id of the article that answers it, if that is labelled.
        answers: Texts that answer it, as they stand in the article; empty if none is labelled.
        language: The question's language, an ISO 639 code without script or region.
        place: File and line, for errors.
        why: Of a question without an answer: in what way the articles fail to answer it, in a word
            of the file's own; figures are given for each.
    """

    question: str
    article: str | None
    answers: tuple[str, ...]
    language: str
    place: str
    why: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether the articles answer it; if not, "not found" is right."""
        return self.article is not None or bool(self.answers)


def read_questions(lines: Iterable[str], name: str) -> list[Labelled]:
    """The labelled questions of a file, one JSON object a line; empty lines are left out.

    Args:
        lines: The file's lines.
        name: What to call the file in an error.

    Raises:
        UsageError: A line is no labelled question, or there is none; names file and line.
    """
    questions = [
        _question(line, f"{name}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    if not questions:
        raise UsageError(f"{name}: holds no question; put one JSON object on each line")
    return questions


def check_labels(
    questions: Sequence[Labelled],
    infos: Mapping[str, ArticleInfo],
    text_of: Callable[[str], str],
    where: str,
) -> None:
    """See that every label can be met: else figures would be low for no fault of the answers.

    Args:
        infos: The articles of the index, by id.
        text_of: Article id → its text.
        where: What to call the index in an error.

    Raises:
        UsageError: An article is not in the index, or an answer is not in its article.
    """
    for question in questions:
        name = question.article
        if name is None:
            continue
        if name not in infos:
            raise UsageError(
                f"{question.place}: {where} holds no article {name!r}; `qabot articles` lists them"
            )
        for answer in question.answers:
            if not stands_in(text_of(name), answer):
                raise UsageError(
                    f"{question.place}: the answer {answer!r} does not stand in the article "
                    f"{name!r}; give it as `qabot show {name}` prints it"
                )


def _question(line: str, place: str) -> Labelled:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{place}: not JSON ({error}); put one object on each line") from error
    if not isinstance(value, dict):
        raise UsageError(f'{place}: not an object; write {{"question": …, "article": …}}')
    _refuse_misspelt(value, place)
    question = value.get("question")
    if not isinstance(question, str) or not question.strip():
        raise UsageError(f"{place}: no question; give its text as question")
    labelled = Labelled(
        question=question,
        article=_optional_text(value, "article", place),
        answers=_answers(value, place),
        language=_language(value, place),
        place=place,
        why=_optional_text(value, "why", place),
    )
    if labelled.why and labelled.answerable:
        raise UsageError(
            f"{place}: why is {labelled.why!r}, but an answer is labelled; "
            "why is for questions without one"
        )
    return labelled


def _refuse_misspelt(value: Mapping[str, Any], place: str) -> None:
    """Refuse "answer": ignored like other fields, it would make the question unanswerable."""
    for field in sorted(value.keys() - set(_FIELDS)):
        if close := difflib.get_close_matches(field, _FIELDS, n=1, cutoff=0.75):
            raise UsageError(f"{place}: unknown field {field!r}; call it {close[0]!r}")


def _optional_text(value: Mapping[str, Any], field: str, place: str) -> str | None:
    text = value.get(field)
    if text is not None and not (isinstance(text, str) and text.strip()):
        raise UsageError(f"{place}: {field} is {text!r}; give a text, or null")
    return text


def _language(value: Mapping[str, Any], place: str) -> str:
    code = _optional_text(value, "language", place) or UNKNOWN
    if not _CODE.fullmatch(code):
        raise UsageError(f"{place}: language is {code!r}; give a code, such as 'de'")
    return code.partition("-")[0].lower()


def _answers(value: Mapping[str, Any], place: str) -> tuple[str, ...]:
    answers = value.get("answers")
    if answers is None:
        return ()
    if not isinstance(answers, list) or not all(
        isinstance(answer, str) and answer.strip() for answer in answers
    ):
        raise UsageError(f"{place}: answers is {answers!r}; give a list of texts")
    return tuple(answers)
