"""Cut an article into passages and sentences, by offset: pure, nothing of the text is changed.

From the outside in:

1. *Sections* begin with a heading and carry the path of the headings above them. A heading is the
   first sentence of its section's first passage, because news headings often answer by themselves
   ("On the board: …"); only the article's own title stands outside all passages.
2. *Paragraphs* are separated by a blank line. One that fits into a passage stays whole; a longer
   one is cut between sentences into the fewest pieces, of balanced size. Small ones are merged with
   their neighbours, forward first; full-sized ones are not, as retrieval was measured with passages
   of a paragraph each.
3. *Lines* matter only in lists: a bullet or number begins a sentence, and so does every line of a
   paragraph of three or more short, capitalised lines. Other line breaks are hard wrapping.
4. *Sentences* come from sentencex, mended by ``_is_torn`` and ``_join_fragments``. One that alone
   is too long for a passage is cut at punctuation, else at a space, else anywhere.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

import regex
import sentencex

from qabot.types import Article, Heading, Passage, Span

CHUNKER_VERSION: int = 3
"""To be raised with every change that can move a boundary."""

TokenCounter = Callable[[Sequence[str]], list[int]]
"""The number of model tokens of each text."""

_BLANK_LINE = re.compile(r"\n\s*\n|\r(?!\n)\s*\r(?!\n)|\u2029")
_BULLETS = "•◦▪▫■□●○⁃◆◇★☆➤▶▸►‣"
_LIST_ITEM = re.compile(rf"\s*(?:[{_BULLETS}*+–—-]\s|\(?(?:\d{{1,3}}|[A-Za-z])[.)]\s|\|)")
_MIN_ITEM_LINES, _MAX_ITEM_CHARS = 3, 40
_LEADS_IN = tuple(".!?:;…。！？：；؟।")
_CLOSING = "\"'”’»)]」』）"

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_ODD_SPACE = re.compile(r"[^\S ]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NO_MARKERS = str.maketrans({")": "]", **dict.fromkeys(_BULLETS, "-")})

# What is no sentence: a short piece without a letter, and what leads in the next one.
_FRAGMENT_CHARS = 20
_LEADER = re.compile(rf"[{_BULLETS}*+–—-]|\(?(?:\d{{1,3}}|[^\W\d_])[.)]|[„‚(\[{{「『（【《¿¡]+")
# After these sentencex sees an end where a sentence goes on: J.-P. Roux, im 19. Jahrhundert,
# M. Dupont, titles in Hindi; a full stop after a Thai letter is an abbreviation's.
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

# Where to cut a sentence that is too long for a passage, best first.
_CUTS = (
    re.compile(r"[.!?…؟]+[\"'”’»)\]]*\s+|[。！？।॥]+[」』”’）]*"),
    re.compile(r"[,;:،؛]+[\"'”’»)\]]*\s+|\s[–—-]+\s+|[，、；：]+[」』”’）]*"),
    re.compile(r"\s+"),
)
# sentencex takes time with the square of what it is given, where that has no end of a sentence.
_WINDOW = 10_000
_GRAPHEME = regex.compile(r"\X")
_CLUSTER_REACH = 32
_FILL = 0.8
# A paragraph of this share of a passage is merged: a line of a list or a dialogue. Two sentences
# are a passage of their own; merging them cost retrieval up to two points.
_SMALL = 1 / 8


class _Unit(NamedTuple):
    """A sentence, or a piece of an overlong one: ``text[start:end]``."""

    start: int
    end: int
    tokens: int


def split_article(
    article: Article, count_tokens: TokenCounter, max_tokens: int = 200
) -> list[Passage]:
    """Cut an article into passages.

    Every character outside the headings that is not white space is in exactly one sentence of one
    passage. Every heading is in the path of a passage or, where nothing stands below it, the text
    of one.

    Args:
        article: The article; its headings are in order and do not overlap.
        count_tokens: Counts the tokens of many texts at once. It is called once with all sentences
            and, if some are too long, once more for each round of cutting those.
        max_tokens: The most tokens of a passage, summed over its sentences. Only a single
            character that alone has more exceeds it.

    Returns:
        The passages, in the order of the text.

    Raises:
        ValueError: ``max_tokens`` is less than 1.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1, not {max_tokens}")
    sections = list(_sections(article))
    sentences = [span for _, paragraphs in sections for spans in paragraphs for span in spans]
    units = _measure(article.text, sentences, count_tokens, max_tokens)
    starts = [unit.start for unit in units]
    passages = []
    done = 0
    for path, paragraphs in sections:
        measured = []
        for spans in paragraphs:
            first, done = done, bisect_left(starts, spans[-1][1], done)
            measured.append(units[first:done])
        passages += [_passage(article, path, group) for group in _pack(measured, max_tokens)]
    return passages


