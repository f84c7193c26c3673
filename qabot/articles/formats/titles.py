"""A title for a document that names none, and how long a short line is in its script."""

from __future__ import annotations

import regex

from qabot.articles.formats.draft import LONGEST_HEADING, Draft, has_words, one_line
from qabot.text import UNSPACED

_TITLE_LENGTH = 100
_DENSE_LENGTH = 40
_SENTENCE_SAMPLE = 1_000
_UNSPACED = regex.compile(f"[{UNSPACED}]")
_ROW = regex.compile(r" \| ")
_LAST_LETTER = regex.compile(r"\X\Z")


def unspaced(text: str) -> bool:
    """Tell whether most letters of ``text`` are of scripts without spaces between words."""
    letters = sum(map(str.isalpha, text))
    return 2 * len(_UNSPACED.findall(text)) > letters


def title_of(draft: Draft, language: str) -> str:
    """The title that a draft declares, else its main heading, else its first sentence.

    The main heading is the first of level 1, or one that begins the text: a section's heading
    further down says nothing about the whole.
    """
    if draft.title is not None:
        return shortened(draft.title, LONGEST_HEADING)
    for heading in draft.headings:
        title = one_line(draft.text[heading.start : heading.end])
        if has_words(title) and (heading.level == 1 or heading.start == 0):
            return title
    return _first_sentence(draft.text, language)


def _first_sentence(text: str, language: str) -> str:
    from sentencex import segment

    paragraph = next(filter(has_words, text.split("\n\n")))
    first = _own_line(paragraph[:_SENTENCE_SAMPLE]) or one_line(paragraph)[:_SENTENCE_SAMPLE]
    sentences = (one_line(sentence) for sentence in segment(language, first))
    sentence = next(filter(has_words, sentences), first)
    return shortened(sentence, _DENSE_LENGTH if unspaced(sentence) else _TITLE_LENGTH)


def _own_line(paragraph: str) -> str | None:
    """The first line, if it was ended on purpose: the next word would have fitted on it.

    So the row of a table, or a name above lines of data, does not run on into the next.
    """
    first, *others = paragraph.split("\n")
    if not others or not has_words(first):
        return None
    word = next(iter(others[0].split()), "")
    goes_on = word[:1].islower() or first.rstrip().endswith((",", ";"))
    fits = len(first.rstrip()) + 1 + len(word) <= max(map(len, others))
    return one_line(first) if _ROW.search(first) or (fits and not goes_on) else None


def shortened(text: str, limit: int) -> str:
    """``text``, or its beginning and an ellipsis where it has more than ``limit`` characters."""
    if len(text) <= limit:
        return text
    dense = unspaced(text)
    beginning = text[: limit + 1]
    if not dense and " " in beginning[limit // 2 :]:
        shortened = beginning.rpartition(" ")[0]
    else:
        # Without the last letter and its marks, which may be cut in two.
        shortened = _LAST_LETTER.sub("", beginning)
    return shortened.rstrip() + "…"
