"""Paragraphs translated with their answers marked, so that these are found again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from training.exchanging import Row

# A translation that is much longer than the answer holds words from around it.
_MOST_GROWTH = 2.5
_TAG = re.compile(r"<(/?)b(?: id=\"(\d+)\")?>")


def translated_rows(
    rows: list[Row], translate: Callable[[list[str]], list[str]], language: str
) -> Iterator[Row]:
    """Paragraphs in another language, with the answers that can be found again there.

    Args:
        translate: Translates lines of HTML and keeps ``<b id="…">`` round the words it stood round.
    """
    marked = [_marked(row) for row in rows]
    texts = translate([text for text, _ in marked])
    for row, (_, held), text in zip(rows, marked, texts, strict=True):
        plain, spans = _unmarked(text)
        questions = []
        for number, question in enumerate(row["questions"]):
            if not question["answers"]:
                questions.append(question)
                continue
            span = spans.get(held.get(number, -1))
            if span is None:
                continue
            answer = plain[span[0] : span[1]]
            if (
                answer.strip()
                and len(answer) < _MOST_GROWTH * len(question["answers"][0]["text"]) + 5
            ):
                questions.append({**question, "answers": [{"text": answer, "start": span[0]}]})
        yield {**row, "language": language, "context": plain, "questions": questions}


def _marked(row: Row) -> tuple[str, dict[int, int]]:
    """The text in one line of HTML, its answers in <b>; question → the number of its <b>."""
    text = row["context"].replace("\n", " ")
    spans: dict[tuple[int, int], list[int]] = {}
    for number, question in enumerate(row["questions"]):
        for answer in question["answers"][:1]:
            span = answer["start"], answer["start"] + len(answer["text"])
            spans.setdefault(span, []).append(number)
    made, at = "", 0
    held: dict[int, int] = {}
    for count, (start, end) in enumerate(sorted(spans)):
        if start < at:
            continue
        made += f'{_escaped(text[at:start])}<b id="{count}">{_escaped(text[start:end])}</b>'
        at = end
        held.update(dict.fromkeys(spans[start, end], count))
    return made + _escaped(text[at:]), held


def _escaped(text: str) -> str:
    return text.replace("<", "(").replace(">", ")").replace("&", "and")


def _unmarked(text: str) -> tuple[str, dict[int, tuple[int, int]]]:
    """The text without its tags, and where each began first and ended last."""
    plain, at = "", 0
    spans: dict[int, tuple[int, int]] = {}
    opened: list[int] = []
    for match in _TAG.finditer(text):
        plain += text[at : match.start()]
        at = match.end()
        if not match[1]:
            number = int(match[2] or -1)
            opened.append(number)
            spans.setdefault(number, (len(plain), len(plain)))
        elif opened:
            number = opened.pop()
            spans[number] = spans[number][0], len(plain)
    return plain + text[at:], spans
