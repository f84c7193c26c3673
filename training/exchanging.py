"""Words exchanged for those of another language, in questions and in paragraphs."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_STEMS = (("ies", "y"), ("es", ""), ("s", ""), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"))


def exchanged(
    text: str,
    words: dict[str, str],
    share: float,
    chance: random.Random,
    shift: list[int] | None = None,
) -> str:
    """``text`` with words exchanged for their translations; names stay.

    Args:
        words: Words and pairs of words in lower case → translations.
        share: Of the words that have a translation, how many are exchanged.
        shift: Filled with the new place of each old character, and of the end.
    """
    made, at = "", 0
    places: list[int] = []
    for match in _phrases(text, words):
        start, end, translation = match
        if chance.random() > share:
            continue
        kept = text[at:start]
        places += range(len(made), len(made) + len(kept))
        made += kept
        places += [len(made)] * (end - start)
        made += translation
        at = end
    places += range(len(made), len(made) + len(text) - at)
    made += text[at:]
    if shift is not None:
        shift[:] = [*places, len(made)]
    return made


def _phrases(text: str, words: dict[str, str]) -> Iterator[tuple[int, int, str]]:
    matches = list(_WORD.finditer(text))
    at = 0
    while at < len(matches):
        here = matches[at]
        if at + 1 < len(matches):
            pair = f"{here.group()} {matches[at + 1].group()}".casefold()
            if pair in words:
                yield here.start(), matches[at + 1].end(), words[pair]
                at += 2
                continue
        word = here.group()
        # A name stays as it is.
        named = word[0].isupper() and here.start() > 0
        if not named and (translation := _translation(word.casefold(), words)) is not None:
            yield here.start(), here.end(), translation
        at += 1


def _translation(word: str, words: dict[str, str]) -> str | None:
    if word in words:
        return words[word]
    for ending, other in _STEMS:
        if word.endswith(ending) and (stem := word[: -len(ending)] + other) in words:
            return words[stem]
    return None


def segmented(text: str, words: dict[str, str], longest: int = 8) -> str:
    """The longest known words from left to right, translated; what is unknown stays."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        for length in range(min(longest, len(text) - at), 0, -1):
            piece = text[at : at + length]
            # Single kana are particles and endings, whose first sense misleads.
            if piece in words and not (length == 1 and "\u3040" <= piece <= "\u30ff"):
                parts.append(f" {words[piece]} ")
                at += length
                break
        else:
            parts.append(text[at])
            at += 1
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def exchanged_row(
    row: Row, words: dict[str, str], language: str, share: float, chance: random.Random
) -> Row:
    """A paragraph and the answers in it with words exchanged; its questions as they are."""
    shift: list[int] = []
    text = exchanged(row["context"], words, share, chance, shift)
    questions = []
    for question in row["questions"]:
        answers = []
        for answer in question["answers"][:1]:
            start, end = shift[answer["start"]], shift[answer["start"] + len(answer["text"])]
            if text[start:end].strip():
                answers.append({"text": text[start:end], "start": start})
        if answers or not question["answers"]:
            questions.append({**question, "answers": answers})
    return {**row, "language": language, "context": text, "questions": questions}
