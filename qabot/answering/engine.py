"""Open an index and ask it: the library's entry.

>>> from qabot import Engine
>>> with Engine.open("index") as engine:
...     answer = engine.ask("how many GitHub projects use PyTorch?")

An engine may be used from several threads. It follows the index: a question that comes after a
rebuild was published is answered by the new generation, one that is under way by the old.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from msgspec.structs import replace as replace_settings

from qabot.answering.follow_up import standalone
from qabot.answering.live import Live, LiveIndex
from qabot.answering.lookup import find_article
from qabot.answering.question import checked_question
from qabot.answering.quotes import compose
from qabot.answering.reader import MOST_READ, Reader, open_reader, read_hits
from qabot.answering.small_talk import is_small_talk
from qabot.encoders import Encoder, FloatArray, open_encoder
from qabot.errors import SourceError
from qabot.index import Manifest, Store, open_store
from qabot.settings import Settings
from qabot.types import (
    Answer,
    Article,
    ArticleInfo,
    Filters,
    Hit,
    Passage,
    Quote,
    Request,
)

# Quotes are chosen among this many passages: some repeat each other.
_SPARE = 7


class Engine:
    """Answers questions from one index folder.

    Args:
        store: The index.
        encoder: The model that the index was made by.
        settings: How many quotes, and the threshold.
        reader: Marks answers in passages; without one, whole sentences are marked.

    Raises:
        UnusableIndexError: There is no index, it is damaged, or another model made it.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        settings: Settings,
        reader: Reader | None = None,
    ) -> None:
        self.settings = settings
        self.encoder = encoder
        self.reader = reader
        self._index = LiveIndex(store, encoder, reader)

    @classmethod
    def open(
        cls,
        index: str | Path | None = None,
        *,
        settings: Settings | None = None,
        notify: Callable[[str], None] = lambda line: None,
    ) -> Engine:
        """Open an index folder with the encoder that the settings name.

        Args:
            index: The folder or address; the settings' one where not given.
            settings: The defaults where not given.
            notify: Takes lines about long work, such as unpacking the model.

        Raises:
            UnusableIndexError: There is no index, it is damaged, or another model made it.
            EncoderError: The model cannot be loaded.
        """
        settings = settings or Settings()
        if index is not None:
            settings = replace_settings(settings, index=str(index))
        store = open_store(settings)
        store.current()  # The missing index is the likelier mistake: say so before loading a model.
        encoder = open_encoder(
            settings.encoder,
            cache=settings.cache_folder,
            threads=settings.threads,
            notify=notify,
        )
        reader = open_reader(
            settings.reader,
            cache=settings.cache_folder,
            threads=settings.threads,
            notify=notify,
        )
        engine = cls(store, encoder, settings, reader)
        try:
            engine.check_encoder()
        except BaseException:
            engine.close()
            raise
        return engine

    def ask(
        self,
        question: str,
        *,
        previous: Sequence[str] = (),
        limit: int | None = None,
        filters: Filters | None = None,
    ) -> Answer:
        """Answer ``question`` with quotes, or say that the articles don't.

        Args:
            question: In any language, up to ``types.LONGEST_QUESTION`` characters.
            previous: Earlier questions of the conversation, oldest first. A question that says
                nothing alone ("and when was that?") is asked together with the last that does.
            limit: The most quotes; the settings' number where not given.
            filters: Which articles may answer; all of them where not given.

        Raises:
            QuestionError: The question is empty, too long or not text.
            FilterError: A filter is no date, or names what the index does not hold.
        """
        return self.ask_many([Request(question, tuple(previous), limit, filters)])[0]

    def ask_many(self, requests: Sequence[Request], *, patience: float = math.inf) -> list[Answer]:
        """Answer several questions, each as ``ask`` would: the model reads them in one batch.

        Args:
            patience: Seconds in which the reader is to be done with a question, where many people
                wait: it then reads fewer passages, and answers less well.

        Returns:
            An answer to each, in order; all are of one generation.

        Raises:
            QuestionError: One of them is empty, too long or not text; none is answered.
            FilterError: The same of a filter.
        """
        started = time.perf_counter()
        if not requests:
            return []
        questions = [checked_question(request.question) for request in requests]
        texts = [standalone(q, r.previous) for q, r in zip(questions, requests, strict=True)]
        answers: list[Answer] = []
        with self._index.lease() as live:
            manifest = live.generation.manifest
            vectors = self.encoder.encode_query(texts)
            for question, text, vector, request in zip(
                questions, texts, vectors, requests, strict=True
            ):
                limit = request.limit or self.settings.quotes
                idle = self._is_small_talk(question, text, vector)
                count, filters = limit + _SPARE, request.filters
                hits: list[Hit] = []
                if not idle:
                    hits = self._hits(live, text, vector, count, filters, patience=patience)
                answer = compose(
                    question,
                    hits,
                    limit=limit,
                    threshold=self.settings.threshold,
                    confidence=live.confidence,
                    generation=manifest.generation,
                    encoder=manifest.encoder.name,
                    elapsed_ms=(time.perf_counter() - started) * 1000,
                )
                answers.append(replace(answer, small_talk=idle))
        return answers

    def _is_small_talk(self, question: str, text: str, vector: FloatArray) -> bool:
        def own_vector() -> FloatArray:
            # "thanks!" after a question is looked up together with it, but is to be judged alone.
            return vector if text == question else self.encoder.encode_query([question])[0]

        return is_small_talk(question, self.encoder, own_vector)

    def _hits(
        self,
        live: Live,
        question: str,
        vector: FloatArray,
        count: int,
        filters: Filters | None = None,
        *,
        patience: float = math.inf,
    ) -> list[Hit]:
        if self.reader is None:
            return live.retriever.search(question, count, filters=filters, vector=vector)
        count = max(count, MOST_READ)
        hits = live.retriever.search(question, count, filters=filters, vector=vector)
        tokens, is_clear = self.encoder.count_tokens, live.confidence.is_clear
        return read_hits(self.reader, question, hits, tokens, is_clear=is_clear, patience=patience)

    def search(self, question: str, limit: int, *, filters: Filters | None = None) -> list[Hit]:
        """The passages that may answer ``question``, best first, whatever the confidence.

        They stand in the order in which an answer would quote them.

        Args:
            question: In any language, up to ``types.LONGEST_QUESTION`` characters.
            limit: The most passages.
            filters: Which articles are searched; all of them where not given.

        Raises:
            QuestionError: The question is empty, too long or not text.
            FilterError: A filter is no date, or names what the index does not hold.
        """
        question = checked_question(question)
        with self._index.lease() as live:
            vector = self.encoder.encode_query([question])[0]
            hits = self._hits(live, question, vector, limit, filters)
            return [hit for hit, _ in live.confidence.ranked(hits)][:limit]

    def manifest(self) -> Manifest:
        """The live generation's manifest: its content and what made it."""
        with self._index.lease() as live:
            return live.generation.manifest

    def calibrated(self) -> bool:
        """True if the confidence was fitted for this encoder and this reader."""
        with self._index.lease() as live:
            return live.confidence.fitted

    def collections(self) -> tuple[str, ...]:
        """The names of the collections that a question can be limited to, in order."""
        return tuple(sorted(self.manifest().collections))

    def articles(self) -> list[ArticleInfo]:
        """All articles of the index, by id."""
        with self._index.lease() as live:
            return live.generation.database.infos()

    def passage_counts(self) -> dict[str, int]:
        """Article id → number of passages."""
        with self._index.lease() as live:
            return live.generation.database.passage_counts()

    def article(self, article_id: str) -> Article:
        """An article with its text.

        Args:
            article_id: Its id, or the beginning of one id or title that fits no other article.

        Raises:
            SourceError: None or several fit.
        """
        with self._index.lease() as live:
            return find_article(live.generation.database, article_id)

    def context(self, quote: Quote) -> tuple[Passage | None, Passage, Passage | None]:
        """The passage that holds ``quote``, with the ones before and after it in the article.

        Raises:
            SourceError: The index holds no such place any more.
        """
        with self._index.lease() as live:
            passages = [p for _, p in live.generation.database.passages(quote.article.id)]
        for number, passage in enumerate(passages):
            if passage.start <= quote.start and quote.end <= passage.end:
                before = passages[number - 1] if number else None
                after = passages[number + 1] if number + 1 < len(passages) else None
                return before, passage, after
        raise SourceError(f"{quote.article.id}: the article has changed since; ask again")

    def check_encoder(self) -> None:
        """Ask the encoder for a vector that is known.

        Raises:
            IndexMismatchError: It gives another one than when the index was made.
        """
        self._index.check_encoder()

    def close(self) -> None:
        """Close the index's files, once the questions under way are answered; take no others."""
        self._index.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
