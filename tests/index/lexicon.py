"""Open a lexical index by itself."""

from __future__ import annotations

from pathlib import Path

from qabot.index.lexical import LexicalIndex, SegmentWords
from qabot.index.rows import Rows


def opened_words(*paths: Path) -> LexicalIndex:
    """The lexical index of one segment, or of several in turn."""
    parts = [SegmentWords(path) for path in paths]
    return LexicalIndex(parts, Rows([len(part) for part in parts]))
