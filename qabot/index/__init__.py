"""Vectors, full text and articles on disk, in immutable generations and segments."""

from qabot.index.articles import IN_PLACE, IndexedArticle, StoredArticle, write_database
from qabot.index.contracts import Articles, Candidates, OpenGeneration
from qabot.index.encoded import EncodedTexts
from qabot.index.generation import Generation
from qabot.index.identity import Identity
from qabot.index.joined import Database
from qabot.index.manifest import EncoderStamp, Manifest, SegmentStamp
from qabot.index.opening import AnyGeneration, Store, open_store
from qabot.index.postings import write_lexical
from qabot.index.store import IndexStore
from qabot.index.writer import GenerationWriter, SegmentWriter

__all__ = [
    "IN_PLACE",
    "AnyGeneration",
    "Articles",
    "Candidates",
    "Database",
    "EncodedTexts",
    "EncoderStamp",
    "Generation",
    "GenerationWriter",
    "Identity",
    "IndexStore",
    "IndexedArticle",
    "Manifest",
    "OpenGeneration",
    "SegmentStamp",
    "SegmentWriter",
    "Store",
    "StoredArticle",
    "open_store",
    "write_database",
    "write_lexical",
]
