"""A line of text → a question that can be asked."""

from __future__ import annotations

from qabot.errors import QuestionError
from qabot.types import LONGEST_QUESTION


def checked_question(question: str) -> str:
    """``question`` without blank space around it.

    Raises:
        QuestionError: It is empty, too long or not text.
    """
    question = " ".join(question.split())
    if not question:
        raise QuestionError("the question is empty; type one")
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(
            f"the question has {len(question)} characters; shorten it to {LONGEST_QUESTION}"
        )
    try:
        question.encode()
    except UnicodeEncodeError:
        raise QuestionError("the question is not valid UTF-8 text; check the terminal") from None
    return question
