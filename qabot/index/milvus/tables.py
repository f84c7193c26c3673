"""The collections of an index on a Milvus server, their fields, and how rows are numbered.

::

    NAME                an alias: the manifest of the live generation
    NAME_g7_…           the manifest of generation 7, written last
    NAME_articles       articles of all generations, each in parts that Milvus can store
    NAME_passages_384   passages of all generations, with vectors, terms and what filters ask
    NAME_terms          how many passages hold each term, in 4,096 buckets
    NAME_rebuild        the machine that rebuilds now

Each row of the last three has ``since``, the first generation that has it, and ``until``, the first
that has it no more. A rebuild adds what is new and ends what has left, and touches nothing else:
partitions would have to be copied. Rows of a generation that was never published are removed by
the next rebuild.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qabot.index.milvus import packing
from qabot.index.milvus.server import Kind, Server

OPEN = 1 << 62
"""``until`` of a row that is in the newest generation."""
BUCKETS = 4096
# A passage has as many sentences at most as it has tokens.
_MOST_SENTENCES = 200
_PARTS, _ARTICLES, _ROWS = 16, 24, 40
_MANIFEST = re.compile("_g([1-9][0-9]{0,6})_[0-9a-f]{8}")

_MARKS: dict[str, Kind] = {"since": "number", "until": "number"}
MANIFEST_FIELDS: dict[str, Kind] = {"part": "key", "body": "text"}
ARTICLE_FIELDS: dict[str, Kind] = {
    "row": "key",
    "article": "number",
    "part": "number",
    "name": "number",
    "about": "text",
    "body": "text",
    **_MARKS,
}
TERM_FIELDS: dict[str, Kind] = {"row": "key", "bucket": "number", "counts": "text", **_MARKS}


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of an index's collections.

    Attributes:
        name: The index's.
        dimension: Of the vectors; each has a collection of passages of its own.
    """

    name: str
    dimension: int = 0

    @classmethod
    def of_passages(cls, name: str, collection: str) -> Tables:
        """Those of an index with this collection of passages."""
        return cls(name, int(collection.rpartition("_")[2]))

    @property
    def articles(self) -> str:
        """Holds articles."""
        return f"{self.name}_articles"

    @property
    def passages(self) -> str:
        """Holds passages."""
        return f"{self.name}_passages_{self.dimension}"

    @property
    def terms(self) -> str:
        """Holds how many passages have each term."""
        return f"{self.name}_terms"

    def manifest(self, number: int, identity: str) -> str:
        """Holds the manifest of a generation."""
        return f"{self.name}_g{number}_{identity[:8]}"

    def manifests(self, server: Server) -> dict[int, str]:
        """The manifests that are there, complete or not: number → collection, rising."""
        found = {}
        for collection in server.collections(f"{self.name}_g"):
            if match := _MANIFEST.fullmatch(collection.removeprefix(self.name)):
                found[int(match[1])] = collection
        return dict(sorted(found.items()))

    def all_passages(self, server: Server) -> list[str]:
        """All collections of passages, whatever their dimension."""
        prefix = f"{self.name}_passages_"
        found = server.collections(prefix)
        return [name for name in found if name.removeprefix(prefix).isdecimal()]

    def marked(self, server: Server) -> dict[str, dict[str, Kind]]:
        """The collections whose rows are of generations, with their fields."""
        every = {self.articles: ARTICLE_FIELDS, self.terms: TERM_FIELDS}
        there = {name: fields for name, fields in every.items() if server.exists(name)}
        for collection in self.all_passages(server):
            there[collection] = Tables.of_passages(self.name, collection).passage_fields()
        return there

    @property
    def sentences(self) -> list[str]:
        """The fields of a passage's sentence vectors, which together are one text."""
        count = packing.columns(self.dimension, _MOST_SENTENCES)
        return [f"sentences_{number}" for number in range(count)]

    def split_sentences(self, packed: str) -> dict[str, str]:
        """Spread the sentence vectors of a passage over these fields."""
        return {
            name: packed[at * packing.LONGEST : (at + 1) * packing.LONGEST]
            for at, name in enumerate(self.sentences)
        }

    def passage_fields(self) -> dict[str, Kind]:
        """The fields of a passage."""
        return {
            "row": "key",
            "article": "number",
            "digest": "number",
            "first": "number",
            "last": "number",
            "tags": "tags",
            "language": "text",
            "length": "number",
            "terms": "text",
            "place": "text",
            "text": "text",
            **dict.fromkeys(self.sentences, "text"),
            **_MARKS,
        }


def article_key(generation: int, place: int) -> int:
    """The number of the article that a generation wrote at this place, from 0."""
    return generation << _ARTICLES | place


def article_row(article: int, part: int) -> int:
    """The key of one part of an article."""
    return article << _PARTS | part


def new_row(generation: int, place: int) -> int:
    """The key of the passage or bucket that a generation wrote at this place, from 0."""
    return generation << _ROWS | place


def bucket_of(key: int) -> int:
    """Where the count of a term is."""
    return key % BUCKETS
