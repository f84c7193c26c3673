"""The progress and the result of a rebuild."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qabot.articles import Skipped

Stage = Literal["fetching", "reading", "preparing", "encoding", "indexing", "writing"]


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a rebuild.

    Attributes:
        done, total: In units of the stage: pages, files, sample sentences, characters, passages
            that a server has indexed, files written.
        passages: Passages encoded so far.
    """

    stage: Stage
    done: int
    total: int
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a rebuild.

    Attributes:
        generation: Number of the live generation afterwards.
        changed: A new generation was published.
        articles, passages: How many the index holds.
        reused: Passages whose vectors were reused.
        encoded: Passages that were encoded.
        removed: Articles that left the index.
        skipped: Documents that could not be read, with reasons.
        seconds: Wall time.
        left_out: Files of other types, excluded files and drafts, with reasons.
        warnings: Parts of articles that could not be read, each on one line.
        leftovers: Files and folders of killed rebuilds that were removed.
        resumed: How many of the encoded passages a killed rebuild had encoded.
    """

    generation: int
    changed: bool
    articles: int
    passages: int
    reused: int
    encoded: int
    removed: int
    skipped: tuple[Skipped, ...]
    seconds: float
    left_out: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    leftovers: int = 0
    resumed: int = 0


Report = Callable[[Progress], None]
