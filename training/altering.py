"""Questions that a text no longer answers, by one detail that is exchanged.

After the kinds of questions without an answer in SQuAD 2.0 (Rajpurkar et al., "Know What You Don't
Know", 2018): another number, another name, or the opposite of a word.
"""

from __future__ import annotations

import random
import re

NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*")
_NUMBER = re.compile(r"\d+")
_OPPOSITES = {
    a: b
    for pair in (
        "first last", "largest smallest", "biggest smallest", "highest lowest", "most least",
        "before after", "north south", "east west", "oldest youngest", "more less",
        "increase decrease", "increased decreased", "early late", "start end", "began ended",
        "won lost", "best worst", "longest shortest", "always never", "can cannot",
        "is isn't", "was wasn't", "did didn't", "does doesn't", "are aren't", "were weren't",
        "old new", "male female", "minimum maximum", "inside outside", "positive negative",
        "northern southern", "eastern western", "winning losing", "rise fall", "good bad",
    )
    for a, b in (pair.split(), pair.split()[::-1])
}  # fmt: skip


def altered_question(
    question: str, context: str, names: list[str], chance: random.Random
) -> str | None:
    """``question`` with one detail exchanged, so that ``context`` no longer answers it."""
    ways = []
    numbers = list(_NUMBER.finditer(question))
    if numbers:
        ways.append("number")
    held = [match for match in NAME.finditer(question) if match.group() in context]
    if held and names:
        ways.append("name")
    words = [match for match in re.finditer(r"[a-z']+", question) if match.group() in _OPPOSITES]
    if words:
        ways.append("opposite")
    if not ways:
        return None
    way = chance.choice(ways)
    if way == "number":
        match = chance.choice(numbers)
        others = [n for n in _NUMBER.findall(context) if n != match.group()]
        digits = list(match.group())
        place = chance.randrange(len(digits))
        digits[place] = chance.choice([d for d in "123456789" if d != digits[place]])
        made = "".join(digits)
        new = chance.choice(others) if others and chance.random() < 0.5 else made
    elif way == "name":
        match = chance.choice(held)
        others = [n for n in NAME.findall(context) if n not in question]
        new = chance.choice(others if others and chance.random() < 0.5 else names)
        if new in question:
            return None
    else:
        match = chance.choice(words)
        new = _OPPOSITES[match.group()]
    return question[: match.start()] + new + question[match.end() :]
