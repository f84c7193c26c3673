"""Texts of DOS and old Macs, which other encodings read as other characters; pure."""

from __future__ import annotations

# Those that Western languages write, beyond ASCII.
_LETTERS = frozenset("äöüßàâáãåæçèéêëìíîïñòóôõøœùúûýÿðþğışœĳ·")
_WITHIN_WORDS = frozenset("’'‑·\u00ad")
_OPENING = frozenset("‚„¡¿«‹“‘")
_LEAST, _MOST_ODD, _LEAST_GAIN = 2, 0.1, 0.3
_OLD = ("cp850", "mac_roman")
# Of Russian, Bulgarian, Ukrainian and Belarusian.
_CYRILLIC = frozenset("абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґў")
# No word begins with these.
_CLOSING = frozenset("‡†™€‰•”’…›")


def older_encoding(data: bytes, usual: str | None) -> str | None:
    """The encoding of DOS or of old Macs, if ``data`` makes far better sense in it.

    Args:
        usual: What ``data`` means in the encoding of Windows; ``None`` if nothing.
    """
    found: dict[str, float] = {}
    for encoding in _OLD:
        try:
            found[encoding] = _odd_share(data.decode(encoding))
        except UnicodeDecodeError:
            continue
    best = min(found, key=lambda encoding: found[encoding], default=None)
    if best is None or found[best] > _MOST_ODD:
        return None
    return best if usual is None or _odd_share(usual) - found[best] >= _LEAST_GAIN else None


def _odd_share(text: str) -> float:
    """Which part of the characters beyond ASCII no Western text has at their places."""
    places = [place for place, character in enumerate(text) if not character.isascii()]
    if len(places) < _LEAST:
        return 1.0
    padded = f" {text} "
    odd = sum(_is_odd(*padded[place : place + 3]) for place in places)
    return odd / len(places)


def _is_odd(before: str, character: str, after: str) -> bool:
    if character.isalpha():
        # An upper letter within a word is as odd as one that nobody writes.
        return character.lower() not in _LETTERS or (character.isupper() and before.islower())
    if character in _OPENING and before.isalpha():
        return True
    return before.isalpha() and after.isalpha() and character not in _WITHIN_WORDS


def old_cyrillic(data: bytes) -> str | None:
    """``data`` in the Cyrillic encoding of old Macs, if it makes more sense so than in Windows'.

    Both have the same small letters, but for one, and other capitals and marks.
    """
    try:
        usual, old = data.decode("cp1251"), data.decode("mac_cyrillic")
    except UnicodeDecodeError:
        return None
    return old if _odd_cyrillic(old) < _odd_cyrillic(usual) else None


def _odd_cyrillic(text: str) -> int:
    """How many characters no Cyrillic text has at their places."""
    return sum(
        _is_odd_cyrillic(before, character, after)
        for before, character, after in zip(f" {text[:-1]}", text, f"{text[1:]} ", strict=True)
        if not character.isascii()
    )


def _is_odd_cyrillic(before: str, character: str, after: str) -> bool:
    if character.isalpha():
        return character.lower() not in _CYRILLIC or (character.isupper() and before.islower())
    return character in _CLOSING and not before.isalpha() and after.isalpha()
