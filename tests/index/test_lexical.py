"""Lexical search, against BM25 in plain Python."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qabot.index.lexical import LexicalIndex
from qabot.index.postings import write_lexical
from qabot.index.terms import terms
from tests.index.bm25 import coverages, group_of, rarities
from tests.index.lexicon import opened_words, segment_words

Corpus = list[tuple[int, str, str]]

WORDS = {
    "en": [
        "the",
        "cat",
        "cats",
        "running",
        "run",
        "house",
        "houses",
        "PyTorch",
        "2022",
        "board",
        "a",
    ],
    "de": [
        "der",
        "Hund",
        "Hunde",
        "läuft",
        "laufen",
        "Haus",
        "Häuser",
        "PyTorch",
        "2022",
        "Vorstand",
    ],
    "ru": ["кот", "кота", "коты", "дом", "дома", "бежит", "2022"],
    "ar": ["كتاب", "الكتاب", "كِتَاب", "مدينة", "المدينة", "في"],
    "hi": ["किताब", "किताबें", "शहर", "में", "है", "हिन्दी"],
    "th": ["ภาษา", "ภาษาไทย", "ที่", "นี้"],
    "zh": ["基金会", "PyTorch基金会", "理事会", "2022年", "会"],
    "ja": ["第3回", "東京", "タワー", "の", "基金"],
    "ko": ["한국어", "문장", "서울"],
    "zh-Hans": ["基金会", "理事会", "cats"],
    "EN": ["cats", "running", "houses"],
    "": ["cats", "基金"],
}
SYNTAX = ['"', "'", "*", "^", ":", "-", "+", "(", ")", "{", "}", ",", ";", "--", "%", "\\", "\0"]
OPERATORS = ["AND", "OR", "NOT", "NEAR", "NEAR(cat", ",5)", "terms:", "rowid", '"cat', 'dog"', "*"]
EVERYTHING = [word for words in WORDS.values() for word in words]

PASSAGES = st.sampled_from(sorted(WORDS)).flatmap(
    lambda language: st.tuples(
        st.just(language), st.lists(st.sampled_from(WORDS[language]), max_size=12).map(" ".join)
    )
)
CORPORA = st.lists(PASSAGES, max_size=25).map(
    lambda passages: [(row, *passage) for row, passage in enumerate(passages)]
)
QUESTIONS = st.lists(st.sampled_from(EVERYTHING + SYNTAX + OPERATORS), max_size=8).map(" ".join)


def search(folder: Path, corpus: Corpus, question: str, count: int = 1000) -> dict[int, float]:
    write_lexical(folder / "lexical", corpus, len(corpus))
    return opened_words(folder / "lexical").search(question, count)


def expected_coverages(corpus: Corpus, question: str) -> dict[int, float]:
    groups = coverages(corpus, question)
    return {row: value for known in groups.values() for row, value in known.items()}


@given(CORPORA, QUESTIONS)
@example([(0, "en", "cat"), (1, "en", "dog"), (2, "en", "")], "cat dog dog")
def test_coverage_is_bm25_over_the_most_there_can_be(
    tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, question: str
) -> None:
    found = search(tmp_path_factory.mktemp("lexical"), corpus, question)
    assert pytest.approx(expected_coverages(corpus, question)) == found
    assert all(0 < value <= 1 for value in found.values())


@given(CORPORA, QUESTIONS, st.integers(0, 5), st.data())
def test_among_some_rows_the_best_of_these_are_found(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: Corpus,
    question: str,
    count: int,
    data: st.DataObject,
) -> None:
    rows = sorted(row for row, _, _ in corpus)
    some = set(data.draw(st.lists(st.sampled_from(rows)))) if rows else set()
    allowed = np.zeros(max(rows, default=-1) + 1, np.bool_)
    allowed[list(some)] = True
    path = tmp_path_factory.mktemp("lexical") / "words"
    write_lexical(path, corpus, len(corpus))
    index = opened_words(path)
    found = index.search(question, count, allowed)
    # A question about all of them comes after one about some.
    everything = index.search(question, 1000)
    assert pytest.approx(expected_coverages(corpus, question)) == everything
    for known in coverages(corpus, question).values():
        best = sorted((value for row, value in known.items() if row in some), reverse=True)[:count]
        mine = sorted((found[row] for row in known if row in found), reverse=True)
        assert pytest.approx(best) == mine
    assert found.keys() <= some
    assert pytest.approx({row: everything[row] for row in found}) == found


@given(CORPORA, QUESTIONS, st.data())
def test_scores_do_not_depend_on_how_passages_are_spread(
    tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, question: str, data: st.DataObject
) -> None:
    """Over segments, of which some passages have left."""
    folder = tmp_path_factory.mktemp("lexical")
    places = [data.draw(st.integers(0, 2)) for _ in corpus]
    leaving = [data.draw(st.booleans()) for _ in corpus]
    parts: list[Any] = []
    rows: dict[Any, Any] = {}
    sizes: list[Any] = []
    for segment in range(3):
        mine = [n for n, place in enumerate(places) if place == segment]
        texts = [(row, *corpus[n][1:]) for row, n in enumerate(mine)]
        write_lexical(folder / f"{segment}", texts, len(texts))
        live = None if not any(leaving) else np.array([not leaving[n] for n in mine], np.bool_)
        parts.append(segment_words(folder / f"{segment}", live))
        rows |= {sum(sizes) + row: n for row, n in enumerate(mine)}
        sizes.append(len(mine))
    spread = LexicalIndex(parts)
    stays = [passage for passage, left in zip(corpus, leaving, strict=True) if not left]
    write_lexical(folder / "one", [(n, *p[1:]) for n, p in enumerate(stays)], len(stays))
    one = opened_words(folder / "one")
    expected = {stays[row][0]: score for row, score in one.search(question, 1000).items()}
    found = spread.search(question, 1000)
    assert {rows[row]: score for row, score in found.items()} == expected
    assert spread.shares(question, "en", ["cat", "the house"]) == (
        one.shares(question, "en", ["cat", "the house"])
    )


@pytest.mark.parametrize("seed", range(2))
def test_the_best_are_found_where_words_are_frequent(tmp_path: Path, seed: int) -> None:
    """Over two segments of one language, of which a tenth has left, and one of another."""
    chance = np.random.default_rng(seed)
    ranks = np.arange(1, 301)
    often = 1 / ranks / (1 / ranks).sum()
    corpus = [
        (
            row,
            ("xx", "yy")[row % 5 == 0],
            " ".join(f"w{n}" for n in chance.choice(300, size, p=often)),
        )
        for row, size in enumerate(chance.integers(1, 100, 6000).tolist())
    ]
    live = chance.random(len(corpus)) < 0.9
    half = len(corpus) // 2
    write_lexical(tmp_path / "0", corpus[:half], half)
    second = [(row - half, language, text) for row, language, text in corpus[half:]]
    write_lexical(tmp_path / "1", second, half)
    parts = [segment_words(tmp_path / "0", live[:half]), segment_words(tmp_path / "1", live[half:])]
    index = LexicalIndex(parts)
    stays = [passage for passage in corpus if live[passage[0]]]
    allowed = live & (chance.random(len(corpus)) < 0.3)
    for words in ([*range(3, 60)], [2, 5, 250], [250, 260, 290, 3], [4], [*range(290, 300), 1, 2]):
        question = " ".join(f"w{n}" for n in words)
        known = coverages(stays, question)
        for count, among in ((1, None), (50, None), (50, allowed), (5000, None)):
            found = index.search(question, count, among)
            for own in known.values():
                passing = {row: v for row, v in own.items() if among is None or among[row]}
                # Of several with one score, the first are found.
                best = sorted(passing, key=lambda row: (-round(passing[row], 9), row))[:count]
                assert {row: pytest.approx(passing[row]) for row in best} == {
                    row: found.pop(row) for row in best if row in found
                }
            assert {} == found


@given(CORPORA, QUESTIONS, st.data())
def test_words_that_are_taken_over_are_as_if_read_again(
    tmp_path_factory: pytest.TempPathFactory, corpus: Corpus, question: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("lexical")
    # Each passage is new, or in one of two old indexes, beside one that is not taken over.
    places = [data.draw(st.sampled_from([None, 0, 1])) for _ in corpus]
    old = []
    for segment in range(2):
        mine = [row for row, place in enumerate(places) if place == segment]
        texts = [
            (0, "en", "The cat has left."),
            *((n, *corpus[r][1:]) for n, r in enumerate(mine, 1)),
        ]
        write_lexical(folder / f"{segment}", texts, len(texts))
        old.append((folder / f"{segment}", np.array([-1, *mine], np.int64)))
    new = [passage for passage, place in zip(corpus, places, strict=True) if place is None]
    write_lexical(folder / "taken", new, len(corpus), old)
    taken = opened_words(folder / "taken").search(question, 1000)
    assert taken == search(folder, corpus, question)


def test_a_passage_may_hold_a_word_very_often(tmp_path: Path) -> None:
    corpus = [(0, "en", "cat " * 70_000), (1, "en", "cat " * 255), (2, "en", "cat " * 256)]
    corpus += [(row, "en", "dog") for row in range(3, 9)]
    found = search(tmp_path, corpus, "cat")
    assert pytest.approx(expected_coverages(corpus, "cat")) == found
    assert len(found) == 3


def test_words_near_and_far_apart_once_and_often(tmp_path: Path) -> None:
    """Also where two bytes are too few for the numbers of passages."""
    count = 66_000
    held = {
        "near": dict.fromkeys(range(100, 300), 1),
        "often": dict.fromkeys(range(100, 300), 2),
        "far": {7: 1, 20_000: 1},
        "sometimes": {7: 3, 20_000: 1, 65_535: 2},
        "apart": {65_700: 200},
        "endless": {65_701: 300},
    }
    texts = [""] * count
    for word, rows in held.items():
        for row, often in rows.items():
            texts[row] += f" {word}" * often
    corpus = [(row, "xx", text) for row, text in enumerate(texts)]
    question = " ".join(held)
    found = search(tmp_path, corpus, question)
    assert pytest.approx(expected_coverages(corpus, question)) == found
    assert len(found) == 200 + 3 + 2
    moved = np.arange(count) + 1
    old = [(tmp_path / "lexical", moved)]
    write_lexical(tmp_path / "moved", [(0, "xx", "")], count + 1, old)
    expected = {row + 1: pytest.approx(score, rel=1e-3) for row, score in found.items()}
    assert expected == opened_words(tmp_path / "moved").search(question, 1000)


def test_words_of_many_passages_and_of_few_are_joined(tmp_path: Path) -> None:
    """Over two old indexes and new passages."""
    texts = ["cat dog", "cat", "bird"]
    corpus = [(row, "en", f"{texts[row % 3]} word{row}") for row in range(150)]
    old = []
    for segment in range(2):
        mine = list(range(segment, 120, 2))
        write_lexical(
            tmp_path / f"{segment}", [(n, *corpus[r][1:]) for n, r in enumerate(mine)], 60
        )
        old.append((tmp_path / f"{segment}", np.array(mine, np.int64)))
    write_lexical(tmp_path / "taken", corpus[120:], 150, old)
    taken = opened_words(tmp_path / "taken")
    for question in ("dog", "bird", "word7 word130 dog"):
        assert taken.search(question, 1000) == search(tmp_path, corpus, question)
        (tmp_path / "lexical").unlink()


@given(
    st.lists(st.integers(0, 7), min_size=10, max_size=40),
    st.sampled_from(["cat", "cat house", "run the cat", "Hund"]),
    st.integers(0, 4),
)
def test_best_of_each_language(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], question: str, count: int
) -> None:
    # Some of the words must be in less than half of the passages: others find nothing.
    texts = ["cat", "cat house", "cat cat", "Hund", "bird", "fish", "tree", "bird fish tree"]
    corpus = [(row, "de" if row % 3 else "en", texts[n]) for row, n in enumerate(numbers)]
    found = search(tmp_path_factory.mktemp("lexical"), corpus, question, count)
    remaining = dict(found)
    for known in coverages(corpus, question).values():
        own = sorted((remaining.pop(row) for row in known if row in found), reverse=True)
        # Of several with one score, any may be left out.
        assert pytest.approx(sorted(known.values(), reverse=True)[:count]) == own
    assert {} == remaining


def test_coverage_by_hand(tmp_path: Path) -> None:
    """Four passages of one word; of the question's two words one is in one passage."""
    corpus = [(0, "en", "cat"), (1, "en", "dog"), (2, "en", "bird"), (3, "en", "fish")]
    # Either is as rare as can be, ln(3.5 / 1.5). Found once in a passage of average length, a word
    # gets 1 × 2.2 / (1 + 1.2) of the 2.2 that it would get if it were there without end.
    expected = 1 / 2 / 2.2
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    assert {0: pytest.approx(expected)} == index.search("cat yeti", 10)
    assert {0: pytest.approx(expected)} == index.search("who is the cat and the yeti?", 10)


