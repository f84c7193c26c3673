"""Plain text as it is found in the wild: paragraphs, perhaps a date, headings by their look."""

from __future__ import annotations

import regex

from qabot.articles.formats.dates import REMEDY, parse_date
from qabot.articles.formats.draft import Draft, clean, has_words
from qabot.articles.formats.titles import unspaced
from qabot.errors import ArticleError
from qabot.types import Heading

_DATE_LINE = regex.compile(r"(?i)date:?[ \t]+([0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)(?:\s+|$)")
_MESSAGE = regex.compile(
    r"(?m)^\[?\d{1,4}[./-]\d{1,2}[./-]\d{2,4},?[ \u202f]"
    r"\d{1,2}[:.]\d{2}(?::\d{2})?.{0,6}?[\] -].*?:"
)
_MOSTLY = 0.5
_HEADING_LENGTH = 80
_HEADING_WORDS = 12
_DENSE_LENGTH = 40
_BULLET = regex.compile(r"[-*+•‣◦▪·]\s")
_NUMBERED = regex.compile(r"(?:[0-9]{1,3}|[a-z])[.)]\s")
_BRACKETED = regex.compile(r"\p{Ps}.*\p{Pe}")
# Where a sentence ends, or a line that goes on: a list, a salutation. Quotes may close after it.
_NO_HEADING_END = regex.compile(r"[\p{Sentence_Terminal}…,;،؛、，；][\p{Pe}\p{Pi}\p{Pf}\"'\s]*\Z")


def read_plain(text: str) -> Draft:
    """Make a draft of plain text.

    A leading ``date YYYY-MM[-DD]`` becomes the date of publication. A short line that stands alone
    above prose and ends no sentence is a heading: level 1 at the very beginning, else level 2.

    Raises:
        ArticleError: The leading date is not in the calendar.
    """
    text = clean(text)
    published = None
    if match := _DATE_LINE.match(text):
        published = parse_date(match[1])
        if published is None:
            raise ArticleError(f"date: '{match[1]}' is not in the calendar; {REMEDY}")
        text = text[match.end() :].strip()
    if len(_MESSAGE.findall(text)) > _MOSTLY * text.count("\n") + 1:
        # Of a chat: each message says by itself who wrote it, and when.
        return Draft(clean(_MESSAGE.sub(r"\n\g<0>", text)), published=published)
    return Draft(text, headings=_headings(text), published=published)


def _headings(text: str) -> tuple[Heading, ...]:
    paragraphs = text.split("\n\n")
    headings = []
    start = 0
    for number, paragraph in enumerate(paragraphs):
        line = paragraph.strip()
        if _looks_like_heading(line) and _is_followed_by_prose(paragraphs, number):
            at = start + paragraph.index(line)
            headings.append(Heading(at, at + len(line), 2 if number else 1))
        start += len(paragraph) + 2
    return tuple(headings)


def _looks_like_heading(line: str) -> bool:
    return (
        "\n" not in line
        and len(line) <= _HEADING_LENGTH
        and len(line.split()) <= _HEADING_WORDS
        and has_words(line)
        and not (len(line) > _DENSE_LENGTH and unspaced(line))
        and not _BULLET.match(line)
        and not _BRACKETED.fullmatch(line)
        and not _NO_HEADING_END.search(line)
    )


def _is_followed_by_prose(paragraphs: list[str], number: int) -> bool:
    following = [paragraph.strip() for paragraph in paragraphs[number + 1 : number + 3]]
    if number == 0 and len(following) == 2 and _looks_like_heading(following[0]):
        # A title may stand directly above the first section's heading.
        del following[0]
    if not following or not has_words(following[0]) or _looks_like_heading(following[0]):
        return False
    introduces = paragraphs[number].rstrip().endswith((":", "："))
    return not (_BULLET.match(following[0]) or (introduces and _NUMBERED.match(following[0])))
