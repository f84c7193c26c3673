"""Recognise pages that a server sends with status 200 although they are no articles."""

from __future__ import annotations

import regex

from qabot.types import Article

# Such pages are short. Longer ones may be articles about these very subjects.
_LONGEST_NOTICE = 300
_BARE_NOTICE = 150
_NOT_FOUND = regex.compile(
    r"""^\W*404\W*$ | \b(?:error|fehler|erreur|erro|errore|http)\W*404\b
    | \b404\W+(?:error|not|page)
    | \bpage\s+(?:was\s+|could\s+|can)?not\s+(?:be\s+)?found\b | ^\W*not\s+found\W*$
    | \b(?:page|site|url|document)\s+(?:doesn['’]t|does\s+not|no\s+longer)\s+exists?\b
    | \bseite\s+(?:wurde\s+)?(?:leider\s+)?nicht\s+gefunden\b
    | \bpage\s+(?:introuvable|non\s+trouvée) | \bp[áa]gina\s+no\s+(?:encontrada|existe)
    | \bpágina\s+não\s+encontrada | \bpagina\s+non\s+trovata | \bpagina\s+niet\s+gevonden
    | \bnie\s+znaleziono\s+strony | \bстраница\s+не\s+найдена
    | ページが見つかりません | お探しのページ | 页面不存在 | 找不到页面 | 找不到頁面""",
    regex.IGNORECASE | regex.VERBOSE,
)
_NOSCRIPT = regex.compile(rb"<noscript\b[^>]*>(.*?)</noscript", regex.IGNORECASE | regex.DOTALL)
_SCRIPT = regex.compile(rb"<script\b", regex.IGNORECASE)


def why_no_article(article: Article, html: bytes) -> str | None:
    """Return why a page is no article, although it has text; ``None`` if it may be one.

    Args:
        article: As it was read from the page.
        html: The page itself.
    """
    text = article.text.strip()
    if len(text) > _LONGEST_NOTICE:
        return None
    first, _, _ = text.partition("\n")
    if _NOT_FOUND.search(article.info.title) or _NOT_FOUND.search(first):
        return 'is a "page not found" notice, although the server does not say so'
    if "javascript" in text.casefold() and _SCRIPT.search(html):
        in_noscript = any(b"javascript" in part.lower() for part in _NOSCRIPT.findall(html))
        if in_noscript or len(text) <= _BARE_NOTICE:
            return "shows its text only with JavaScript, which is not run"
    return None