@given(CORPORA, QUESTIONS, st.lists(PASSAGES, max_size=5), st.sampled_from([*sorted(WORDS), "vi"]))
def test_shares_of_other_texts(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: Corpus,
    question: str,
    passages: list[tuple[str, str]],
    language: str,
) -> None:
    path = tmp_path_factory.mktemp("lexical") / "index"
    write_lexical(path, corpus, len(corpus))
    index = opened_words(path)
    texts = [text for _, text in passages]
    group = group_of(language)
    known = [terms(text, other) for _, other, text in corpus if group_of(other) == group]
    idf = rarities(known, question, language) if known else {}
    expected = [
        sum(idf.get(term, 0) for term in set(terms(text, language))) / sum(idf.values())
        if idf
        else 0
        for text in texts
    ]
    assert pytest.approx(expected) == index.shares(question, language, texts)


def test_shares_by_hand(tmp_path: Path) -> None:
    """Both words are in one of four passages: each is half of the question."""
    corpus = [(0, "en", "cat"), (1, "en", "dog"), (2, "en", "bird"), (3, "en", "fish")]
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    texts = ["A cat.", "The cats' dogs", "", "the", "cat cat cat"]
    assert [0.5, 1, 0, 0, 0.5] == index.shares("Is the cat a dog?", "en", texts)
    assert [0, 0] == index.shares("Is the cat a dog?", "de", ["cat", "dog"])
    assert [0] == index.shares("Is it the?", "en", ["it is the"])
    assert [] == index.shares("cat", "en", [])