def _passage(article: Article, path: tuple[str, ...], units: list[_Unit]) -> Passage:
    start, end = units[0].start, units[-1].end
    return Passage(
        article_id=article.info.id,
        start=start,
        end=end,
        text=article.text[start:end],
        headings=path,
        sentences=tuple((unit.start - start, unit.end - start) for unit in units),
    )


def _sections(article: Article) -> Iterator[tuple[tuple[str, ...], list[list[Span]]]]:
    """The path of each section and the sentences of each of its paragraphs."""
    text, language = article.text, article.info.language

    def title(heading: Heading) -> str:
        return text[heading.start : heading.end].strip()

    headings = [heading for heading in article.headings if title(heading)]
    ends = [*(heading.start for heading in headings), len(text)]
    if preface := _paragraphs(text, 0, ends[0], language):
        yield (), preface
    above: list[Heading] = []
    for index, heading in enumerate(headings):
        above = [outer for outer in above if outer.level < heading.level]
        path = tuple(map(title, above))
        above.append(heading)
        following = headings[index + 1 : index + 2]
        if paragraphs := _paragraphs(text, heading.end, ends[index + 1], language):
            if title(heading) != article.info.title:
                paragraphs[0].insert(0, _strip(text, heading.start, heading.end))
            yield (*path, title(heading)), paragraphs
        elif not (following and following[0].level > heading.level):
            # Nothing below it will carry this heading in its path, so it has to speak for itself.
            yield path, [[_strip(text, heading.start, heading.end)]]


def _paragraphs(text: str, start: int, end: int, language: str) -> list[list[Span]]:
    paragraphs = []
    for blank in _BLANK_LINE.finditer(text, start, end):
        paragraphs.append(_sentences(text, start, blank.start(), language))
        start = blank.end()
    paragraphs.append(_sentences(text, start, end, language))
    return [sentences for sentences in paragraphs if sentences]


def _sentences(text: str, start: int, end: int, language: str) -> list[Span]:
    spans = []
    last = start
    for block in _blocks(text[start:end]):
        for boundary in _boundaries(block, language):
            spans.append(_strip(text, last, start + boundary))
            last = start + boundary
        start += len(block)
    return _join_fragments(text, [span for span in spans if span[0] < span[1]])


