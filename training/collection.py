"""Articles with questions → passages and vectors, as an index would hold them.

``python -m training.collection DATA --out FOLDER`` reads the near-topic articles (``near-topic``)
and the public sets (``reader``) of DATA, and what ``training/written`` adds to both. It cuts them
into passages with the product's own chunker and encodes passages, sentences and questions once with
the packaged encoder. Training draws from that: what retrieval ranks high for a question is what a
reader has to tell apart.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import pickle
import random
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from qabot.articles.formats.parsers import read_draft
from qabot.encoders import Encoder
from qabot.encoders.base import usable_cores
from qabot.encoders.e5.packaged import open_packaged
from qabot.encoders.language_subspace import LanguageSubspace, cached
from qabot.indexing.encoding_plan import passage_input
from qabot.indexing.passages import split_article
from qabot.types import Article, ArticleInfo, Passage, Span

# Articles and questions that were written for training; they come with the code.
WRITTEN = Path(__file__).parent / "written"
SHA_DIGITS = 12
NEAR_TOPIC, WRITTEN_ANEW = "near-topic", "written"
# Paragraphs that are taken of each public set.
_MOST_PARAGRAPHS = 400
_GROUP = 512


@dataclass(slots=True)
class Question:
    """A question and where its article answers it.

    Attributes:
        article: Number of its article in the collection.
        spans: Half-open characters of the article's text that answer; empty where it does not.
        why: Of which kind a question is that its article does not answer; empty where unknown.
    """

    text: str
    language: str
    article: int
    spans: list[Span]
    why: str = ""


@dataclass(slots=True)
class Collection:
    """Articles, their passages and questions, with vectors.

    Attributes:
        articles: The articles; ``info.collections[0]`` names the data set.
        clusters: Of each article, what it shares with articles about the same matter.
        passages, owners: All passages, and the number of each one's article.
        vectors: Passage vectors, language taken out: float32 ``(passages, dimension)``.
        sentences: The same of all sentences ``(sentences, dimension)``.
        bounds: Where each passage's sentences begin, with the end ``(passages + 1,)``.
        queries: Question vectors, language taken out ``(questions, dimension)``.
    """

    articles: list[Article] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    owners: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    sentences: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    bounds: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    queries: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    def add(self, article: Article, cluster: str, questions: Sequence[Question]) -> None:
        """Take up an article and its questions."""
        self.articles.append(article)
        self.clusters.append(cluster)
        self.questions += questions

    def is_known(self, article: int) -> bool:
        """Tell articles of the near-topic data, which readers were trained on first."""
        return NEAR_TOPIC in self.articles[article].info.collections

    def is_written(self, article: int) -> bool:
        """Tell articles that were written for training."""
        return WRITTEN_ANEW in self.articles[article].info.collections

    def is_paragraph(self, article: int) -> bool:
        """Tell paragraphs of public sets: one passage, mostly, and no other beside it."""
        return not self.is_known(article) and not self.is_written(article)

    def is_held_back(self, article: int) -> bool:
        """Tell articles that are kept out of training, so that confidence can be fitted on them."""
        return self.is_known(article) and is_held_back(self.clusters[article])

    def encode(self, encoder: Encoder, subspace: LanguageSubspace) -> None:
        """Cut the articles and encode all there is; prints how far it has come."""
        owners = []
        for number, article in enumerate(self.articles):
            found = split_article(article, encoder.count_tokens)
            self.passages += found
            owners += [number] * len(found)
        self.owners = np.array(owners, np.int64)
        counts = [len(passage.sentences) for passage in self.passages]
        self.bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        inputs = [
            passage_input(self.articles[owner].info.title, passage)
            for owner, passage in zip(owners, self.passages, strict=True)
        ]
        sentences = [p.text[start:end] for p in self.passages for start, end in p.sentences]
        self.vectors = subspace.documents(_encoded(inputs, encoder.encode_document, "passages"))
        self.sentences = subspace.documents(
            _encoded(sentences, encoder.encode_document, "sentences")
        )
        texts = [question.text for question in self.questions]
        self.queries = subspace.queries(_encoded(texts, encoder.encode_query, "questions"))


def _encoded(texts: Sequence[str], encode: Any, what: str) -> NDArray[np.float32]:
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    groups = [order[at : at + _GROUP] for at in range(0, len(order), _GROUP)]
    found = None
    started, done = time.monotonic(), 0
    # A core for each group: together, they would wait for each other at every short text.
    with ThreadPoolExecutor(usable_cores()) as pool:
        encoded = pool.map(lambda places: encode([texts[place] for place in places]), groups)
        for places, vectors in zip(groups, encoded, strict=True):
            if found is None:
                found = np.zeros((len(texts), vectors.shape[1]), np.float32)
            found[places] = vectors
            done += len(places)
            if places is groups[-1] or done // _GROUP % 10 == 1:
                spent = time.monotonic() - started
                print(f"{what}: {done} of {len(texts)}, {spent:.0f} s", flush=True)
    assert found is not None
    return found


def near_topic(
    path: Path, data: str = NEAR_TOPIC
) -> Iterator[tuple[Article, str, list[dict[str, Any]]]]:
    """Yield the articles of a near-topic file, as qabot reads them, with cluster and questions.

    Args:
        path: Gzipped JSON lines.
        data: What the data set is called.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            draft = read_draft("markdown", f"# {row['title']}\n\n{row['text']}\n".encode())
            info = _info(row["id"], row["title"], row["language"], data)
            article = Article(info, draft.text, draft.headings)
            yield article, row.get("cluster", row["id"]), row["questions"]