def test_words_of_most_passages_find_nothing(tmp_path: Path) -> None:
    corpus = [(n, "en", f"the {word}") for n, word in enumerate(["cat", "dog", "bird"])]
    assert {} == search(tmp_path, corpus, "the")


@pytest.mark.parametrize(
    ("language", "text", "question"),
    [
        ("en", "The cats were running.", "cat run"),
        ("de", "Die Häuser stehen leer.", "Haus"),
        ("hi", "यह हिन्दी की किताब है।", "हिन्दी"),
        ("th", "ภาษาไทยสวยงาม", "ภาษาไทย"),
        ("ar", "قرأتُ الكِتَابَ أمسِ", "الكتاب"),
        ("he", "שָׁלוֹם לכולם", "שָׁלוֹם"),
        ("zh", "PyTorch基金会成立了", "基金会"),
        ("ja", "第3回の大会", "第3回"),
        ("ko", "서울의 문장", "서울의"),
        ("vi", "Tiếng Việt", unicodedata.normalize("NFD", "tiếng việt")),
        ("el", "Η Ελλάδα", "ΕΛΛΆΔΑ"),
    ],
)
def test_words_are_found_in_their_language(
    tmp_path: Path, language: str, text: str, question: str
) -> None:
    others = [(n, language, "1234 5678") for n in range(1, 6)]
    found = search(tmp_path, [(0, language, text), *others], question)
    assert [0] == list(found)
    assert found[0] > 0.1


