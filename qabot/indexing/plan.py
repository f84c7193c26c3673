"""One value that says what to index, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qabot.articles import Found, Limits
from qabot.web import Options, find_all


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """The intended content of an index, and how its sources are read.

    Attributes:
        sources: Files, folders, patterns and web addresses that are in no collection.
        cache: Folder where the encoder's language subspace is kept between indexes.
        collections: Name → the sources of that collection.
        only: Collections to renew. Articles in none of them stay as they are in the index. If
            empty, everything is renewed.
        exclude: Patterns of files and folders to leave out.
        full: Read and encode everything again, and publish even if nothing changed.
        files_only: Leave web articles as they are in the index, unless the addresses changed.
        web: How web addresses are fetched.
        limits: What reading one document may cost.
        drafts: Read articles that are marked as drafts, too.
    """

    sources: tuple[str, ...]
    cache: Path
    collections: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full: bool = False
    files_only: bool = False
    web: Options = field(default_factory=Options)
    limits: Limits = field(default_factory=Limits)
    drafts: bool = False

    @property
    def renewed_sources(self) -> tuple[str, ...]:
        """The sources outside collections that a rebuild reads."""
        return () if self.only else self.sources

    @property
    def renewed_collections(self) -> dict[str, tuple[str, ...]]:
        """The collections that a rebuild reads."""
        return {name: self.collections[name] for name in self.only or self.collections}

    @property
    def named(self) -> tuple[str, ...]:
        """Every source that a rebuild reads, in a collection or not."""
        groups = self.renewed_collections.values()
        return (*self.renewed_sources, *(source for group in groups for source in group))

    def find(self) -> tuple[Found, dict[str, tuple[str, ...]]]:
        """Find the files that a rebuild reads, and the web addresses; asks no server.

        Returns:
            The files, and each address with the collections that name it.

        Raises:
            SourceError: A source is missing or unreadable, or an address cannot be fetched.
        """
        return find_all(self.renewed_sources, self.renewed_collections, self.exclude)
