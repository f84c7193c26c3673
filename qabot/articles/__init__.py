"""Files to articles: find the sources, decode, read each format, name what cannot be read.

Data flows one way: ``sources`` finds files, the parser of a file's format (``formats``) makes a
``Draft`` of it, and ``loader`` completes the draft (title, language) into an ``Article``. Documents
(``pdf``, ``docx``, ``epub``, ``odt``), and texts that are long, are parsed by ``sandbox`` in a
process of its own. Nothing here knows of an index or a model.
"""

from qabot.articles.formats import DOCUMENTS, FORMATS, Document, Format
from qabot.articles.limits import Limits
from qabot.articles.loader import (
    DRAFT,
    read_article,
    read_changed,
    read_files,
    read_page,
    read_sources,
    readers_version,
)
from qabot.articles.sandbox import ReadingProcess
from qabot.articles.seen import SeenFiles
from qabot.articles.sources import (
    Found,
    Skipped,
    SourceFile,
    distinct_id,
    find_files,
    find_sources,
    is_expected,
    page_file,
    with_unique_ids,
)

__all__ = [
    "DOCUMENTS",
    "DRAFT",
    "FORMATS",
    "Document",
    "Format",
    "Found",
    "Limits",
    "ReadingProcess",
    "SeenFiles",
    "Skipped",
    "SourceFile",
    "distinct_id",
    "find_files",
    "find_sources",
    "is_expected",
    "page_file",
    "read_article",
    "read_changed",
    "read_files",
    "read_page",
    "read_sources",
    "readers_version",
    "with_unique_ids",
]
