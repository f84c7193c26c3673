"""Outcomes to measure, made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from qabot.evaluation import Labelled, Outcome

ANSWERABLE = Outcome(
    label=Labelled("how wide?", "space", ("6.5 m",), "en", "q.jsonl, line 1"),
    answered_in="en",
    articles=("right",),
    passages=("right",),
    quotes=(True,),
    scores=(0.9,),
    exact=1.0,
    f1=1.0,
    confidence=0.9,
    elapsed_ms=10.0,
)
UNANSWERABLE = replace(
    ANSWERABLE,
    label=Labelled("why?", None, (), "en", "q.jsonl, line 2"),
    answered_in=None,
    articles=None,
    passages=None,
    quotes=(False,),
    scores=(0.2,),
    exact=None,
    f1=None,
    confidence=0.2,
)


def answerable(**changes: Any) -> Outcome:
    """A question that was answered as it should be, but for ``changes``."""
    return _changed(ANSWERABLE, **changes)


def unanswerable(**changes: Any) -> Outcome:
    """A question that no article answers and that was not answered, but for ``changes``."""
    return _changed(UNANSWERABLE, **changes)


def _changed(outcome: Outcome, **changes: Any) -> Outcome:
    changed = replace(outcome, **{"scores": (), **changes})
    if "scores" in changes:
        return changed
    return replace(changed, scores=(changed.confidence,) * len(changed.quotes))
