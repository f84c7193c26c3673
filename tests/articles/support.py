"""Support for these tests: write one file and read it as an article."""

from __future__ import annotations

from pathlib import Path

from qabot.articles import find_files, read_article
from qabot.types import Article


def read(folder: Path, name: str, content: str | bytes) -> Article:
    """Write ``content`` to a file of that name in ``folder`` and read it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    (file,) = find_files([path])
    return read_article(file)


def headings(article: Article) -> list[tuple[int, str]]:
    """The level and the text of each heading."""
    return [(h.level, article.text[h.start : h.end]) for h in article.headings]