@pytest.mark.parametrize(
    ("question", "plain"),
    [
        ('"cat" AND (dog* OR ^bird)', "cat and dog or bird"),
        ("NEAR(cat dog, 2)", "near cat dog 2"),
        ("terms : cat", "terms cat"),
        ("cat NOT dog", "cat not dog"),
        ("- cat + dog", "cat dog"),
        ("cat'; DROP TABLE terms_en; --", "cat drop table terms en"),
        ('cat""dog', "cat dog"),
        ("cat\0dog", "cat dog"),
        ('"', ""),
    ],
)
def test_query_syntax_means_nothing(tmp_path: Path, question: str, plain: str) -> None:
    texts = ["cat", "dog", "bird", "and", "or", "near not", "terms", "drop table", "en 2", ""]
    corpus = [(n, "en", text) for n, text in enumerate(texts)]
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    assert index.search(plain, 10) == index.search(question, 10)
    assert pytest.approx(expected_coverages(corpus, plain)) == index.search(plain, 10)


@pytest.mark.parametrize(
    "language",
    ["EN", "de-AT", "", "e", "x'; DROP TABLE terms_en; --", "[en]", "other", "idx", "en\n", "ｅｎ"],
)
def test_odd_languages(tmp_path: Path, language: str) -> None:
    corpus = [
        (0, "en", "cat"),
        (1, "en", "bird fish"),
        (2, "en", "fish"),
        (3, language, "cat"),
        (4, language, "dog fish"),
        (5, language, "fish"),
    ]
    found = search(tmp_path, corpus, "cat")
    assert [0, 3] == sorted(found)
    assert pytest.approx(expected_coverages(corpus, "cat")) == found