def _strip(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


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
            starts = item_per_line
        if starts and index > first:
            yield "".join(lines[first:index])
            first = index
    yield "".join(lines[first:])


def _may_be_item(line: str) -> bool:
    line = line.strip()
    starts_item = line[:1].isupper() or line[:1].isdigit()
    return starts_item and len(line) <= _MAX_ITEM_CHARS and not line.endswith((",", ";", "-"))


def _boundaries(block: str, language: str) -> Iterator[int]:
    """Where the sentences of a block end; the last is the block's end."""
    start = 0
    while start < len(block):
        part = block[start : start + _WINDOW]
        ends = list(_part_boundaries(part, language))
        if start + len(part) < len(block):
            # Where the last one ends is told by what follows; one without an end is cut.
            ends = ends[:-1] or [_best_cut(block, start, start + len(part), len(block)) - start]
        yield from (start + end for end in ends)
        start += ends[-1] if ends else len(part)


def _part_boundaries(block: str, language: str) -> Iterator[int]:
    known = _LANGUAGE.match(language.lower())
    code = known[0] if known else "en"
    # For sentencex, one character is put for another where it goes wrong: it panics at an initial
    # after a space that is not ASCII ("z.", no-break space, "B."), refuses lone surrogates, and
    # takes "(Figure 1) … (Figure 2)" for a list without sentences.
    plain = _SURROGATE.sub("\ufffd", _ODD_SPACE.sub(" ", block)).translate(_NO_MARKERS)
    end = 0
    for found in sentencex.get_sentence_boundaries(code, plain):
        end = max(end, found["end_index"])
        if cluster := _GRAPHEME.match(block, end - 1):
            end = cluster.end()  # "！" and its variation selector stay together
        if end == len(block) or not _is_torn(block, end, code):
            yield end


def _is_torn(text: str, at: int, language: str) -> bool:
    """Whether sentencex sees the end of a sentence at ``at`` where none is."""
    before, after = text[at - 1], text[at]
    if before in ".!?" and (after in "-_/=&#%@" or (after.isalnum() and after < "\u2e80")):
        return True  # System.IO, J.-P.; only scripts from U+2E80 on put no space between sentences
    if before in "」』”）" and "\u3041" <= after <= "\u309f":
        return True  # Japanese: 「はい。」と言った
    tail = text[max(0, at - _FRAGMENT_CHARS) : at]
    if after.islower() and tail.rstrip().endswith("."):
        return True  # "5 млн. рублей"; sentencex knows this of a to z only
    unfinished = _UNFINISHED.get(language, _INITIALS)
    return bool(_INITIALS.search(tail) or unfinished.search(tail))


def _join_fragments(text: str, spans: list[Span]) -> list[Span]:
    """Join what is no sentence by itself: ``1.`` to the next, ``)`` to the one before."""
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


def _measure(
    text: str, spans: list[Span], count_tokens: TokenCounter, max_tokens: int
) -> list[_Unit]:
    """Count the tokens of each span; cut those that have more than ``max_tokens``."""
    units = []
    while spans:
        counts = count_tokens([text[start:end] for start, end in spans])
        pieces: list[Span] = []
        for (start, end), tokens in zip(spans, counts, strict=True):
            if tokens <= max_tokens or end - start == 1:
                units.append(_Unit(start, end, tokens))
            else:
                # Not filled to the brim, as pieces differ in length and in tokens per character.
                pieces += _cut(text, start, end, math.ceil(tokens / (_FILL * max_tokens)))
        spans = pieces
    return sorted(units)


def _cut(text: str, start: int, end: int, pieces: int) -> Iterator[Span]:
    """Cut a sentence into about so many pieces of about equal length, but at least two."""
    for left in range(pieces, 1, -1):
        if end - start == 1:
            break
        at = _best_cut(text, start, start + max(1, round((end - start) / left)), end)
        piece = _strip(text, start, at)
        if piece[0] < piece[1]:
            yield piece
        start = at
    yield _strip(text, start, end)


def _best_cut(text: str, start: int, ideal: int, end: int) -> int:
    """The best place near ``ideal`` for a cut, after ``start`` and before ``end``."""

    def distance(cut: int) -> int:
        return abs(cut - ideal)

    def splits_cluster(cut: int) -> bool:
        return _GRAPHEME.fullmatch(text[cut - 1 : cut + 1]) is not None

    slack = (ideal - start) // 4
    for pattern in _CUTS:
        found = pattern.finditer(text, ideal - slack, min(ideal + slack, end - 1))
        cuts = [cut.end() for cut in found if not splits_cluster(cut.end())]
        if cuts:
            return min(cuts, key=distance)
    # Anywhere, but between two characters as people see them, unless there is one without end.
    origin, limit = max(start, ideal - _CLUSTER_REACH), min(end, ideal + _CLUSTER_REACH)
    while origin > start and "\U0001f1e6" <= text[origin] <= "\U0001f1ff":
        origin -= 1  # which letters of a row of flags are pairs, only its first one tells
    # A slice, as regex looks back over the whole row, however long, at each of them.
    starts = [origin + cluster.start() for cluster in _GRAPHEME.finditer(text[origin:limit])]
    return min(starts[1:], key=distance, default=ideal)


def _pack(paragraphs: list[list[_Unit]], max_tokens: int) -> list[list[_Unit]]:
    """Group the sentences of a section's paragraphs into passages."""
    small = max_tokens * _SMALL

    def is_small(units: list[_Unit]) -> bool:
        return _size(units) < small

    blocks = [
        block for units in paragraphs for block in _even([[unit] for unit in units], max_tokens)
    ]
    groups: list[list[_Unit]] = []
    for are_small, run in groupby(blocks, key=is_small):
        members = list(run)
        groups += _even(members, max_tokens) if are_small else members
    for merges_left in (True, False):
        packed: list[list[_Unit]] = []
        for group in groups:
            mergeable = packed and is_small(packed[-1] if merges_left else group)
            if mergeable and _size(packed[-1]) + _size(group) <= max_tokens:
                packed[-1] = packed[-1] + group
            else:
                packed.append(group)
        groups = packed
    return groups


def _even(parts: list[list[_Unit]], limit: int) -> Iterator[list[_Unit]]:
    """Join the parts into the fewest runs of at most ``limit`` tokens, as equal as can be."""
    count = len(parts)
    total = [0, *accumulate(map(_size, parts))]
    filled = [max(i + 1, bisect_right(total, total[i] + limit) - 1) for i in range(count)]
    fewest = [0] * (count + 1)
    for i in reversed(range(count)):
        fewest[i] = 1 + fewest[filled[i]]
    start = 0
    for left in range(fewest[0], 0, -1):
        target = total[start] + (total[count] - total[start]) / left
        end = min(bisect_left(total, target, start + 1), filled[start])
        if end - 1 > start and target - total[end - 1] < total[end] - target:
            end -= 1
        while fewest[end] >= left:  # the rest would not fit into the runs that are left
            end += 1
        yield [unit for part in parts[start:end] for unit in part]
        start = end


def _size(units: list[_Unit]) -> int:
    return sum(unit.tokens for unit in units)
