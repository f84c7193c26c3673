"""Western texts of DOS and old Macs, which other encodings read as other characters; pure."""

from __future__ import annotations

# Those that Western languages write, beyond ASCII.
_LETTERS = frozenset("äöüßàâáãåæçèéêëìíîïñòóôõøœùúûýÿðþğışœĳ·")
_WITHIN_WORDS = frozenset("’'‑·\u00ad")
_OPENING = frozenset("‚„¡¿«‹“‘")
_LEAST, _MOST_ODD, _LEAST_GAIN = 2, 0.1, 0.3
_OLD = ("cp850", "mac_roman")


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
