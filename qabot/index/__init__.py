"""Vectors, full text and articles on disk, in immutable generations and segments."""

from qabot.index.articles import IndexedArticle, StoredArticle, write_database
from qabot.index.generation import Generation
from qabot.index.identity import Identity
from qabot.index.joined import Database
from qabot.index.manifest import EncoderStamp, Manifest, SegmentStamp
from qabot.index.postings import write_lexical
from qabot.index.store import IndexStore
from qabot.index.vectors import write_vectors
from qabot.index.writer import GenerationWriter, SegmentWriter

__all__ = [
    "Database",
    "EncoderStamp",
    "Generation",
    "GenerationWriter",
    "Identity",
    "IndexStore",
    "IndexedArticle",
    "Manifest",
    "SegmentStamp",
    "SegmentWriter",
    "StoredArticle",
    "write_database",
    "write_lexical",
    "write_vectors",
]