def test_long_questions_count_by_their_first_words(tmp_path: Path) -> None:
    corpus = [(n, "xx", f"word{n} word{n + 100}") for n in range(5)]
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    words = [f"word{n}" for n in range(1000)]
    expected = index.search(" ".join(words[:64]), 10)
    assert expected == index.search(" ".join([*words[:64], *words]), 10)
    assert len(corpus) == len(expected)


def test_very_long_words(tmp_path: Path) -> None:
    corpus = [(0, "en", "x" * 100_000 + " cat"), (1, "en", "dog"), (2, "en", "y" * 2000)]
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    assert [0] == list(index.search("cat", 10))
    assert [2] == list(index.search("y" * 2000, 10))


def test_nothing_to_search(tmp_path: Path) -> None:
    assert {} == search(tmp_path, [], "cat")


def test_eight_threads_get_what_one_gets(tmp_path: Path) -> None:
    languages = ["en", "de", "zh"]
    corpus = [
        (n, languages[n % 3], " ".join(WORDS[languages[n % 3]][n % 7 : n % 7 + 2]))
        for n in range(60)
    ]
    write_lexical(tmp_path / "index", corpus, len(corpus))
    index = opened_words(tmp_path / "index")
    questions = EVERYTHING * 5
    expected = [index.search(question, 10) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda question: index.search(question, 10), questions))
    assert expected == found
    assert any(expected)


def test_path_with_characters_that_mean_something_in_an_address(tmp_path: Path) -> None:
    folder = tmp_path / "a?mode=rw#b%20c ü"
    folder.mkdir()
    corpus = [(0, "en", "cat"), (1, "en", "dog"), (2, "en", "bird")]
    assert [0] == list(search(folder, corpus, "cat"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: b"no words" * 100,
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"x",
        lambda content: content[:8] + b"\xff" * 8 + content[16:],
    ],
)
def test_file_that_is_no_index(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "index"
    write_lexical(path, [(0, "en", "cat"), (1, "de", "dog")], 2)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=r"holds no words|has another size"):
        opened_words(path)


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_lexical(tmp_path / "missing" / "index", [(0, "en", "cat")], 1)
