"""Read labelled questions from JSON lines, and check that their labels fit an index."""

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
"""The language of a question without one in its label: ISO 639-2's code for undetermined."""

# ISO 639, with an optional script and region.
_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_FIELDS = ("question", "article", "answers", "language", "why")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with its labels.

    Attributes:
        article: The id of the answering article, if labelled.
        answers: Answering texts as they are in the article; empty if not labelled.
        language: The question's language, an ISO 639 code without script or region.
        place: File and line, for errors.
        why: For a question without an answer, the kind of question, in the file's own words;
            figures are given for each kind.
    """

    question: str
    article: str | None
    answers: tuple[str, ...]
    language: str
    place: str
    why: str | None = None

    @property
    def answerable(self) -> bool:
        """True if the articles answer it; else "not found" is right."""
        return self.article is not None or bool(self.answers)


def read_questions(lines: Iterable[str], name: str) -> list[Labelled]:
    """Read labelled questions, one JSON object per line; empty lines are skipped.

    Args:
        lines: The file's lines.
        name: The file's name in errors.

    Raises:
        UsageError: A line is not a labelled question, or there are none.
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
    """Check that labels fit the index; else figures would be low through no fault of the answers.

    Args:
        infos: The articles of the index, by id.
        text_of: Article id → its text.
        where: The name of the index in errors.

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
    """Refuse fields such as "answer": ignored, they would make the question unanswerable."""
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
