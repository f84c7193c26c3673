"""Subtitles (SRT, WebVTT): what is said, in paragraphs that begin with their time."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import pairwise

from qabot.articles.formats.draft import Block, Draft, clean_characters, compose, one_line
from qabot.articles.formats.titles import shortened
from qabot.errors import ArticleError

_TIMING = re.compile(
    r"^\s*(?:(\d{1,3}):)?(\d\d):(\d\d)[,.]\d{1,3}\s*-->\s*(?:(\d{1,3}):)?(\d\d):(\d\d)[,.]\d{1,3}.*$"
)
_SPEAKER = re.compile(r"<v(?:\.[\w.]*)?\s+([^<>]{1,80})>")
_TAG = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|[…。！？؟]|$)")
_TITLE_LENGTH = 100
_PAUSE, _LONGEST = 4, 45
"""Seconds of silence, and of speech, after which a paragraph ends."""


def read_subtitles(text: str) -> Draft:
    """Make a draft of subtitles.

    Raises:
        ArticleError: There is no line with times in it.
    """
    cues = list(_cues(clean_characters(text)))
    if not cues:
        raise ArticleError("holds no subtitles (no line such as 00:00:01,000 --> 00:00:04,000)")
    text, headings = compose(_paragraphs(cues))
    # The time would stand before its first sentence.
    first = _SENTENCE.match(text.partition("] ")[2])
    return Draft(text, headings, title=shortened(first[0], _TITLE_LENGTH) if first else None)


def _cues(text: str) -> Iterator[tuple[int, int, str]]:
    """When each cue begins and ends, in seconds, and what it says."""
    lines = text.split("\n")
    places = [number for number, line in enumerate(lines) if _TIMING.match(line)]
    for place, following in pairwise([*places, len(lines) + 1]):
        match = _TIMING.match(lines[place])
        said = lines[place + 1 : following - 1]
        # Its number stands above a cue, notes after it behind an empty line.
        said = said[: said.index("")] if "" in said else said
        words = one_line(_plain(" ".join(said)))
        if match and words:
            yield _seconds(match[1], match[2], match[3]), _seconds(*match.groups()[3:]), words


def _plain(said: str) -> str:
    return html.unescape(_TAG.sub("", _SPEAKER.sub(r"\1: ", said)))


def _seconds(hours: str | None, minutes: str, seconds: str) -> int:
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)


def _paragraphs(cues: list[tuple[int, int, str]]) -> Iterator[Block]:
    gathered: list[str] = []
    began = ended = 0
    for start, end, said in cues:
        finished = gathered and gathered[-1].endswith((".", "!", "?", "…", "。", "！", "？", "؟"))
        if gathered and (start - ended > _PAUSE or (finished and start - began > _LONGEST)):
            yield Block(f"[{_clock(began)}] {' '.join(gathered)}")
            gathered = []
        began = began if gathered else start
        # Captions that roll up say each line again.
        if not gathered or said != gathered[-1]:
            gathered.append(said)
        ended = end
    if gathered:
        yield Block(f"[{_clock(began)}] {' '.join(gathered)}")


def _clock(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
