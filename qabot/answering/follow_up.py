"""Tell a follow-up ("and when was that?") from a question that stands on its own; pure.

A question whose every word is a function word names nothing that could be looked up, so it must be
about what was asked before. The same holds where a pronoun stands beside hardly any word of content
("how many members does it have?"). Function words come from the stopwords-iso lists; a question is
tried in every language, since three words are too few to identify one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import regex

from qabot.text import UNSPACED, folded_words, function_word_languages, function_words

_UNSPACED = regex.compile(f"[{UNSPACED}]")
# Beside a pronoun, this many words of content still lean on the question before.
_LEANING = 2
# Characters of content in scripts without spaces: about one word.
_LEANING_CHARACTERS = 2

# Words that point back at something said before. Demonstratives that also serve as articles or
# conjunctions ("der", "que") are left out: they stand in questions of every kind.
_POINTING = {
    "ar": "هو هي هم هذا هذه ذلك تلك هناك",
    "de": (
        "er es ihn ihm ihnen dies dieser dieses diese dort daran davon dabei dafür damit deren "
        "dessen"
    ),
    "en": "it its he him his she her hers they them their this that these those there one",
    "es": "ello eso esto aquello él ella ellos ellas allí ahí",
    "fr": "il elle ils elles cela ça ceci celui celle ceux y en leur lui",
    "it": "esso essa essi lui lei loro questo quello ciò lì là ne",
    "nl": "het hij zij ze hem hun dit dat daar deze die",
    "pl": "on ona ono oni one to tego tam jego jej ich",
    "pt": "ele ela eles elas isso isto aquilo lá ali",
    "ru": "он она оно они это этого там его её их",
}


def standalone(question: str, previous: Sequence[str]) -> str:
    """``question`` in a form that can be looked up.

    Args:
        question: What was asked now.
        previous: What was asked before in the same conversation, oldest first.

    Returns:
        The question itself; a follow-up comes with the latest question that is none before it.
    """
    if not previous or not is_follow_up(question):
        return question
    subject = next((text for text in reversed(previous) if not is_follow_up(text)), None)
    return f"{subject} {question}" if subject else question


def is_follow_up(question: str) -> bool:
    """Tell whether ``question`` leans on what was asked before."""
    words = folded_words(question)
    if not words:
        return False
    if any(_UNSPACED.search(word) for word in words):
        return _unspaced_content("".join(words)) <= _LEANING_CHARACTERS
    counted = {
        language: sum(word not in function_words(language) for word in words)
        for language in function_word_languages()
    }
    fewest = min(counted.values())
    if fewest == 0:
        return True
    if fewest > _LEANING or fewest == len(words):
        return False
    # Function words of one language are pronouns in another: all that fit best must agree.
    likely = [code for code, count in counted.items() if count == fewest and code in _POINTING]
    return bool(likely) and all(_pointing()[code].intersection(words) for code in likely)


def names_nothing(question: str) -> bool:
    """Tell whether ``question`` has function words alone, and none that points back."""
    words = folded_words(question)
    languages = [
        language
        for language in function_word_languages()
        if words and all(word in function_words(language) for word in words)
    ]
    pointing = (_pointing().get(language, frozenset()) for language in languages)
    return bool(languages) and all(found.isdisjoint(words) for found in pointing)


def _unspaced_content(text: str) -> int:
    """Characters of ``text`` that no function word of an unspaced script covers."""
    functional = sorted(
        (word for code in ("ja", "zh", "th") for word in function_words(code)),
        key=len,
        reverse=True,
    )
    for word in functional:
        text = text.replace(word, "")
    return len(text)


@cache
def _pointing() -> dict[str, frozenset[str]]:
    return {code: frozenset(words.split()) for code, words in _POINTING.items()}
