"""Prints people's opinions of answers, for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from qabot.bot.store.records import Feedback
from qabot.render.json import dumps
from qabot.text import printable


def feedback_json(opinion: Feedback) -> str:
    """Return one line of JSON: the opinion, the question while it is kept, and the answer."""
    return dumps(
        {
            "answer": opinion.answer_id,
            "at": _time(opinion).isoformat(timespec="seconds"),
            "helpful": opinion.helpful,
            "question": opinion.question,
            **opinion.about,
        }
    )


def feedback_lines(opinions: Sequence[Feedback]) -> Iterator[str]:
    """Yield a line for each opinion, and a line with the totals."""
    for opinion in opinions:
        kind = "helpful    " if opinion.helpful else "not helpful"
        question = printable(opinion.question) if opinion.question else "(question forgotten)"
        yield f"{_time(opinion):%Y-%m-%d %H:%M}  {kind}  {question}"
    helpful = sum(opinion.helpful for opinion in opinions)
    yield f"{helpful} helpful, {len(opinions) - helpful} not helpful"


def _time(opinion: Feedback) -> datetime:
    return datetime.fromtimestamp(opinion.created, UTC)
