"""Escapes texts for Discord's markdown, and makes quotes and links to a passage; pure.

Discord has no way to send plain text. This module escapes all that its clients format, link or
mention, so that an article may hold anything: people see its characters, and nothing happens.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from urllib.parse import quote as percent_encoded
from urllib.parse import urlsplit

from qabot.text import UNPRINTABLE, printable
from qabot.types import Span

# Escaped everywhere. Escaping "@" and "#" inside "<@1>" also keeps programs that read the raw text
# from finding a mention.
_MARKUP = re.compile(
    r"[\\*_~|`\[\]<>#@]"
    # Addresses and :emoji:, and a colon before another: text between two would name an emoji.
    r"|:(?=/|[^ \t\n:]*:)"
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD]\.[gG]{2})/"  # Invitations work without https://.
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD]\.[cC][oO][mM])/"
    r"|(?<=[dD][iI][sS][cC][oO][rR][dD][aA][pP]{2}\.[cC][oO][mM])/"
)
# No backslash stops these mentions, so an invisible character is added: our only addition.
_EVERYONE = re.compile(r"@(?=everyone|here)")
_STRONG = ("L", "R", "AL")
_RIGHT_TO_LEFT = "\N{RIGHT-TO-LEFT MARK}"
_ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
# Lists, which are escaped after their number or at their dash.
_LIST = re.compile(r"[ \t]*(?:[-+]|\d+[.)])")
# Ends of lines, as one client or another sees them.
_LINE_STARTS = re.compile(r"^|[\n\u2028\u2029]")

_LONGEST_ADDRESS = 512  # Of a link button.
_FRAGMENT_WORDS, _FRAGMENT_CHARACTERS = 5, 40


def inert(text: str) -> str:
    """Escape ``text`` so that Discord shows its characters and does nothing with them.

    Control characters are left out. "@everyone" and "@here" get an invisible character after the
    "@"; everything else is escaped by backslashes, which are not shown.
    """
    return "".join(_pieces(text))


def quote_block(text: str, highlights: Sequence[Span] = ()) -> str:
    """Make a block quote of ``text``, with ``highlights`` (offsets in ``text``) in bold.

    Every line is quoted, so that nothing in the text can end the quote. Bold ends with each line
    and never includes the blanks around it.
    """
    bold = _bold_parts(text, highlights)
    pieces = _pieces(text, [start for start, _ in bold])
    for start, end in bold:
        pieces[start] = f"**{pieces[start]}"
        pieces[end - 1] = f"{pieces[end - 1]}**"
    return "\n".join(f"> {directed(line)}" for line in "".join(pieces).split("\n"))


def directed(line: str) -> str:
    """Enclose a line that reads from right to left in invisible marks.

    Without them, Discord moves punctuation at its ends to the wrong side. Other lines stay.
    """
    first = next((d for c in line if (d := unicodedata.bidirectional(c)) in _STRONG), "L")
    return line if first == "L" else f"{_RIGHT_TO_LEFT}{line}{_RIGHT_TO_LEFT}"


def one_line(text: str, longest: int) -> str:
    """Put ``text`` on one line, inert, cut to at most ``longest`` characters."""
    text = " ".join(printable(text).split())
    shown = inert(text)
    kept = len(text)
    while len(shown) > longest:
        # Escapes make it up to twice as long.
        kept -= max(1, (len(shown) - longest) // 2)
        shown = f"{inert(text[:kept].rstrip())}…"
    return shown


def link(label: str, address: str | None) -> str | None:
    """Make a masked link; ``None`` if ``address`` cannot be linked.

    Args:
        label: Our own text, never an article's.
    """
    safe = web_address(address)
    return f"[{label}](<{safe}>)" if safe else None


def web_address(address: str | None) -> str | None:
    """Return ``address`` in ASCII without brackets; ``None`` if it is no short http address."""
    if not address:
        return None
    safe = percent_encoded(printable(address).strip(), safe="%/:?#@!$&'*+,;=~-._[]")
    safe = safe.replace("[", "%5B").replace("]", "%5D")
    try:
        urlsplit(address)
        # Check the encoded address: it is the one that is linked.
        parts = urlsplit(safe)
    except ValueError:
        return None
    is_web = parts.scheme in ("http", "https") and parts.netloc
    return safe if is_web and len(safe) <= _LONGEST_ADDRESS else None


def text_fragment_url(url: str | None, text: str) -> str | None:
    """Add a fragment to ``url`` that makes browsers scroll to ``text`` and mark it.

    For a long text, the fragment names its first and last words.

    Returns:
        ``None`` if ``url`` is no web address; the address alone if a fragment would make it too
        long.
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
    # Dashes and commas have a meaning in fragments; quote() leaves dashes alone.
    return percent_encoded(text, safe="").replace("-", "%2D")


def _pieces(text: str, starts: Sequence[int] = ()) -> list[str]:
    """Return the escaped form of each character of ``text``.

    Args:
        starts: Offsets where formatting begins; some clients treat them like the start of a line.
    """
    if not UNPRINTABLE.search(text):
        return _marked_up(text, starts)
    # Characters that are left out must not hide markup: their neighbours meet.
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
    """Return ``highlights`` in order, disjoint, each within a line and without blanks around."""
    merged: list[Span] = []
    for start, end in sorted(highlights):
        # Merge also if nothing visible is between them: adjacent stars would be shown.
        if merged and not printable(text[merged[-1][1] : start]):
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return [part for span in merged for part in _line_parts(text, span)]


def _line_parts(text: str, span: Span) -> Iterator[Span]:
    for match in re.compile(r"[^\n]+").finditer(text, *span):
        start, end = match.span()
        # Unprintable characters are left out and take no stars.
        while start < end and not printable(text[start]).strip():
            start += 1
        while start < end and not printable(text[end - 1]).strip():
            end -= 1
        if start < end:
            yield start, end
