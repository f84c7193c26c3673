"""The ranking of passages: by every sum reckoned anew, and across languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from qabot.answering.retrieval import LEXICAL_WEIGHT, SENTENCE_WEIGHT, Retriever
from qabot.encoders import Encoder, open_encoder
from qabot.encoders.base import normalize
from qabot.encoders.language_subspace import COMMON
from qabot.errors import DamagedIndexError, IndexMismatchError
from qabot.index import Generation, IndexStore
from qabot.index.terms import terms
from qabot.indexing.encoding_plan import passage_input
from tests.index.bm25 import coverages, rarities
from tests.support import HashingEncoder, build_index, small_index, write_article

SUBJECTS = [
    "telescope",
    "volcano",
    "bridge",
    "river",
    "harbour",
    "theatre",
    "orchard",
    "railway",
    "museum",
    "glacier",
]
VERBS = ["opened", "closed", "moved", "changed", "burned", "grew", "froze", "flooded"]
PLACES = ["north", "south", "coast", "valley", "island", "border", "capital", "village"]
QUESTIONS = [
    "When was the telescope moved to the island?",
    "telescope",
    "Which volcano grew in 1903 near the border village?",
    "Brücke Küste",
    "harbour harbour theatre",
    "nothing of the kind",
    "?",
    "1907 1911 1913",
]


def articles(folder: Path, count: int) -> None:
    """Articles that share words, in two languages, most of a passage or two."""
    random = np.random.default_rng(1)
    for number in range(count):
        sentences = [
            f"The {random.choice(SUBJECTS)} in the {random.choice(PLACES)} "
            f"{random.choice(VERBS)} in {random.integers(1900, 1920)}."
            for _ in range(random.integers(1, 6))
        ]
        if number % 5 == 0:
            sentences = [f"Die Brücke Nummer {number} steht an der Küste.", *sentences]
        if number % 7 == 0:
            sentences.insert(1, f"\n\n## Part {number}\n\n")
        language = "de" if number % 5 == 0 else "en"
        write_article(folder, f"a{number:03}", " ".join(sentences), language=language)


@pytest.fixture(scope="module")
def encoder() -> HashingEncoder:
    return HashingEncoder(dimension=128)


@pytest.fixture(scope="module", params=[40, 260])
def generation(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    encoder: HashingEncoder,
) -> Iterator[Generation]:
    """One with fewer passages than are looked at closely, and one with more."""
    folder = tmp_path_factory.mktemp("retrieval")
    articles(folder / "articles", request.param)
    build_index(folder / "index", folder / "articles", encoder=encoder)
    opened = IndexStore(folder / "index").open()
    yield opened
    opened.close()


@dataclass(frozen=True)
class Expected:
    """Of every passage: all that makes up its score."""

    similarity: np.ndarray
    sentences: list[np.ndarray]
    lexical_score: np.ndarray
    sentence_lexical_scores: list[list[float]]
    languages: list[str]

    def scores(self, rows: Sequence[int]) -> np.ndarray:
        """Those of some passages, if no others may answer."""
        among = list(rows)
        best = np.array([self.sentences[row].max() for row in among])
        wording = self.lexical_score[among]
        languages = np.array([self.languages[row] for row in among])
        usual = np.zeros(len(among))
        for language in set(self.languages):
            own = languages == language
            usual[own] = sum(sorted(wording[own])[-10:]) / 10
        scores: np.ndarray = (
            self.similarity[among]
            + SENTENCE_WEIGHT * best
            + LEXICAL_WEIGHT * (wording - 0.7 * usual)
        )
        return scores


def brute_force(generation: Generation, encoder: Encoder, question: str) -> Expected:
    """Straight from the files, over all passages."""
    folder = generation.folder
    arrays = np.load(folder / "language_subspace.npz")
    raw = encoder.encode_query([question])[0].astype(np.float64)
    centred = raw - COMMON * arrays["query_mean"]
    for direction in arrays["basis"].astype(np.float64):
        centred = centred - (centred @ direction) * direction
    query = centred / np.linalg.norm(centred)

    (segment,) = generation.segments
    vectors = np.load(segment.folder / "passages.npy").astype(np.float64)
    bounds = np.load(segment.folder / "sentence_rows.npy")
    cosines = normalize(np.load(segment.folder / "sentences.npy").astype(np.float32)) @ query
    texts = []
    for row in range(len(vectors)):
        passage, article = generation.database.passage(row)
        texts.append((row, article.language, passage_input(article.title, passage)))
    lexical_score = np.zeros(len(vectors))
    for known in coverages(texts, question).values():
        lexical_score[list(known)] = list(known.values())
    return Expected(
        similarity=vectors @ query,
        sentences=np.split(cosines, bounds[1:-1]),
        lexical_score=lexical_score,
        sentence_lexical_scores=sentence_lexical_scores(generation, question, texts),
        languages=[language for _, language, _ in texts],
    )


def sentence_lexical_scores(
    generation: Generation, question: str, texts: list[tuple[int, str, str]]
) -> list[list[float]]:
    idf = {
        language: rarities(
            [terms(text, own) for _, own, text in texts if own == language], question, language
        )
        for language in {language for _, language, _ in texts}
    }
    shares = []
    for row, language, _ in texts:
        passage, _ = generation.database.passage(row)
        sentences = [passage.text[start:end] for start, end in passage.sentences]
        rarity = idf[language]
        most = sum(rarity.values()) or 1
        held = [set(terms(sentence, language)) for sentence in sentences]
        shares.append([sum(rarity.get(term, 0) for term in own) / most for own in held])
    return shares


@pytest.mark.parametrize("question", QUESTIONS)
def test_scores_are_those_of_brute_force(
    generation: Generation, encoder: HashingEncoder, question: str
) -> None:
    expected = brute_force(generation, encoder, question)
    hits = Retriever(generation, encoder).search(question, 10)
    found = [hit.score for hit in hits]
    scores = expected.scores(range(len(expected.sentences)))
    np.testing.assert_allclose(np.sort(scores)[::-1][:10], found, atol=1e-4)
    rows = {
        (passage.article_id, passage.start): row
        for row in generation.rows.tolist()
        for passage, _ in [generation.database.passage(row)]
    }
    for hit in hits:
        row = rows[hit.passage.article_id, hit.passage.start]
        assert generation.database.passage(row) == (hit.passage, hit.article)
        assert scores[row] == pytest.approx(hit.score, abs=1e-4)
        assert expected.similarity[row] == pytest.approx(hit.similarity, abs=1e-4)
        assert expected.lexical_score[row] == pytest.approx(hit.lexical_score, abs=1e-4)
        np.testing.assert_allclose(expected.sentences[row], hit.sentence_similarities, atol=1e-4)
        assert len(hit.passage.sentences) == len(hit.sentence_similarities)
        if hit.lexical_score:
            expected_shares = expected.sentence_lexical_scores[row]
            assert pytest.approx(expected_shares, abs=1e-4) == hit.sentence_lexical_scores
        else:
            assert (0.0,) * len(hit.passage.sentences) == hit.sentence_lexical_scores


@pytest.mark.parametrize("count", [0, 1, 3, 10_000])
def test_as_many_as_asked_for_best_first(
    generation: Generation, encoder: HashingEncoder, count: int
) -> None:
    retriever = Retriever(generation, encoder)
    hits = retriever.search(QUESTIONS[0], count)
    if count <= 3:
        assert count == len(hits)
    else:
        # At least the nearest by vector, at most all.
        assert min(200, len(generation.rows)) <= len(hits) <= len(generation.rows)
    scores = [hit.score for hit in hits]
    assert sorted(scores, reverse=True) == scores
    assert len(hits) == len({(hit.passage.article_id, hit.passage.start) for hit in hits})
    assert hits == retriever.search(QUESTIONS[0], 10_000)[:count]


def test_equal_passages_stay_in_the_order_of_their_articles(tmp_path: Path) -> None:
    names = [f"{number:02}" for number in range(60)]
    for name in reversed(names):
        write_article(tmp_path / "articles", name, "The telescope opened.", title="Same")
    write_article(tmp_path / "articles", "30a", "Nothing of the kind.")
    build_index(tmp_path / "index", tmp_path / "articles")
    generation = IndexStore(tmp_path / "index").open()
    hits = Retriever(generation, HashingEncoder()).search("telescope", 60)
    assert names == [hit.article.id for hit in hits]
    assert 1 == len({hit.score for hit in hits})
    generation.close()


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (
            HashingEncoder(fingerprint="fedcba9876543210"),
            "the index was made by another version of hashing, not by hashing; "
            "run `qabot rebuild` to renew it",
        ),
        (
            HashingEncoder(dimension=32),
            "the index was made by another version of hashing, not by hashing; "
            "run `qabot rebuild` to renew it",
        ),
        (
            HashingEncoder(name="other", fingerprint="fedcba9876543210"),
            "the index was made by hashing, not by other; "
            "run `qabot rebuild` to renew it, or ask with --encoder hashing",
        ),
    ],
)
def test_index_of_another_model(tmp_path: Path, other: HashingEncoder, message: str) -> None:
    generation = IndexStore(small_index(tmp_path)).open()
    with pytest.raises(IndexMismatchError) as error:
        Retriever(generation, other)
    assert f"{generation.folder}: {message}" == str(error.value)
    generation.close()


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 no archive"])
def test_subspace_that_was_damaged_after_opening(tmp_path: Path, content: bytes | None) -> None:
    generation = IndexStore(small_index(tmp_path)).open()
    path = generation.folder / "language_subspace.npz"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DamagedIndexError) as error:
        Retriever(generation, HashingEncoder())
    text = str(error.value)
    assert text.startswith(f"{path}: cannot be read (")
    assert text.endswith("); run `qabot rebuild --full`")
    generation.close()


def test_both_written_forms_of_norwegian_are_the_language_of_a_norwegian_question(
    tmp_path: Path,
) -> None:
    for language in ("nb", "nn", "no", "da", "en"):
        write_article(tmp_path / "articles", language, "Båten seilte i mai.", language=language)
    # So many buckets that the words of languages hardly meet in one.
    encoder = HashingEncoder(dimension=1024)
    build_index(tmp_path / "index", tmp_path / "articles", encoder=encoder)
    generation = IndexStore(tmp_path / "index").open()
    hits = Retriever(generation, encoder).search("Hva var det som seilte fra havnen i mai?", 10)
    generation.close()
    assert 5 == len(hits)
    assert {"nb", "nn", "no"} == {hit.article.language for hit in hits if hit.same_language}


# Across languages, with the packaged model.

PARAGRAPHS = {
    "glass.en": (
        "The glassworks",
        "The furnace of the glassworks burns day and night at 1,150 degrees. Six blowers share "
        "three benches, and each of them makes about forty drinking glasses in a shift. In "
        "winter the heat from the furnace warms the swimming pool next door.",
    ),
    "bienen.de": (
        "Bienen auf dem Dach",
        "Auf dem Dach der Oper stehen seit 2009 zwölf Bienenstöcke. Ein Bühnentechniker betreut "
        "sie in seiner Freizeit und erntet im Juli rund zweihundert Kilogramm Lindenhonig. Das "
        "Geld aus dem Verkauf geht an die Musikschule.",
    ),
    "sismos.es": (
        "El observatorio sismológico",
        "El observatorio registra los temblores de toda la cordillera con cuarenta sensores "
        "enterrados a dos metros de profundidad. Su directora, una geóloga de Arequipa, publica "
        "cada mañana un mapa con los movimientos de la noche. En 1970 un terremoto destruyó el "
        "primer edificio.",
    ),
    "qiao.zh": (
        "跨海大桥",
        "这座跨海大桥全长三十六公里，桥面有六条车道，限速每小时一百公里。工程师在两座桥塔之间"
        "安装了传感器，随时测量风速。台风来临时，大桥会关闭十几个小时。",
    ),
    "wahat.ar": (
        "نخيل الواحة",
        "يروي أهل الواحة نخيلهم من قنوات حُفرت تحت الأرض قبل ألف عام. يُوزَّع الماء بالساعة بين "
        "العائلات، ويسجّل أمين القناة نصيب كل عائلة في دفتر. تُقطف التمور في أكتوبر وتُنقل إلى "
        "السوق على الشاحنات.",
    ),
}
ASKED = {
    "glass.en": {
        "en": "How many drinking glasses does a blower make in a shift?",
        "de": "Wie viele Trinkgläser macht ein Glasbläser in einer Schicht?",
        "es": "¿Cuántos vasos hace un soplador de vidrio en un turno?",
        "zh": "一个吹玻璃工一班能做多少个玻璃杯？",
        "ar": "كم كأسًا زجاجيًا يصنع نافخ الزجاج في نوبة العمل؟",
    },
    "bienen.de": {
        "en": "Who looks after the bee hives on the roof of the opera?",
        "de": "Wer kümmert sich um die Bienen auf dem Operndach?",
        "es": "¿Quién cuida las colmenas del tejado de la ópera?",
        "zh": "谁照料歌剧院屋顶上的蜜蜂？",
        "ar": "من يعتني بخلايا النحل على سطح دار الأوبرا؟",
    },
    "sismos.es": {
        "en": "When did an earthquake destroy the observatory's first building?",
        "de": "Wann zerstörte ein Erdbeben das erste Gebäude des Observatoriums?",
        "es": "¿Cuándo fue destruido el primer edificio por un terremoto?",
        "zh": "地震是哪一年摧毁了天文台的第一座建筑？",
        "ar": "متى دمّر الزلزال المبنى الأول للمرصد؟",
    },
    "qiao.zh": {
        "en": "How long is the bridge across the sea?",
        "de": "Wie lang ist die Brücke über das Meer?",
        "es": "¿Qué longitud tiene el puente sobre el mar?",
        "zh": "跨海大桥有多长？",
        "ar": "كم يبلغ طول الجسر فوق البحر؟",
    },
    "wahat.ar": {
        "en": "How is the water shared among the families of the oasis?",
        "de": "Wie wird das Wasser unter den Familien der Oase verteilt?",
        "es": "¿Cómo se reparte el agua entre las familias del oasis?",
        "zh": "绿洲的水是怎样在各家之间分配的？",
        "ar": "كيف يُقسم الماء بين عائلات الواحة؟",
    },
}


@pytest.fixture(scope="module")
def multilingual(
    tmp_path_factory: pytest.TempPathFactory, model_cache: Path
) -> Iterator[Retriever]:
    folder = tmp_path_factory.mktemp("multilingual")
    for name, (title, text) in PARAGRAPHS.items():
        language = name.rsplit(".", 1)[-1]
        write_article(folder / "articles", name, text, title=title, language=language)
    encoder = open_encoder("multilingual-e5-small", cache=model_cache)
    build_index(folder / "index", folder / "articles", encoder=encoder, cache=model_cache)
    generation = IndexStore(folder / "index").open()
    yield Retriever(generation, encoder)
    generation.close()


@pytest.mark.parametrize(
    ("article", "language"),
    [(article, language) for article, asked in ASKED.items() for language in asked],
)
def test_the_right_passage_comes_first_whatever_the_languages(
    multilingual: Retriever, article: str, language: str
) -> None:
    hits = multilingual.search(ASKED[article][language], 5)
    assert article == hits[0].article.id
    assert {language} == {hit.article.language for hit in hits if hit.same_language}
