"""Open a lexical index by itself."""

from __future__ import annotations

import weakref
from pathlib import Path

from qabot.index.lexical import LexicalIndex
from qabot.index.open_file import FileStamp, OpenFile
from qabot.index.segment_words import SegmentWords
from qabot.index.vectors import Mask


def segment_words(path: Path, live: Mask | None = None) -> SegmentWords:
    """The words of one segment."""
    file = OpenFile(path, FileStamp.of(path))
    found = SegmentWords(file, live)
    weakref.finalize(found, file.close)
    return found


def opened_words(*paths: Path) -> LexicalIndex:
    """The lexical index of one segment, or of several in turn."""
    return LexicalIndex([segment_words(path) for path in paths])
