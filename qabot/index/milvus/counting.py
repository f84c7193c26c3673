"""How many passages hold each term, kept up to date while a generation is written."""

from __future__ import annotations

from collections import Counter

from qabot.index.milvus import packing
from qabot.index.milvus.generation import MilvusGeneration
from qabot.index.milvus.server import LIGHT, Row, Server
from qabot.index.milvus.tables import OPEN, TERM_FIELDS, Tables, bucket_of, new_row


class TermCounts:
    """Counts passages that come and go.

    Args:
        newest: The generation whose counts change; if there is none, or none that can be read, all
            are counted anew.
    """

    def __init__(self, newest: MilvusGeneration | None) -> None:
        self._newest = newest
        self._terms: Counter[int] = Counter()
        self._passages: Counter[str] = Counter()
        self._words: Counter[str] = Counter()

    def count(self, row: Row, sign: int) -> None:
        """Take in the row of a passage that is new (1) or that has left (-1)."""
        if sign < 0 and self._newest is None:
            return
        language = row["language"]
        self._passages[language] += sign
        self._words[language] += sign * int(row["length"])
        for key in packing.unpack_terms([row["terms"]])[0].tolist():
            self._terms[key] += sign

    def write(self, server: Server, tables: Tables, number: int) -> dict[str, tuple[int, int]]:
        """Write the buckets that have changed.

        Returns:
            Language → how many passages are in it, and their words together.
        """
        changed: dict[int, Counter[int]] = {}
        for key, count in self._terms.items():
            if count:
                changed.setdefault(bucket_of(key), Counter())[key] = count
        before = f"since < {number} and until == {OPEN}"
        fields = list(TERM_FIELDS)
        if self._newest:
            some = sorted(changed)
            old = list(server.of(tables.terms, "bucket", some, fields, condition=before))
            for row in old:
                changed[row["bucket"]].update(packing.unpack_counts(row["counts"]))
        else:
            old = list(server.every(tables.terms, before, fields, batch=LIGHT))
        new = (
            {
                "row": new_row(number, bucket),
                "bucket": bucket,
                "counts": packing.pack_counts({key: n for key, n in counts.items() if n > 0}),
                "since": number,
                "until": OPEN,
            }
            for bucket, counts in changed.items()
        )
        server.insert(tables.terms, new)
        server.replace(tables.terms, ({**row, "until": number} for row in old))
        return self._languages()

    def _languages(self) -> dict[str, tuple[int, int]]:
        sizes = dict(self._newest.languages) if self._newest else {}
        for language in self._passages:
            passages, words = sizes.get(language, (0, 0))
            sizes[language] = passages + self._passages[language], words + self._words[language]
        return {name: size for name, size in sorted(sizes.items()) if size[0] > 0}
