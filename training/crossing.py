"""Questions in another language than their paragraph, made by dictionaries and by Apertium.

``python -m training.crossing DATA --dictionaries FOLDER --out FOLDER``: reads what
``training.train`` reads, and writes files of the same form. Words of questions, and of some
paragraphs, are exchanged for their translations (after Qin et al., "CoSDA-ML", 2020); Spanish is
translated by Apertium's rules. Such text is clumsy, but who learns from it that a question and its
answer may be in two languages need not have read a good translation.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from training.dictionaries import Frequency, cedict, freedict, reversed_dictionary
from training.exchanging import Row, exchanged, exchanged_row, segmented
from training.marking import translated_rows

_ENGLISH: tuple[str, ...] = ("squad-v1.1-train-part", "squad-v2-train-part", "squadshifts-new-wiki")
_ENGLISH += ("squadshifts-reddit", "squadshifts-amazon-reviews")
# What the dictionaries lack or get wrong, and what tells most of the kind of answer: the words that
# ask, and those that questions are built with. In the order of _ASKING.
_ASKING = (
    "who what which when where why how|how many|how much|whose|is|was|are|were|did|does|do|the"
)
_WORDS = {
    "de": "wer was welche wann wo warum wie|wie viele|wie viel|wessen|ist|war|sind|waren||||der",
    "ar": "من ما أي متى أين لماذا كيف|كم عدد|كم|لمن||كان||كانت||||",
    "el": "ποιος τι ποια πότε πού γιατί πώς|πόσα|πόσο|ποιανού|είναι|ήταν|είναι|ήταν||||το",
    "tr": "kim ne hangi ne_zaman nerede neden nasıl|kaç|ne kadar|kimin||||||||",
    "hi": "कौन क्या कौन_सा कब कहाँ क्यों कैसे|कितने|कितना|किसका|है|था|हैं|थे||||",
    "fr": "qui que quel quand où pourquoi comment|combien de|combien|dont|est|était|sont|||||le",
    "zh": "谁 什么 哪个 什么时候 哪里 为什么 怎么|多少|多少|谁的|是|是|是|是||||",
}
_PAIRS = {"de": "deu", "ar": "ara", "el": "ell", "tr": "tur", "hi": "hin", "fr": "fra"}
# How often a question gets each language; Spanish by Apertium.
_SHARES = {"es": 3.0, "de": 3.0, "ar": 2.0, "zh": 2.0, "el": 0.7, "tr": 0.7, "hi": 0.5, "fr": 1.0}
_EXCHANGED, _EXCHANGED_IN_TEXT = 0.9, 0.75


def main() -> None:
    """Write the crossed data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dictionaries", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    chance = random.Random(options.seed)
    chinese = cedict(options.dictionaries / "cedict.txt.gz")
    into: dict[str, dict[str, str]] = {"zh": reversed_dictionary(chinese, _frequency("zh"))}
    for code, name in _PAIRS.items():
        into[code] = freedict(options.dictionaries, f"eng-{name}", _frequency(code))
    for code, words in into.items():
        words.update(zip(_cells(_ASKING), _cells(_WORDS[code]), strict=True))
        print(f"{code}: {len(words)} words", flush=True)
    _english(options, into, chance)
    _into_english(options, chinese, chance)


def _frequency(language: str) -> Frequency:
    from wordfreq import zipf_frequency

    return lambda word: float(zipf_frequency(word, language))


def _cells(text: str) -> list[str]:
    first, *others = text.split("|")
    return [cell.replace("_", " ") for cell in (*first.split(), *others)]


def _english(
    options: argparse.Namespace, into: dict[str, dict[str, str]], chance: random.Random
) -> None:
    for name in _ENGLISH:
        rows = list(_read(options.data / f"{name}.jsonl.gz"))
        questions = [q["question"].replace("\n", " ") for row in rows for q in row["questions"]]
        spanish = dict(zip(questions, _apertium(questions), strict=True))

        def asked(question: str, code: str, spanish: dict[str, str] = spanish) -> str:
            if code == "en":
                return question
            if code == "es":
                return spanish[question.replace("\n", " ")]
            return exchanged(question, into[code], _EXCHANGED, chance)

        _write(options.out / f"crossed-en-{name}.jsonl.gz", _asked(rows, asked, _SHARES, chance))
        shares = {"en": 2.0, "es": 1.0, "de": 1.0}
        translated = _asked(translated_rows(rows, _apertium_page, "es"), asked, shares, chance)
        _write(options.out / f"crossed-es-{name}.jsonl.gz", translated)
        german = (exchanged_row(row, into["de"], "de", _EXCHANGED_IN_TEXT, chance) for row in rows)
        _write(options.out / f"crossed-de-{name}.jsonl.gz", _asked(german, asked, shares, chance))


def _into_english(
    options: argparse.Namespace, chinese: dict[str, str], chance: random.Random
) -> None:
    """English questions, word by word, over paragraphs of other languages."""
    japanese = freedict(options.dictionaries, "jpn-eng", _frequency("en"))
    arabic = freedict(options.dictionaries, "ara-eng", _frequency("en"))
    for path in sorted(options.data.glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        rows = list(_read(path))
        language = rows[0]["language"].split("-")[0]
        if language not in ("zh", "ja", "ar") or name == "jaquad-dev":
            continue

        def asked(question: str, _: str, language: str = language) -> str:
            if language == "ar":
                return exchanged(question, arabic, 1.0, chance)
            return segmented(question, chinese if language == "zh" else japanese)

        out = options.out / f"crossed-to-en-{name}.jsonl.gz"
        _write(out, _asked(rows, asked, {"en": 1.0}, chance))


def _read(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _write(path: Path, rows: Iterator[Row]) -> None:
    count = 0
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += len(row["questions"])
    print(f"{path.name}: {count} questions", flush=True)


def _asked(
    rows: Any, asked: Callable[[str, str], str], shares: dict[str, float], chance: random.Random
) -> Iterator[Row]:
    for row in rows:
        codes = chance.choices(list(shares), list(shares.values()), k=len(row["questions"]))
        questions = [
            {**question, "question": asked(question["question"], code)}
            for question, code in zip(row["questions"], codes, strict=True)
        ]
        yield {**row, "questions": [q for q in questions if q["question"].strip()]}


def _apertium_page(texts: list[str]) -> list[str]:
    return _apertium(texts, "-f", "html")


def _apertium(texts: list[str], *options: str) -> list[str]:
    result = subprocess.run(
        ["apertium", *options, "-u", "eng-spa"],
        input="\n".join(texts) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return [re.sub(r"  +", " ", line).strip() for line in result.stdout.splitlines()][: len(texts)]


if __name__ == "__main__":
    main()
