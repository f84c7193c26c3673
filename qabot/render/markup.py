"""Discord's markdown: texts that show exactly what they say, quotes, and links to a passage; pure.

Discord has no way to send plain text. What is escaped here is all that its clients format, link or
mention, so that an article may hold anything: people see its characters, and nothing happens.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from qabot.text import UNPRINTABLE, printable
from qabot.types import Span

# Escaped wherever they stand. "@" and "#" inside "<@1>" keep even a reader of the raw text from
# finding a mention there.
_MARKUP = re.compile(
    r"[\\*_~|`\[\]<>#@]"
    # Addresses and :emoji:, and a colon before another: what is put between them would name one.
    r"|:(?=/|[^ \t\n:]*:)"
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD]\.[gG]{2})/"  # Invitations need no https://.
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD]\.[cC][oO][mM])/"
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD][aA][pP]{2}\.[cC][oO][mM])/"
)
# No character of these can be escaped, and no client is asked first: the one thing that is added.
_EVERYONE = re.compile(r"@(?=everyone|here)")
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
# Lists, which are escaped behind their number or at their dash.
_LIST = re.compile(r"[ \t]*(?:[-+]|\d+[.)])")
# What one client or another takes for the end of a line.
_LINE_STARTS = re.compile(r"^|[\n\u2028\u2029]")

_LONGEST_ADDRESS = 512  # Of a link button.
_FRAGMENT_WORDS, _FRAGMENT_CHARACTERS = 5, 40


def inert(text: str) -> str:
    """``text`` so that Discord shows its characters and does nothing with them.

    Control characters are left out, as everywhere. In "@everyone" and "@here" an invisible
    character stands after the "@"; all else is done by backslashes, which are not shown.
    """
    return "".join(_pieces(text))


def quote_block(text: str, highlights: Sequence[Span] = ()) -> str:
    """``text`` as a block quote, with ``highlights`` (offsets in ``text``) in bold.

    Every line is quoted, so that nothing in the text can end the quote; bold ends with each line
    and never takes in the blanks round it.
    """
    bold = _bold_parts(text, highlights)
    pieces = _pieces(text, [start for start, _ in bold])
    for start, end in bold:
        pieces[start] = f"**{pieces[start]}"
        pieces[end - 1] = f"{pieces[end - 1]}**"
    return "\n".join(f"> {line}" for line in "".join(pieces).split("\n"))


def one_line(text: str, longest: int) -> str:
    """``text`` on one line, inert, and cut where the result would be longer than that."""
    text = " ".join(printable(text).split())
    shown = inert(text)
    kept = len(text)
    while len(shown) > longest:
        # Escapes make it up to twice as long.
        kept -= max(1, (len(shown) - longest) // 2)
        shown = f"{inert(text[:kept].rstrip())}…"
    return shown


def link(label: str, address: str | None) -> str | None:
    """A masked link, or ``None`` where ``address`` is none that can be linked.

    Args:
        label: Ours, never an article's.
    """
    safe = web_address(address)
    return f"[{label}](<{safe}>)" if safe else None


def web_address(address: str | None) -> str | None:
    """``address`` in ASCII without brackets, or ``None`` if it is no short http address."""
    if not address:
        return None
    safe = percent_encoded(printable(address).strip(), safe="%/:?#@!$&'*+,;=~-._[]")
    safe = safe.replace("[", "%5B").replace("]", "%5D")
    try:
        urlsplit(address)
        # Of an address as it was given, blanks would be passed over; these are linked.
        parts = urlsplit(safe)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and parts.netloc
    return safe if is_web and len(safe) <= _LONGEST_ADDRESS else None


def text_fragment_url(url: str | None, text: str) -> str | None:
    """``url`` with a fragment by which browsers scroll to ``text`` and mark it.

    Only how the text begins and ends is named where it is long. ``None`` where there is no web
    address; the address alone where a fragment would make it too long.
    """
    address = web_address(url)
    if address is None or url is None:
        return None
    separator = ":~:" if "#" in address else "#:~:"
    return web_address(f"{address}{separator}text={_fragment(text)}") or address


def _fragment(text: str) -> str:
    lines = [line.strip() for line in printable(text).split("\n") if line.strip()]
    if not lines:
        return ""
    whole = " ".join(lines[0].split())
    if len(lines) == 1 and len(whole) <= _FRAGMENT_CHARACTERS:
        return _encoded(whole)
    begin, end = lines[0].split(), lines[-1].split()
    first = " ".join(begin[:_FRAGMENT_WORDS])[:_FRAGMENT_CHARACTERS]
    last = " ".join(end[-_FRAGMENT_WORDS:])[-_FRAGMENT_CHARACTERS:]
    return f"{_encoded(first)},{_encoded(last)}"


def _encoded(text: str) -> str:
    # A dash and a comma have a meaning in fragments, which quote() would leave as they are.
    return percent_encoded(text, safe="").replace("-", "%2D")


def _pieces(text: str, starts: Sequence[int] = ()) -> list[str]:
    """What stands for each character of ``text``.

    Args:
        starts: Where formatting begins, which some clients read like a line's start.
    """
    if not UNPRINTABLE.search(text):
        return _marked_up(text, starts)
    # What is left out must not hide markup from here: without it, its neighbours meet.
    kept = [place for place, character in enumerate(text) if printable(character)]
    marked = _marked_up(printable(text), [bisect_left(kept, start) for start in starts])
    pieces = [""] * len(text)
    for place, piece in zip(kept, marked, strict=True):
        pieces[place] = piece
    return pieces


def _marked_up(text: str, starts: Sequence[int]) -> list[str]:
    pieces = list(text)
    for match in _MARKUP.finditer(text):
        pieces[match.start()] = f"\\{match[0]}"
    for match in _EVERYONE.finditer(text):
        pieces[match.start()] = f"@{_ZERO_WIDTH_SPACE}"
    for start in [*(match.end() for match in _LINE_STARTS.finditer(text)), *starts]:
        if found := _LIST.match(text, start):
            pieces[found.end() - 1] = f"\\{text[found.end() - 1]}"
    return pieces


def _bold_parts(text: str, highlights: Sequence[Span]) -> list[Span]:
    """``highlights`` in order, apart from each other, each on one line and without blanks round."""
    merged: list[Span] = []
    for start, end in sorted(highlights):
        # Also where nothing can be seen between them: stars that met would be shown.
        if merged and not printable(text[merged[-1][1] : start]):
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return [part for span in merged for part in _line_parts(text, span)]


def _line_parts(text: str, span: Span) -> Iterator[Span]:
    for match in re.compile(r"[^\n]+").finditer(text, *span):
        start, end = match.span()
        # What is not printable is not there, and takes no stars.
        while start < end and not printable(text[start]).strip():
            start += 1
        while start < end and not printable(text[end - 1]).strip():
            end -= 1
        if start < end:
            yield start, end
