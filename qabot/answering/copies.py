"""Which passages say the same, as copies of one text do, or nearly the same; pure.

Agencies' texts stand on many sites: shortened, with another headline, a line corrected. Two
passages are copies only if the sentence that answers is the same, word for word and number for
number, and what stands round it mostly so: "It was opened in 2019." may be said of two bridges.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import regex

from qabot.text import UNSPACED, fold
from qabot.types import Span

SHINGLE = 3
"""Words that follow one another, which are compared together."""

OVERLAP = 0.5
"""The least share of the shorter surroundings' shingles that the other one must hold, too.

An edit costs three shingles a word: half of them are left where every fifth word was changed. Of
different paragraphs no two come near it: of XQuAD-R's, in five languages, 0.12 at the most.
"""

RESTATED = 0.7
"""The least share of words in common where two sentences say the same of another number or name."""

_WORD = regex.compile(rf"(?V1)[{UNSPACED}]|[[\p{{L}}\p{{N}}\p{{M}}]--[{UNSPACED}]]+")

# Compatibility forms would make 106 of 10⁶ and 51⁄2 of 5½.
_RAISED = regex.compile("[²³¹¼-¾⁰-₎⅐-⅟↉①-⓿㈀-㊿]")
_DASH = regex.compile("[‐-―−]")
_APOSTROPHE = regex.compile(r"(?<=\p{L})[’ʼ‘](?=\p{L})")
# What stands between two numbers says how they belong together: 5–3, 1,000, 2019. 5 people.
_BETWEEN_NUMBERS = regex.compile(r"(?<=\p{N})\s*([^\p{L}\p{N}\s])\s*(?=\p{N})")
# Marks that are no signs: they belong neither to a number nor to a name, nor do they ask.
_MARK = r"[^\P{P}?؟¿%‰٪#&@*/\\§′″‴]"
# Scripts without blanks have their pauses within what is one word to others. It must be there: 不要
# is "don't want", 不、要 is "no, I do".
_BETWEEN_UNSPACED = regex.compile(rf"{_MARK}+(?=[{UNSPACED}])|(?<=[{UNSPACED}]){_MARK}+")
_BEGIN = regex.compile(rf"(?:{_MARK}(?!\p{{N}}|\p{{S}})|[\p{{Ps}}\p{{Pi}}\p{{Pf}}\"'])+")
_END = regex.compile(rf"{_MARK}+$")
# "No, tax was raised" says the contrary of "No tax was raised".
_NEGATION = regex.compile(
    "no|not|nor|never|none|nobody|nothing|neither|without|"
    "nein|nicht|kein(?:e[mnrs]?)?|nie|niemals|nichts|niemand|ohne|weder|noch|"
    "ni|nunca|jamás|nada|nadie|sin|non|ne|pas|jamais|rien|sans|né|mai|niente|senza|"
    "não|nem|sem|nee|niet|geen|nooit|zonder|nej|inte|ikke|nei|aldrig|aldri|ei|"
    "нет|не|ни|никогда|без|لا|ليس|ليست|لم|لن|ما|كلا|بدون|nie|bez|hayır|değil"
)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a sentence as they are compared: without case, punctuation and white space.

    Whatever could be part of a number, a name or a negation stays: marks within words and numbers,
    signs, question marks, and that there is a mark beside a word such as "no".
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _RAISED.sub(r" ^\g<0>", text))
        text = _BETWEEN_UNSPACED.sub(" ", _APOSTROPHE.sub("'", _DASH.sub("-", text)))
    text = _BETWEEN_NUMBERS.sub(r"\1", text.lower())
    words: list[str] = []
    marked = False
    for token in text.split():
        word = token if token.isalnum() else _bare(token)
        marked = marked or not token.startswith(word or " ")
        if word:
            if marked and words and any(map(_NEGATION.fullmatch, (words[-1], word))):
                words.append(",")
            words.append(word)
            marked = not token.endswith(word)
    return tuple(words or text.split())


def _bare(token: str) -> str:
    """A word without the punctuation at its edges."""
    begin = _BEGIN.match(token)
    return _END.sub("", token[begin.end() if begin else 0 :])


class Statement:
    """The sentences of a passage that answer, and the text round them.

    Args:
        text: The passage's.
        key: Where the sentences that answer lie in it.
        shown: Where what is quoted lies in it, round ``key``.
        answer: Where the answer itself lies in it, if that is known.
    """

    def __init__(self, text: str, key: Span, shown: Span, answer: Span | None = None) -> None:
        self._text, self._key, self._shown, self._answer = text, key, shown, answer

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the sentences that answer, as they are compared."""
        return words_of(self._text[slice(*self._key)])

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(_words(self._text[slice(*self._key)]))

    @cached_property
    def _shown_words(self) -> tuple[str, ...]:
        return words_of(self._text[slice(*self._shown)])

    @cached_property
    def _answer_words(self) -> list[str]:
        return _words(self._text[slice(*self._answer)]) if self._answer else []

    @cached_property
    def _surroundings(self) -> frozenset[tuple[str, ...]]:
        start, end = self._key
        return frozenset([*_shingles(self._text[:start]), *_shingles(self._text[end:])])

    def is_copy_of(self, other: Statement, *, same_article: bool = False) -> bool:
        """Tell whether both say the same in one text, edited at most round the answering sentences.

        Args:
            same_article: Whether one article says both; then the same sentence is enough, or the
                same beginning of two that are too long to be shown whole.
        """
        if same_article and self._shown_words == other._shown_words:
            return True
        if self.words != other.words:
            return False
        if same_article:
            return True
        if self._shown_words == other._shown_words != self.words:
            return True
        shorter = min(len(self._surroundings), len(other._surroundings))
        if not shorter:
            # The sentence is all there is of both, or it may be about something else.
            return not self._surroundings and not other._surroundings
        return len(self._surroundings & other._surroundings) >= OVERLAP * shorter

    def answers_like(self, other: Statement) -> bool:
        """Tell whether one answer stands, word for word, in the other: "1911", "in May 1911"."""
        shorter, longer = sorted((self._answer_words, other._answer_words), key=len)
        size = len(shorter)
        places = range(len(longer) - size + 1)
        return size > 0 and any(longer[place : place + size] == shorter for place in places)

    def restates(self, other: Statement) -> bool:
        """Tell whether both say the same but for a number, a name or another word or two.

        The same words are no restatement: they are a copy, or said of something else.
        """
        if self.words == other.words:
            return False
        common = (self._counts & other._counts).total()
        return common >= RESTATED * (self._counts | other._counts).total()


def _shingles(text: str) -> Sequence[tuple[str, ...]]:
    words = _words(text)
    return [tuple(words[n : n + SHINGLE]) for n in range(len(words) - SHINGLE + 1)]


def _words(text: str) -> list[str]:
    """The words of ``text`` without all that is none; characters where words have no blanks."""
    return _WORD.findall(fold(text))