def asked_anew(path: Path, sets: Path) -> Iterator[tuple[Article, str, list[dict[str, Any]]]]:
    """Yield paragraphs of the public ``sets`` that more questions were written to, with these.

    Args:
        path: Gzipped JSON lines ``{"set", "sha", "questions"}``: a set's name and the first digits
            of the SHA-256 of the paragraph's text. So paragraphs stay where their licences are.
        sets: Folder of the public sets.
    """
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    asked: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        asked[row["set"]][row["sha"]] = row["questions"]
    for name, wanted in asked.items():
        for article, _ in public(sets / f"{name}.jsonl.gz", None):
            sha = hashlib.sha256(article.text.encode()).hexdigest()[:SHA_DIGITS]
            if sha in wanted:
                yield article, f"{name}-{article.info.title}", wanted.pop(sha)


def answer_spans(text: str, question: dict[str, Any]) -> list[Span]:
    """Where ``text`` holds the answers of a question of the near-topic data."""
    found = []
    for answer in question["answers"]:
        around = question.get("in")
        if around and answer in around and around in text:
            start = text.index(around) + around.index(answer)
        elif answer in text:
            start = text.index(answer)
        else:
            continue
        found.append((start, start + len(answer)))
    return found


def public(path: Path, most: int | None) -> Iterator[tuple[Article, list[dict[str, Any]]]]:
    """Some paragraphs of a public set as articles, with their questions."""
    name = path.name.removesuffix(".jsonl.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(name).shuffle(rows)
    for number, row in enumerate(rows[:most]):
        title = row["title"].replace("_", " ").strip() or row["context"][:40].split("\n")[0]
        yield (
            Article(_info(f"{name}-{number}", title, row["language"], name), row["context"]),
            row["questions"],
        )


def _info(identity: str, title: str, language: str, data: str) -> ArticleInfo:
    code = language.split("-", maxsplit=1)[0]
    return ArticleInfo(identity, title, identity, None, None, code, (data,))


def gather(
    near: Iterable[tuple[Article, str, list[dict[str, Any]]]], sets: Sequence[Path], most: int
) -> Collection:
    """The collection of ``near``-topic articles and public ``sets``, not encoded yet."""
    collection = Collection()
    for article, cluster, rows in near:
        number = len(collection.articles)
        questions = []
        for row in rows:
            spans = answer_spans(article.text, row)
            if bool(spans) == bool(row["answers"]):
                why = row.get("why", "")
                questions.append(Question(row["q"], row["language"], number, spans, why))
        collection.add(article, cluster, questions)
    for path in sets:
        for article, rows in public(path, most):
            number = len(collection.articles)
            questions = []
            for row in rows:
                spans = [(a["start"], a["start"] + len(a["text"])) for a in row["answers"]]
                language = row.get("question_language", article.info.language)
                questions.append(Question(row["question"], language, number, spans))
            # Many questions of one paragraph say little more than some of them.
            chosen = random.Random(article.info.id).sample(questions, min(len(questions), 8))
            collection.add(article, f"{path.name}-{article.info.title}", chosen)
    return collection


def is_held_back(cluster: str) -> bool:
    """Tell clusters of the near-topic data whose articles are kept out of training."""
    return int(hashlib.sha256(cluster.encode()).hexdigest(), 16) % 8 == 0


def load(folder: Path) -> Collection:
    """What ``main`` wrote to ``folder``."""
    with (folder / "collection.pickle").open("rb") as file:
        found = pickle.load(file)
    assert isinstance(found, Collection)
    return found


def main() -> None:
    """Write the collections as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--near-topic", default="train", help="train, none, or dev to measure on")
    parser.add_argument("--most", type=int, default=_MOST_PARAGRAPHS)
    options = parser.parse_args()
    cache = platformdirs.user_cache_path("qabot")
    encoder = open_packaged(cache, threads=1)
    subspace = cached(encoder, cache)
    part, public_sets = options.near_topic, options.data / "reader"
    near: list[Iterator[tuple[Article, str, list[dict[str, Any]]]]] = []
    if part != "none":
        near.append(near_topic(options.data / "near-topic" / f"{part}.jsonl.gz"))
    if part == "train":
        near.append(near_topic(WRITTEN / "articles.jsonl.gz", WRITTEN_ANEW))
        near.append(asked_anew(WRITTEN / "questions.jsonl.gz", public_sets))
    sets = sorted(public_sets.glob("*.jsonl.gz")) if options.most else []
    collection = gather(chain.from_iterable(near), sets, options.most)
    print(f"{len(collection.articles)} articles, {len(collection.questions)} questions", flush=True)
    collection.encode(encoder, subspace)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "collection.pickle"
    with path.open("wb") as file:
        pickle.dump(collection, file, protocol=5)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    print(f"{path}: {len(collection.passages)} passages, SHA-256 {digest}")


if __name__ == "__main__":
    # By its full name, which is then what the file's classes go by.
    from training.collection import main as run

    run()
