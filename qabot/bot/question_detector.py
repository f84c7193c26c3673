"""Tells questions from other messages in channels where every question is answered; pure."""

from __future__ import annotations

import regex

from qabot.text import UNSPACED

# Question marks of all scripts, at the end of a sentence. In Greek, that is the semicolon.
_ASKS = regex.compile(r"[?？؟⁇⁈⸮፧՞꘏︖﹖](?=[\s\"'”’»)\]*_~|!?？！]|$)|\p{Greek}[;\u037e](?=\s|$)")
_JAPANESE = regex.compile(r"(?:です|ます|でした|ました|ません|でしょう)か[。!！]?(?=\s|$)")
# Addresses hold question marks, and code holds semicolons: neither asks.
_NO_PROSE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|https?://\S+|<[^>\s]+>", regex.DOTALL)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]+")
_UNSPACED = regex.compile(f"[{UNSPACED}]")
_LEAST_WORDS = 3
_LEAST_UNSPACED = 5


def looks_like_question(text: str) -> bool:
    """Return whether a message asks something that articles could answer.

    "really?" and "lol?" ask nobody: a few words must stand beside the question mark.
    """
    prose = _NO_PROSE.sub(" ", text)
    if not _ASKS.search(prose) and not _JAPANESE.search(prose):
        return False
    unspaced = len(_UNSPACED.findall(prose))
    return len(_WORD.findall(prose)) >= _LEAST_WORDS or unspaced >= _LEAST_UNSPACED
