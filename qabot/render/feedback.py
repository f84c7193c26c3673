"""What people thought of answers, for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from qabot.render.json import dumps
from qabot.text import printable


class Opinion(Protocol):
    """A person's opinion of an answer; it is a ``qabot.bot.store.records.Feedback``."""

    @property
    def answer_id(self) -> str:
        """The answer."""
        ...

    @property
    def created(self) -> float:
        """Seconds since 1970."""
        ...

    @property
    def helpful(self) -> bool:
        """What the person thought."""
        ...

    @property
    def question(self) -> str | None:
        """What was asked, while that is kept."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """Of the answer."""
        ...


def feedback_json(opinion: Opinion) -> str:
    """One line: the opinion, the question while it is kept, and what was shown."""
    return dumps(
        {
            "answer": opinion.answer_id,
            "at": _time(opinion).isoformat(timespec="seconds"),
            "helpful": opinion.helpful,
            "question": opinion.question,
            **opinion.about,
        }
    )


def feedback_lines(opinions: Sequence[Opinion]) -> Iterator[str]:
    """A line for each opinion, and how many there are of each kind."""
    for opinion in opinions:
        kind = "helpful    " if opinion.helpful else "not helpful"
        question = printable(opinion.question) if opinion.question else "(question forgotten)"
        yield f"{_time(opinion):%Y-%m-%d %H:%M}  {kind}  {question}"
    helpful = sum(opinion.helpful for opinion in opinions)
    yield f"{helpful} helpful, {len(opinions) - helpful} not helpful"


def _time(opinion: Opinion) -> datetime:
    return datetime.fromtimestamp(opinion.created, UTC)
