"""Vectors, full text and articles on disk, in immutable generations."""

from qabot.index.articles import IndexedArticle, StoredArticle, write_database
from qabot.index.database import Database
from qabot.index.generation import Generation
from qabot.index.identity import Identity
from qabot.index.lexical import write_lexical
from qabot.index.manifest import EncoderStamp, Manifest
from qabot.index.store import IndexStore
from qabot.index.vectors import write_vectors
from qabot.index.writer import GenerationWriter

__all__ = [
    "Database",
    "EncoderStamp",
    "Generation",
    "GenerationWriter",
    "Identity",
    "IndexStore",
    "IndexedArticle",
    "Manifest",
    "StoredArticle",
    "write_database",
    "write_lexical",
    "write_vectors",
]
