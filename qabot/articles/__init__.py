"""Files to articles: find the sources, decode, read each format, name what cannot be read.

Data flows one way: ``sources`` finds files, ``decoding`` turns bytes into text, one reader per
format (``plain``, ``markdown``, ``html``) makes a ``Draft`` of it, and ``reading`` completes the
draft (title, language) into an ``Article``. Nothing here knows of an index or a model.
"""

from qabot.articles.limits import Limits
from qabot.articles.reading import (
    Skipped,
    read_article,
    read_changed,
    read_files,
    read_sources,
    readers_version,
)
from qabot.articles.sources import SourceFile, distinct_id, find_files

__all__ = [
    "Limits",
    "Skipped",
    "SourceFile",
    "distinct_id",
    "find_files",
    "read_article",
    "read_changed",
    "read_files",
    "read_sources",
    "readers_version",
]
