"""Tell a question from other messages, where nobody was asked in particular; pure."""

from __future__ import annotations

import regex

# The marks of all scripts that ask at the end of a sentence; a semicolon asks in Greek only.
_ASKS = regex.compile(r"[?？؟⁇⁈⸮፧՞꘏︖﹖](?=[\s\"'”’»)\]*_~|!?？！]|$)|\p{Greek}[;\u037e](?=\s|$)")
_JAPANESE = regex.compile(r"(?:です|ます|でした|ました|ません|でしょう)か[。!！]?(?=\s|$)")
# An address may hold a question mark, code a semicolon: neither asks.
_NO_PROSE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|https?://\S+|<[^>\s]+>", regex.DOTALL)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]+")
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}]")
_LEAST_WORDS = 3
_LEAST_UNSPACED = 5


def looks_like_question(text: str) -> bool:
    """Whether a message asks something that articles could answer.

    "really?" and "lol?" ask nobody: a few words must stand beside the question mark.
    """
    prose = _NO_PROSE.sub(" ", text)
    if not _ASKS.search(prose) and not _JAPANESE.search(prose):
        return False
    unspaced = len(_UNSPACED.findall(prose))
    return len(_WORD.findall(prose)) >= _LEAST_WORDS or unspaced >= _LEAST_UNSPACED
