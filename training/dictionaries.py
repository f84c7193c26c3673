"""Bilingual dictionaries: those of FreeDict, in the format of dictd, and CC-CEDICT."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOTES = re.compile(r"<[^>]*>|\[[^\]]*\]|\([^)]*\)|\{[^}]*\}|/[^/]*/|(?<!\w)\d+\.\s*|^\s*-\s")
_NO_SENSES = ("see:", "Synonym", "Note", '"', "Example")
_MOST_WORDS = 3


Frequency = Callable[[str], float]


def freedict(folder: Path, pair: str, frequency: Frequency) -> dict[str, str]:
    """Headwords in lower case → the translation that is the most frequent word of its language.

    Args:
        folder: Where ``freedict-PAIR.index`` and ``freedict-PAIR.dict.dz`` lie.
        pair: Such as ``eng-deu``.
        frequency: How frequent a word of the second language is, on a logarithmic scale.
    """
    with gzip.open(folder / f"freedict-{pair}.dict.dz") as file:
        data = file.read()
    found: dict[str, str] = {}
    best: dict[str, float] = {}
    for line in (folder / f"freedict-{pair}.index").read_text("utf-8").splitlines():
        _, at, length = line.split("\t")
        entry = data[_number(at) : _number(at) + _number(length)].decode("utf-8", "replace")
        # The index leaves out letters that are no ASCII; the entry itself has them.
        headword, *body = entry.splitlines() or [""]
        word = _NOTES.sub("", headword).split(",")[0].strip().casefold()
        if not word or word.startswith("00database") or word.count(" ") > 1:
            continue
        for sense in _senses(body):
            # Of a word's many senses the most frequent word is the likeliest.
            common = frequency(sense) - sense.count(" ")
            if common > best.get(word, -9.0):
                found[word], best[word] = sense, common
    return found


def cedict(path: Path) -> dict[str, str]:
    """Chinese words, simplified and traditional → the first English sense."""
    found: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        if line.startswith("#") or "/" not in line:
            continue
        traditional, simplified = line.split(" ", 2)[:2]
        for sense in line.split("/")[1:]:
            plain = _NOTES.sub("", sense).strip()
            if not plain or sense.startswith(("CL:", "variant", "old variant", "surname", "see ")):
                continue
            plain = plain.removeprefix("to ").strip()
            if plain.count(" ") < _MOST_WORDS:
                found.setdefault(traditional, plain)
                found.setdefault(simplified, plain)
                break
    return found


def _number(text: str) -> int:
    value = 0
    for digit in text:
        value = value * 64 + _DIGITS.index(digit)
    return value


def _senses(body: list[str]) -> Iterator[str]:
    for line in body:
        if line.strip().startswith(_NO_SENSES):
            continue
        for part in re.split(r"[,;،]", _NOTES.sub("", line)):
            sense = part.strip(" .-:")
            if sense and sense.count(" ") < _MOST_WORDS and any(map(str.isalpha, sense)):
                yield sense


def reversed_dictionary(words: dict[str, str], frequency: Frequency) -> dict[str, str]:
    """Translations in lower case → the most frequent of the words that have it."""
    found: dict[str, str] = {}
    for word in sorted(words, key=frequency):
        found[words[word].casefold()] = word
    return found
