"""Find the sentences of a paragraph, by offset.

Line breaks matter only in lists and tables: a bullet or number begins a sentence, and so does every
row of a table, and every line of a paragraph of three or more short, capitalised lines. Other line
breaks are hard wrapping. Sentences
come from sentencex, corrected by ``_is_torn`` and ``_join_fragments``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex
import sentencex

from qabot.indexing.cuts import best_cut, strip
from qabot.types import Span

_BULLETS = "•◦▪▫■□●○⁃◆◇★☆➤▶▸►‣"
_LIST_ITEM = re.compile(rf"\s*(?:[{_BULLETS}*+–—-]\s|\(?(?:\d{{1,3}}|[A-Za-z])[.)]\s|\|)")
_CELLS = " | "
_MIN_ITEM_LINES, _MAX_ITEM_CHARS = 3, 40
_LEADS_IN = tuple(".!?:;…。！？：；؟।")
_CLOSING = "\"'”’»)]」』）"

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ODD_SPACE = re.compile(r"[^\S ]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NO_MARKERS = str.maketrans({")": "]", **dict.fromkeys(_BULLETS, "-")})

# No sentences: short pieces without a letter, and what begins the next sentence.
_FRAGMENT_CHARS = 20
_LEADER = re.compile(rf"[{_BULLETS}*+–—-]|\(?(?:\d{{1,3}}|[^\W\d_])[.)]|[„‚(\[{{「『（【《¿¡]+")
# sentencex wrongly ends a sentence after these: J.-P. Roux, im 19. Jahrhundert, M. Dupont, titles
# in Hindi. A full stop after a Thai letter ends an abbreviation.
_INITIALS = re.compile(r"\.-[^\W\d_]\.\s*\Z")
_UNFINISHED = {
    "de": re.compile(
        r"\b(?:am|beim|bis|das|dem|den|der|des|die|frühen|im|späten|und|vom|zum|zur)\s+\d\d?\.\s*\Z",
        re.IGNORECASE,
    ),
    "fr": re.compile(r"\bMM?\.\s*\Z"),
    "hi": re.compile(r"(?:^|\s)(?:डॉ|प्रो|पं)\.\s*\Z"),
    "th": re.compile(r"[\u0e00-\u0e7f]\.\s*\Z"),
}

# Abbreviations that end no sentence and that sentencex lacks.
_ABBREVIATIONS = {
    language: re.compile(rf"(?:^|[\s(])(?:{words})\.\s*\Z", re.IGNORECASE)
    for language, words in {
        "ar": "د|أ|م",
        "ca": "aprox|pàg|núm|sra",
        "de": "ca|evtl|fa|vgl|zzgl",
        "da": "kl",
        "el": "βλ|σελ",
        "en": "approx|dept|incl|vol",
        "es": "aprox|dra|núm|pág|págs|sra|srta",
        "fa": "ا|د|م",
        "fr": "bd|dr|env|mgr|mlle|mme|pr",
        "hr": "sl|str|ul",
        "hu": "kb|ld|pl",
        "id": "bpk|hal|sdr",
        "it": "ca|dott|pag|sig|sigg",
        "nb": "kl",
        "nl": "bijv|blz|ca|dhr|drs|mevr",
        "no": "kl",
        "pl": "dr|rys|str",
        "pt": "aprox|av|dra|núm|pág|sra",
        "ro": "bd|dl|dna|nr|pag|str",
        "ru": "им|проф|рис|ст|стр|ул",
        "sl": "sl|str",
        "sr": "др|проф|сл|стр|ул",
        "sv": "kl",
        "tr": "bkz|doç|prof|sn|yakl",
        "uk": "ім|проф|рис|ст|стор|вул",
        "vi": "bs|gs|ths|ts",
    }.items()
}

# The time that sentencex takes grows with the square of a text without sentence ends.
_WINDOW = 10_000
_GRAPHEME = regex.compile(r"\X")


def sentences_of(text: str, start: int, end: int, language: str) -> list[Span]:
    """Return the sentences of the paragraph ``text[start:end]``.

    Args:
        language: ISO 639-1 code.
    """
    spans = []
    last = start
    for block in _blocks(text[start:end]):
        for boundary in _boundaries(block, language):
            spans.append(strip(text, last, start + boundary))
            last = start + boundary
        start += len(block)
    return _join_fragments(text, [span for span in spans if span[0] < span[1]])


def _blocks(paragraph: str) -> Iterator[str]:
    """Cut a paragraph before the lines that begin an item of a list."""
    lines = paragraph.splitlines(keepends=True)
    item_per_line = len(lines) >= _MIN_ITEM_LINES and all(map(_may_be_item, lines))
    in_list = False
    first = 0
    for index, line in enumerate(lines):
        # "on the\n3. of May" is no list: an item follows an item, or the end of a sentence.
        if _LIST_ITEM.match(line):
            before = lines[index - 1].rstrip().rstrip(_CLOSING)
            in_list = in_list or index == 0 or before.endswith(_LEADS_IN)
            starts = in_list
        else:
            row = _CELLS in line or (index > 0 and _CELLS in lines[index - 1])
            starts = item_per_line or row
        if starts and index > first:
            yield "".join(lines[first:index])
            first = index
    yield "".join(lines[first:])


def _may_be_item(line: str) -> bool:
    line = line.strip()
    starts_item = line[:1].isupper() or line[:1].isdigit()
    return starts_item and len(line) <= _MAX_ITEM_CHARS and not line.endswith((",", ";", "-"))


def _boundaries(block: str, language: str) -> Iterator[int]:
    """Yield where the sentences of a block end; the last is the block's end."""
    start = 0
    while start < len(block):
        part = block[start : start + _WINDOW]
        ends = list(_part_boundaries(part, language))
        if start + len(part) < len(block):
            # What follows decides where the last one ends; a part without any end is cut.
            ends = ends[:-1] or [best_cut(block, start, start + len(part), len(block)) - start]
        yield from (start + end for end in ends)
        start += ends[-1] if ends else len(part)


