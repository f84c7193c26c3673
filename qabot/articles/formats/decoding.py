"""Bytes to text: UTF-8 and UTF-16/32 by their rules, older encodings by what they would mean.

For short texts in legacy encodings no statistic of bytes alone is reliable: in half of the
encodings Swedish looks as orderly as in the right one. So charset-normalizer is only asked for the
encodings of the web, and a candidate counts when the language it decodes to is one that people
wrote in that encoding.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

from qabot.articles.formats.language import likelihood
from qabot.articles.formats.old_encodings import old_cyrillic, older_encoding
from qabot.errors import ArticleError

_MAGIC = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"SQLite format 3", "a database"),
)
# What is read under another name.
_MISNAMED = (
    (b"%PDF-", "a PDF document", "rename it to .pdf"),
    (b"PK\x03\x04", "a ZIP archive or an Office document", "rename it to .docx, .odt or .epub"),
)
_BYTE_ORDER_MARKS = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16.
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# fmt: off
_WEST = frozenset({
    "af", "an", "br", "ca", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fo", "fr", "fy", "ga",
    "gd", "gl", "ht", "id", "is", "it", "jv", "lb", "mg", "ms", "mt", "nb", "nl", "nn", "no", "oc",
    "pt", "se", "sq", "sv", "sw", "tl", "wa",
})
# fmt: on
_CENTRAL = frozenset({"bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq", "sr"})
_CYRILLIC = frozenset({"be", "bg", "kk", "ky", "mk", "mn", "ru", "sr", "tg", "tt", "uk"})
_BALTIC = frozenset({"et", "lt", "lv"})
_ARABIC = frozenset({"ar", "fa", "ps", "ug", "ur"})
_ENCODINGS: dict[str, frozenset[str]] = {
    # Which languages were written in it. Of equally good candidates the upper one is taken.
    "cp932": frozenset({"ja"}),
    "euc_jp": frozenset({"ja"}),
    "gb18030": frozenset({"zh"}),
    "cp949": frozenset({"ko"}),
    "big5": frozenset({"zh"}),
    "big5hkscs": frozenset({"zh"}),
    "cp1252": _WEST,
    "iso8859_6": _ARABIC,
    "cp1255": frozenset({"he"}),
    "iso8859_8": frozenset({"he"}),
    "cp1256": _ARABIC,
    "cp1253": frozenset({"el"}),
    "iso8859_7": frozenset({"el"}),
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "koi8_u": _CYRILLIC,
    "iso8859_5": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": frozenset({"az", "tr"}),
    "iso8859_9": frozenset({"az", "tr"}),
    "cp1257": _BALTIC,
    "iso8859_13": _BALTIC,
    "cp1258": frozenset({"vi"}),
    "cp874": frozenset({"th"}),
}
# They differ in a few letters only, which statistics of bytes don't tell.
_CENTRAL_ENCODINGS = ("cp1250", "iso8859_2", "cp852")
_LEAST_LIKELY = 0.99
_ALIASES = {
    # What pages mean by these names, after the WHATWG's Encoding Standard.
    "ascii": "cp1252",
    "iso8859_1": "cp1252",
    "latin_1": "cp1252",
    "iso8859_15": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis_620": "cp874",
}
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w:.-]+)", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*>")
_NON_ASCII = re.compile("[^\x00-\x7f]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
# No text has these, so it is another script: Hebrew and Arabic vowels that belong to no letter,
# Hebrew and Greek letters of the ends of words within one, Arabic ones likewise.
_IMPOSSIBLE = re.compile(
    "(?<![\u0590-\u07ff])[\u0591-\u05bd\u05bf\u064b-\u0652]"
    "|[\u05da\u05dd\u05df\u05e3\u05e5](?=[\u05d0-\u05ea])"
    "|\u03c2(?=[\u03ac-\u03ce])"
    "|\u0629(?=[\u0621-\u063a\u0641-\u064a])"
)
_CONTROL_SHARE = 0.05
_DAMAGED_SHARE = 0.2
_NUL_SHARE, _CLEAN_NUL_SHARE, _UTF_16_ZEROS, _ONE_SCRIPT = 0.01, 0.1, 0.5, 0.9
_BROKEN = "\N{REPLACEMENT CHARACTER}"
# The first bytes of two: Greek to Georgian, and the scripts of East Asia.
_ALPHABETS = range(0x03, 0x11)
_KANA, _IDEOGRAPHS, _HANGUL, _FULL_WIDTH = (0x30,), range(0x4E, 0xA0), range(0xAC, 0xD8), (0xFF,)
_DECLARATION_WITHIN = 4_096
_SAMPLE = 2_000
_REMEDY = "remove it or convert it to UTF-8 text"


def decode(data: bytes, *, markup: bool = False) -> str:
    """The text that ``data`` holds.

    Args:
        data: The bytes of a file.
        markup: Whether it is HTML, which may declare its encoding and whose tags say nothing.

    Raises:
        ArticleError: It is no text, or damaged, or in no encoding that can be told.
    """
    for magic, name in _MAGIC:
        if data.startswith(magic):
            raise ArticleError(f"not a text file (looks like {name}); {_REMEDY}")
    for magic, name, remedy in _MISNAMED:
        if data.startswith(magic):
            raise ArticleError(f"not a text file (looks like {name}); {remedy} if it is one")
    text = _decode_unicode(data, declared=markup and _declares_utf_8(data))
    if text is None:
        text = _decode_legacy(data, markup=markup)
    if len(_CONTROL.findall(text)) > _CONTROL_SHARE * len(text):
        raise ArticleError(f"not a text file (full of control characters); {_REMEDY}")
    return text


def _decode_unicode(data: bytes, *, declared: bool) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _marked(data, encoding)
    if b"\x00" in data:
        if text := _unmarked_utf_16(data):
            return text
        data = _without_nuls(data)
    if data.isascii() and b"\x1b$" in data and (text := _strict(data, "iso2022_jp")):
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _damaged_utf_8(data, declared=declared)


def _marked(data: bytes, encoding: str) -> str:
    """UTF-16 or UTF-32 with a byte order mark, with U+FFFD for what is broken in it."""
    text = data.decode(encoding, "replace")
    if text.count(_BROKEN) > max(1, _NUL_SHARE * len(text)) and _strict(data, encoding) is None:
        raise ArticleError(f"damaged {encoding.upper()}; save it again as UTF-8")
    return text


def _without_nuls(data: bytes) -> bytes:
    """``data`` with U+FFFD for each NUL, but for those that only fill up its end.

    In UTF-8 that is text otherwise, NULs are damage; other files full of them are no text.
    """
    data = data.rstrip(b"\x00")
    text = _strict(data.replace(b"\x00", b""), "utf-8")
    clean = text is not None and not _CONTROL.search(text)
    if data.count(0) > max(1, (_CLEAN_NUL_SHARE if clean else _NUL_SHARE) * len(data)):
        raise ArticleError(f"not a text file (contains NUL bytes); {_REMEDY}")
    return data.replace(b"\x00", _BROKEN.encode())


def _unmarked_utf_16(data: bytes) -> str | None:
    """UTF-16 without a byte order mark, where most characters are of one script."""
    if len(data) % 2:
        # Cut off within a character.
        data = data[:-1]
    for encoding, high in (("utf-16-le", data[1::2]), ("utf-16-be", data[0::2])):
        latin = high.count(0) > _UTF_16_ZEROS * len(high)
        if latin or (_one_script(high) and not _is_plain_utf_8(data)):
            text = _strict(data, encoding)
            if text and "\x00" not in text and (latin or not _CONTROL.search(text)):
                return text
    return None


def _is_plain_utf_8(data: bytes) -> bool:
    text = _strict(data, "utf-8")
    if text is None:
        return False
    return len(_CONTROL.findall(text)) - text.count("\x00") <= _CONTROL_SHARE * len(text)


def _one_script(high: bytes) -> bool:
    """Tell whether the first bytes of two say one script, or Chinese and what stands with it."""
    counts = Counter(high)
    # Blanks and ends of lines.
    letters = len(high) - counts[0]
    dense = sum(counts[byte] for byte in (*_KANA, *_IDEOGRAPHS, *_HANGUL, *_FULL_WIDTH))
    others = max((counts[byte] for byte in _ALPHABETS), default=0)
    return counts[0] > 0 and max(dense, others) > _ONE_SCRIPT * letters


def _declares_utf_8(data: bytes) -> bool:
    match = _DECLARED.search(data, 0, _DECLARATION_WITHIN)
    return match is not None and match[1].lower() in (b"utf-8", b"utf8")


def _damaged_utf_8(data: bytes, *, declared: bool) -> str | None:
    """UTF-8 with U+FFFD for what is broken in it; ``None`` for what is another encoding."""
    # Mostly valid multi-byte sequences do not come about by chance: guessing another encoding
    # because of one broken byte would garble every other letter.
    text = data.decode("utf-8", "replace")
    broken = text.count(_BROKEN)
    valid = sum(not character.isascii() for character in text) - broken
    return text if broken <= (1 if declared else _DAMAGED_SHARE) * valid else None


def _decode_legacy(data: bytes, *, markup: bool) -> str:
    declared = _declared_encoding(data) if markup else None
    for encoding in (declared, _detected_encoding(_TAG.sub(b" ", data) if markup else data)):
        text = _strict(data, encoding) if encoding else None
        if text is not None:
            return text
    raise ArticleError(f"not a text file (no text encoding fits); {_REMEDY}")


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _declared_encoding(data: bytes) -> str | None:
    match = _DECLARED.search(data, 0, _DECLARATION_WITHIN)
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii")).name.replace("-", "_")
    except (LookupError, UnicodeDecodeError):
        return None
    name = _ALIASES.get(name, name)
    return name if name in _ENCODINGS else None


def _detected_encoding(data: bytes) -> str | None:
    from charset_normalizer import from_bytes

    # One at a time: given several, it drops those that resemble one that failed.
    results = (
        from_bytes(data, cp_isolation=[name], preemptive_behaviour=False, enable_fallback=False)
        for name in _ENCODINGS
    )
    matches = [
        match
        for result in results
        if (match := result.best()) and not _IMPOSSIBLE.search(str(match))
    ]
    # The sort is stable: of equally good matches the upper encoding stays the first.
    matches.sort(key=lambda match: (round(match.chaos, 2), -round(match.coherence, 1)))
    fitting = (
        match.encoding
        for match in matches
        if likelihood(_telling_part(str(match)))[0] in _ENCODINGS[match.encoding]
    )
    found = next(fitting, None)
    if found in (None, "cp1252") and (older := older_encoding(data, _strict(data, "cp1252"))):
        text = data.decode(older)
        if likelihood(_telling_part(text))[0] in _WEST:
            return older
    if found in (None, *_CENTRAL_ENCODINGS):
        found = _central_encoding(data, found) or found
    if found == "cp1251" and (old := old_cyrillic(data)):
        return "mac_cyrillic" if likelihood(_telling_part(old))[0] in _CYRILLIC else found
    return found or (matches[0].encoding if matches else None)


def _central_encoding(data: bytes, found: str | None) -> str | None:
    """The encoding of Central Europe in which ``data`` reads best; of equal ones, ``found``."""
    scored = []
    for encoding in _CENTRAL_ENCODINGS:
        if (text := _strict(data, encoding)) is not None and not _CONTROL.search(text):
            language, probability = likelihood(_telling_part(text))
            if language in _CENTRAL and probability > _LEAST_LIKELY:
                scored.append((probability, encoding == found, encoding))
    return max(scored)[2] if scored else None


def _telling_part(text: str) -> str:
    # Where the first letters beyond ASCII are: a page may begin with any amount of code.
    first = _NON_ASCII.search(text)
    start = max(0, first.start() - _SAMPLE // 4) if first else 0
    return text[start : start + _SAMPLE]
