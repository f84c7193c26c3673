"""Tells questions from other messages; pure."""

from __future__ import annotations

from collections.abc import Set

import regex

from qabot.answering.follow_up import is_follow_up, names_nothing
from qabot.text import UNSPACED, folded_words

# Question marks of all scripts, at the end of a sentence. In Greek, that is the semicolon.
_ASKS = regex.compile(r"[?？؟⁇⁈⸮፧՞꘏︖﹖](?=[\s\"'”’»)\]*_~|!?？！]|$)|\p{Greek}[;\u037e](?=\s|$)")
_JAPANESE = regex.compile(r"(?:です|ます|でした|ました|ません|でしょう)か[。!！]?(?=\s|$)")
# Addresses hold question marks, and code holds semicolons: neither asks.
_NO_PROSE = regex.compile(r"```.*?(?:```|$)|`[^`\n]*`|https?://\S+|<[^>\s]+>", regex.DOTALL)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’-]+")
_UNSPACED = regex.compile(f"[{UNSPACED}]")
_LEAST_WORDS = 3
_LEAST_UNSPACED = 5
_LETTER, _DIGIT = regex.compile(r"\p{L}"), regex.compile(r"\p{N}")
# A number of so many digits may be looked up: a year, an error code.
_LEAST_DIGITS = 3
# The words that make a question of function words alone ("and why") a question.
_INTERROGATIVE = regex.compile(
    r"""\b(?:
    who|whom|whose|what|when|where|why|which|how
    |wer|wen|wem|wessen|was|wann|wo|woher|wohin|warum|wieso|weshalb|wie|welche[rs]?
    |qui|que|quoi|quand|où|pourquoi|comment|combien|quel(?:le)?s?
    |qui[eé]n(?:es)?|qué|cuándo|d[oó]nde|adónde|cómo|cuál(?:es)?|cuánt[oa]s?
    |chi|che|cosa|quando|dove|perch[eé]|come|qual[ei]|quant[oi]
    |quem|onde|por[ -]?qu[eê]|como|qua(?:l|is)|quant[oa]s
    |wat|wanneer|waar|waarom|hoe|welke?
    |kto|co|kiedy|gdzie|dlaczego|jak|któr[aey]|ile
    |кто|что|когда|где|куда|откуда|почему|зачем|как|как(?:ой|ая|ие)|сколько
    |من|ما|ماذا|متى|أين|لماذا|كيف|كم
    )\b
    |何|誰|だれ|いつ|どこ|なぜ|どう|どれ|いくら|谁|什么|哪|怎|为何|几|ไหน|ทำไม|เมื่อไ|ใคร|อะไร""",
    regex.VERBOSE | regex.IGNORECASE,
)
# What no list of words or vectors knows.
_CHAT = {"thx", "thanx", "ty", "tysm", "brb", "lol", "lmao", "rofl", "omg", "kk", "idk", "klasse"}
_YOU = {"you", "du", "dich", "dir", "vous", "tu", "tú", "usted", "você", "jij", "ты", "вы"}
_COMMA = regex.compile(r"[,:;，、،!?？.]+")
# A call is short: "hey Bob".
_LONGEST_CALL = 3


def looks_like_question(text: str) -> bool:
    """Return whether a message asks something that articles could answer.

    "really?" and "lol?" ask nobody: a few words must stand beside the question mark.
    """
    prose = _NO_PROSE.sub(" ", text)
    if not _ASKS.search(prose) and not _JAPANESE.search(prose):
        return False
    unspaced = len(_UNSPACED.findall(prose))
    return len(_WORD.findall(prose)) >= _LEAST_WORDS or unspaced >= _LEAST_UNSPACED


def is_small_talk(text: str) -> bool:
    """Return whether a text cannot be a question to the articles ("thanks!", "ok", "?", "1").

    It names nothing that could be looked up, and does not ask about what was named before.
    """
    if not _LETTER.search(text):
        return len(_DIGIT.findall(text)) < _LEAST_DIGITS
    words = folded_words(text)
    if is_about_bot(text) or (words and _CHAT.issuperset(words)):
        return True
    asks = (_ASKS, _JAPANESE, _INTERROGATIVE)
    return not any(pattern.search(text) for pattern in asks) and is_follow_up(text)


def is_about_bot(text: str) -> bool:
    """Return whether a text asks the bot about itself ("what can you do?")."""
    return not _YOU.isdisjoint(folded_words(text)) and names_nothing(text)


def called_names(text: str) -> Set[str]:
    """Return by what a text may call a person ("Bob, when …?", "hey Bob, …", "… again, Bob?").

    These are the words before the first comma and after the last one, and all of them together, in
    lower case; most of them are no names.
    """
    parts = [part.strip() for part in _COMMA.split(text.casefold()) if part.strip()]
    if len(parts) < 2:
        return frozenset()
    calls = [part for part in (parts[0], parts[-1]) if len(part.split()) <= _LONGEST_CALL]
    return frozenset(name for part in calls for name in (part, *part.split()))