def _part_boundaries(block: str, language: str) -> Iterator[int]:
    known = _LANGUAGE.match(language.lower())
    code = known[0] if known else "en"
    # Replace characters that sentencex cannot handle: it panics at an initial after a space that is
    # not ASCII ("z.", no-break space, "B."), refuses lone surrogates, and takes
    # "(Figure 1) … (Figure 2)" for a list without sentences.
    plain = _SURROGATE.sub("\ufffd", _ODD_SPACE.sub(" ", block)).translate(_NO_MARKERS)
    end = 0
    for found in sentencex.get_sentence_boundaries(code, plain):
        end = max(end, found["end_index"])
        if cluster := _GRAPHEME.match(block, end - 1):
            end = cluster.end()  # "！" and its variation selector stay together
        if end == len(block) or not _is_torn(block, end, code):
            yield end


def _is_torn(text: str, at: int, language: str) -> bool:
    """Tell whether sentencex wrongly ends a sentence at ``at``."""
    before, after = text[at - 1], text[at]
    if before in ".!?" and (after in "-_/=&#%@" or (after.isalnum() and after < "\u2e80")):
        return True  # System.IO, J.-P.; only scripts from U+2E80 on put no space between sentences
    if before in "」』”）" and "\u3041" <= after <= "\u309f":
        return True  # Japanese: 「はい。」と言った
    tail = text[max(0, at - _FRAGMENT_CHARS) : at]
    if after.islower() and tail.rstrip().endswith("."):
        return True  # "5 млн. рублей"; sentencex knows this of a to z only
    known = _ABBREVIATIONS.get(language)
    if known and known.search(tail):
        return True
    unfinished = _UNFINISHED.get(language, _INITIALS)
    return bool(_INITIALS.search(tail) or unfinished.search(tail))


def _join_fragments(text: str, spans: list[Span]) -> list[Span]:
    """Join pieces that are no sentences: ``1.`` to the next one, ``)`` to the one before."""
    joined: list[Span] = []
    waiting: int | None = None
    for start, end in spans:
        piece = text[start : min(end, start + _FRAGMENT_CHARS + 1)]
        tiny = len(piece) <= _FRAGMENT_CHARS
        wordless = tiny and not any(map(str.isalpha, piece))
        if tiny and end != spans[-1][1] and (_LEADER.fullmatch(piece) or (wordless and not joined)):
            waiting = start if waiting is None else waiting
        elif wordless and joined and waiting is None:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start if waiting is None else waiting, end))
            waiting = None
    return joined
