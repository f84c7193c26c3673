"""The next generation while it is written to a Milvus server."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from qabot.encoders.language_subspace import LanguageSubspace
from qabot.errors import StorageError
from qabot.index.articles import IndexedArticle
from qabot.index.contracts import Writing
from qabot.index.identity import Identity
from qabot.index.manifest import Manifest
from qabot.index.milvus import packing
from qabot.index.milvus.claim import Claim
from qabot.index.milvus.counting import TermCounts
from qabot.index.milvus.generation import MilvusGeneration
from qabot.index.milvus.server import LIGHT, VECTOR, Row, Server
from qabot.index.milvus.tables import (
    ARTICLE_FIELDS,
    MANIFEST_FIELDS,
    OPEN,
    TERM_FIELDS,
    Tables,
    article_key,
    article_row,
    new_row,
)
from qabot.index.postings import group_of
from qabot.index.terms import terms
from qabot.index.vectors import FloatArray
from qabot.types import Article, ArticleInfo, Passage

# A longer list of pages stays with the text.
_MOST_PAGES = 4000
# Milvus gives fewer rows no index, but compares all. More are published when they are indexed.
_LEAST_INDEXED = 1024
_LATE, _EARLY = 99_999_999, -1


class MilvusWriter:
    """The unpublished next generation; no reader sees any of it before ``publish``.

    Args:
        folder: What belongs to this machine.
        newest: The newest generation, whose rows are open; not always the live one.
        claim: This machine's, which it holds.

    Attributes:
        identity: Its number and id.
        removed: How many leftovers of killed rebuilds were removed before it was begun.
        published: Whether it is the live one.
    """

    def __init__(
        self,
        server: Server,
        name: str,
        identity: Identity,
        *,
        folder: Path,
        newest: MilvusGeneration | None,
        removed: int,
        claim: Claim,
    ) -> None:
        self._server, self._name, self.folder = server, name, folder
        self._live = server.live(name)
        self.identity, self.removed, self.published = identity, removed, False
        self._newest, self._claim = newest, claim
        self._articles = self._rows = 0
        self._terms = TermCounts(newest)

    @property
    def number(self) -> int:
        """Its number."""
        return self.identity.number

    @property
    def newest(self) -> int:
        """The number of the newest generation; 0 where there is none that can be read."""
        return self._newest.manifest.generation if self._newest else 0

    def writes_all_after(self, live: int) -> bool:
        """Tell if unchanged articles have to be written, too.

        They stay in place if the live generation, whose number this is, is the newest.
        """
        return self.newest != live

    def write(self, writing: Writing) -> int:
        """Write it as servers are written; return how many passages a killed rebuild encoded."""
        return writing.rows(self)

    def begin(self, dimension: int) -> None:
        """Make the collections that are not there yet."""
        self._tables = tables = Tables(self._name, dimension)
        for collection, fields, size in (
            (tables.articles, ARTICLE_FIELDS, 2),
            (tables.passages, tables.passage_fields(), dimension),
            (tables.terms, TERM_FIELDS, 2),
        ):
            if not self._server.exists(collection):
                self._server.create(collection, fields, size)
        # Empty for now, so that the server loads it meanwhile.
        self._manifest = tables.manifest(self.number, self.identity.id)
        self._server.create(self._manifest, MANIFEST_FIELDS)

    def add(
        self, items: Sequence[IndexedArticle], inputs: Sequence[str], vectors: Sequence[FloatArray]
    ) -> None:
        """Write articles with their passages.

        Args:
            inputs: For each passage of all of them, the text whose words count.
            vectors: For each, its vector and those of its sentences:
                float32 ``(1 + sentences, dimension)``.
        """
        texts, made = iter(inputs), iter(vectors)
        articles: list[Row] = []
        passages: list[Row] = []
        for item in items:
            key = article_key(self.number, self._articles)
            self._articles += 1
            articles += self._article_rows(key, item)
            passages += [
                self._passage_row(key, item, number, next(texts), next(made))
                for number in range(len(item.passages))
            ]
        self._claim.check()
        self._server.insert(self._tables.articles, articles)
        self._server.insert(self._tables.passages, passages)

    def _passage_row(
        self, article: int, item: IndexedArticle, number: int, text: str, vectors: FloatArray
    ) -> Row:
        info, passage = item.article.info, item.passages[number]
        group, found = group_of(info.language), terms(text, info.language)
        dates = info.published
        row = {
            "row": new_row(self.number, self._rows),
            "article": article,
            "digest": packing.tag("passage", item.digests[number]),
            "first": packing.day(dates, 0) if dates else _LATE,
            "last": packing.day(dates, 99) if dates else _EARLY,
            "tags": _tags(info),
            "language": group,
            "length": len(found),
            "terms": packing.pack_terms(group, found),
            "place": _place(passage),
            "text": passage.text,
            "since": self.number,
            "until": OPEN,
            VECTOR: vectors[0].tolist(),
            **self._tables.split_sentences(packing.pack_sentences(vectors[1:])),
        }
        self._rows += 1
        self._terms.count(row, 1)
        return row

    def _article_rows(self, key: int, item: IndexedArticle) -> Iterator[Row]:
        article = item.article
        body = {"text": article.text, "headings": _headings(article), "pages": article.pages}
        about = {
            "info": asdict(article.info),
            "digest": article.digest,
            "content": article.content,
            "passages": len(item.passages),
            "pages": article.pages if len(article.pages) <= _MOST_PAGES else None,
        }
        for part, piece in enumerate(packing.pieces(body)):
            yield {
                "row": article_row(key, part),
                "article": key,
                "part": part,
                "name": packing.tag("article", article.info.id),
                "about": "" if part else json.dumps(about, ensure_ascii=False),
                "body": piece,
                "since": self.number,
                "until": OPEN,
            }

    def end_others(self, kept: Collection[int]) -> None:
        """End all articles of earlier generations but these, given by their keys."""
        kept, articles = set(kept), self._tables.articles
        open_before = f"since < {self.number} and until == {OPEN}"
        found = self._server.every(articles, open_before, ["row", "article"], batch=LIGHT)
        leaving = {int(row["row"]): int(row["article"]) for row in found}
        leaving = {row: article for row, article in leaving.items() if article not in kept}
        keys = sorted(set(leaving.values()))
        for collection in self._tables.all_passages(self._server):
            tables = Tables.of_passages(self._name, collection)
            fields = [*tables.passage_fields(), VECTOR]
            # Not all that some articles have at once: a book has thousands.
            for at in range(0, len(keys), LIGHT):
                among = f"{open_before} and article in {keys[at : at + LIGHT]}"
                passages = self._server.every(collection, among, fields)
                self._server.replace(collection, map(self._ended_passage, passages))
        ended = self._server.of(articles, "row", list(leaving), list(ARTICLE_FIELDS))
        self._server.replace(articles, map(self._ended, ended))

    def _ended(self, row: Row) -> Row:
        return {**row, "until": self.number}

    def _ended_passage(self, row: Row) -> Row:
        self._terms.count(row, -1)
        return self._ended(row)

    def write_terms(self) -> dict[str, tuple[int, int]]:
        """Write how many passages hold each term, where that has changed.

        Returns:
            Language → how many passages are in it, and their words together.
        """
        return self._terms.write(self._server, self._tables, self.number)

    def settle(self, told: Callable[[int, int], None]) -> None:
        """Have the server index what was added, where that is much, and wait for it.

        Args:
            told: Called often with how many rows are indexed, and of how many.

        Raises:
            UnreachableIndexError: The server does not answer.
        """
        if self._rows >= _LEAST_INDEXED:
            self._server.settle(self._tables.passages, told)

    def publish(
        self, manifest: Manifest, subspace: LanguageSubspace, languages: dict[str, tuple[int, int]]
    ) -> None:
        """Make this the live generation, in one step.

        Raises:
            StorageError: The server holds something else, or another machine rebuilt the index
                meanwhile; the live generation is unchanged.
        """
        self._claim.check()
        here = f"since <= {self.number} and until > {self.number}"
        held = (
            self._server.count(self._tables.articles, f"{here} and part == 0"),
            self._server.count(self._tables.passages, here),
        )
        if held != (manifest.articles, manifest.passages):
            raise StorageError(
                f"{self._server.address.text}: holds {held[0]} articles and {held[1]} passages, "
                f"not {manifest.held}; the live index is unchanged; run `qabot rebuild --full`"
            )
        arrays = io.BytesIO()
        subspace.save(arrays)
        content = {
            "manifest": replace(manifest, id=self.identity.id).content(),
            "subspace": base64.b64encode(arrays.getvalue()).decode(),
            "languages": languages,
        }
        self._server.insert(
            self._manifest,
            ({"part": n, "body": piece} for n, piece in enumerate(packing.pieces(content))),
        )
        # Whoever asks from now on does not wait for it.
        self._server.load(self._manifest)
        if self._server.live(self._name) != self._live:
            raise StorageError(
                f"{self._server.address.text}: another machine has rebuilt the index meanwhile; "
                "run `qabot rebuild` on one machine only"
            )
        self._server.switch(self._name, self._manifest)
        self.published = True


def _headings(article: Article) -> list[tuple[int, int, int]]:
    return [(heading.start, heading.end, heading.level) for heading in article.headings]


def _place(passage: Passage) -> str:
    place = {
        "start": passage.start,
        "end": passage.end,
        "headings": passage.headings,
        "sentences": passage.sentences,
    }
    return json.dumps(place, ensure_ascii=False)


def _tags(info: ArticleInfo) -> list[int]:
    """What filters ask of an article: a folder is a source of all that is below it."""
    places = {info.source, info.url} - {None}
    prefixes = {
        place[:at]
        for place in map(str, places)
        for at in (*(at for at, letter in enumerate(place) if letter == "/"), len(place))
        if at
    }
    return sorted(
        {
            packing.tag("language", info.language),
            *(packing.tag("collection", name) for name in info.collections),
            *(packing.tag("source", prefix) for prefix in prefixes),
        }
    )
