"""The formats of documents, each with a parser of its own: bytes → draft."""

from __future__ import annotations

from typing import Literal, get_args

Document = Literal["pdf", "docx", "epub", "odt", "pptx", "xlsx"]
Text = Literal["plain", "markdown", "html", "delimited", "subtitles", "restructured", "notebook"]
Format = Literal[Text, "email", Document]

DOCUMENTS: frozenset[str] = frozenset(get_args(Document))
"""The formats that are no text."""
FORMATS: dict[str, Format] = {
    ".txt": "plain",
    ".text": "plain",
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdown": "markdown",
    ".mkd": "markdown",
    ".mdx": "markdown",
    ".qmd": "markdown",
    ".rmd": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
    ".epub": "epub",
    ".odt": "odt",
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".csv": "delimited",
    ".tsv": "delimited",
    ".srt": "subtitles",
    ".vtt": "subtitles",
    ".rst": "restructured",
    ".ipynb": "notebook",
    ".eml": "email",
}
"""The format of a file by its ending; a folder's files with other endings are left out."""
