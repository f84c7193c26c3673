"""The engine: answers, follows the index, and keeps answering when a new generation is no good."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.answering.engine import Engine
from qabot.answering.reader.base import Window
from qabot.encoders.probe import probe
from qabot.errors import (
    DamagedIndexError,
    IndexMismatchError,
    NoIndexError,
    QuestionError,
    SourceError,
)
from qabot.index import IndexStore
from qabot.settings import Settings
from qabot.types import LONGEST_QUESTION, Answer, AnswerSpan, Request
from tests.support import (
    TELESCOPE,
    VOLCANO,
    HashingEncoder,
    RecordingEncoder,
    build_index,
    rocket_index,
    sign,
    small_index,
    write_article,
)

LAUNCH = "When was the telescope launched?"


def engine_on(index: Path, *, encoder: HashingEncoder | RecordingEncoder | None = None) -> Engine:
    """An engine that answers whatever the confidence."""
    return Engine(IndexStore(index), encoder or HashingEncoder(), Settings(threshold=0.0))


def republish(index: Path, name: str, text: str) -> int:
    """Write an article beside ``index`` and rebuild; the new generation's number."""
    write_article(index.parent / "articles", name, text)
    return build_index(index, index.parent / "articles").generation


def assert_verbatim(answer: Answer, articles: dict[str, str]) -> None:
    for quote in answer.quotes:
        assert articles[quote.article.id][quote.start : quote.end] == quote.text
        assert quote.text
        for start, end in quote.highlights:
            assert quote.start <= start < end <= quote.end


# --- Asking ---------------------------------------------------------------------------------------


def test_an_answer_quotes_the_article(index):
    with engine_on(index) as engine:
        answer = engine.ask(LAUNCH)
        article = engine.article("telescope")
    quote = answer.quotes[0]
    assert (
        answer.status,
        answer.question,
        answer.generation,
        answer.encoder,
    ) == ("answered", LAUNCH, 1, "hashing")
    assert quote.text == "The telescope was launched in December 2021 from French Guiana."
    assert (0, len(quote.text)) == (quote.start, quote.end)
    assert article.info == quote.article
    assert answer.elapsed_ms > 0


class CountingReader:
    """Finds no answer, and counts the passages that it read."""

    name = "counting"
    batch_size = 1

    def __init__(self) -> None:
        self.passages = 0

    def read(self, question: str, windows: Sequence[Window]) -> list[AnswerSpan]:
        self.passages += len(windows)
        return [AnswerSpan(0, 0, -9.0, -9.0) for _ in windows]


def test_where_many_wait_the_reader_stops_early(index):
    reader = CountingReader()
    store = IndexStore(index)
    with Engine(store, HashingEncoder(), Settings(threshold=0.0), reader) as engine:
        engine.ask_many([Request(LAUNCH)], patience=0.0)
        assert reader.passages == 1
        engine.ask(LAUNCH)
        assert reader.passages > 2


def test_a_search_gives_passages_as_they_are_ranked(index):
    with engine_on(index) as engine:
        hits = engine.search(f"  {LAUNCH}\n", 10)
        assert [hits[0]] == engine.search(LAUNCH, 1)
        first = engine.ask(LAUNCH).quotes[0]
        articles = {info.id: engine.article(info.id) for info in engine.articles()}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.article.id for hit in hits] == ["telescope", "volcano"]
    for hit in hits:
        text = articles[hit.article.id].text[hit.passage.start : hit.passage.end]
        assert text == hit.passage.text
    assert hits[0].passage.start <= first.start < first.end <= hits[0].passage.end


def test_a_search_for_nothing_is_refused(index):
    with engine_on(index) as engine, pytest.raises(QuestionError, match="empty"):
        engine.search(" ", 3)


def test_below_the_threshold_nothing_is_quoted(index):
    settings = Settings(threshold=1.0)
    with Engine(IndexStore(index), HashingEncoder(), settings) as engine:
        answer = engine.ask(LAUNCH)
    assert (answer.status, answer.quotes) == ("not_found", ())
    assert 0 <= answer.confidence < 1


def test_the_limit_counts_quotes(tmp_path):
    with engine_on(rocket_index(tmp_path)) as engine:
        answers = [engine.ask("What flew to Mars?", limit=limit) for limit in (1, 2, 3, 4)]
    assert [len(answer.quotes) for answer in answers] == [1, 2, 3, 3]


def test_copies_take_no_quote_from_other_articles(tmp_path):
    """Passages that rank first and repeat each other are one quote; the next ones follow it."""
    text = "The rocket flew to Mars in 2021, after three years of work by ninety people in Chile."
    for number in range(4):
        write_article(tmp_path / "articles", f"copy-{number}", text)
    other = "The rocket flew to Mars in 2021, with nine thousand seeds of wheat in Chile."
    more = "None of them grew, since nobody had thought of lamps, pots, water or warmth."
    write_article(tmp_path / "articles", "other", f"{other} {more}")
    build_index(tmp_path / "index", tmp_path / "articles")
    with engine_on(tmp_path / "index") as engine:
        answer = engine.ask("Which rocket flew to Mars in 2021?", limit=2)
        first = [hit.article.id for hit in engine.search(answer.question, 4)]
    assert "other" not in first
    assert ["copy", "other"] == [quote.article.id.partition("-")[0] for quote in answer.quotes]


def test_the_settings_limit_quotes(tmp_path):
    store = IndexStore(rocket_index(tmp_path))
    with Engine(store, HashingEncoder(), Settings(threshold=0.0, quotes=2)) as engine:
        assert len(engine.ask("What flew to Mars?").quotes) == 2


def test_a_follow_up_is_looked_up_with_what_it_follows(index):
    encoder = RecordingEncoder(HashingEncoder())
    with engine_on(index, encoder=encoder) as engine:
        engine.ask(LAUNCH)
        answer = engine.ask("and why?", previous=["Who erupted?", LAUNCH])
    assert [LAUNCH, f"{LAUNCH} and why?"] == encoder.queries
    assert answer.question == "and why?"


def test_blanks_around_a_question_do_not_count(index):
    with engine_on(index) as engine:
        assert engine.ask(f" \n{LAUNCH}\t").question == LAUNCH


@pytest.mark.parametrize("question", ["", " ", "\n\t \u3000"])
def test_an_empty_question_is_refused(index, question):
    with engine_on(index) as engine, pytest.raises(QuestionError) as caught:
        engine.ask(question)
    assert str(caught.value) == "the question is empty; type one"


def test_a_question_may_have_2000_characters(index):
    longest = "a" * LONGEST_QUESTION
    with engine_on(index) as engine:
        assert longest == engine.ask(longest).question
        with pytest.raises(QuestionError) as caught:
            engine.ask(longest + "a")
    assert str(caught.value) == "the question has 2001 characters; shorten it to 2000"


def test_a_question_that_is_no_text_is_refused(index):
    with engine_on(index) as engine, pytest.raises(QuestionError) as caught:
        engine.ask("Wer ist M\udcfcller?")
    assert str(caught.value) == "the question is not valid UTF-8 text; check the terminal"


@given(question=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_question_gets_verbatim_quotes_or_a_reason(small_template, question):
    with engine_on(small_template / "index") as engine:
        articles = {info.id: engine.article(info.id).text for info in engine.articles()}
        try:
            answer = engine.ask(question)
        except QuestionError:
            assert not question.strip()
            return
    assert_verbatim(answer, articles)
    assert 0 <= answer.confidence <= 1
    assert (answer.status == "answered") == bool(answer.quotes)


# --- Asking many at once --------------------------------------------------------------------------

ASKED = (
    Request("Wann ging das letzte Kernkraftwerk vom Netz?"),
    Request("how wide is the mirror?", limit=1),
    Request("and when was that?", previous=("¿Cuándo entró en erupción el volcán?",)),
    Request("探査機のカプセルはどこに着地した？"),
    Request("who won the chess tournament?"),
    Request("When was the telescope launched?", limit=2),
)


def test_many_questions_get_the_answers_that_each_gets_alone(real_index):
    with Engine.open(real_index.folder, settings=Settings(cache=str(real_index.cache))) as engine:
        alone = [engine.ask_many([request])[0] for request in ASKED]
        together = engine.ask_many(ASKED)
    # Of one generation, and with the same quotes; confidences differ by what rounding to 8 bits
    # makes of texts of other lengths beside them.
    assert [_shown(answer) for answer in alone] == [_shown(answer) for answer in together]
    for one, other in zip(alone, together, strict=True):
        assert one.confidence == pytest.approx(other.confidence, abs=0.02)
    assert {"answered", "not_found"} == {answer.status for answer in together}


def _shown(answer: Answer) -> object:
    places = [(q.article.id, q.text, q.start, q.end, q.highlights) for q in answer.quotes]
    return answer.question, answer.status, places


def test_many_questions_are_encoded_in_one_batch(index):
    class Batches(HashingEncoder):
        def encode_query(self, texts):
            batches.append(list(texts))
            return super().encode_query(texts)

    batches: list[list[str]] = []
    with engine_on(index, encoder=Batches()) as engine:
        engine.ask_many([Request(LAUNCH), Request("and why?", previous=(LAUNCH,))])
        assert [] == engine.ask_many([])
    assert [[LAUNCH, f"{LAUNCH} and why?"]] == batches


def test_one_bad_question_of_many_refuses_all(index):
    with engine_on(index) as engine, pytest.raises(QuestionError, match="is empty"):
        engine.ask_many([Request(LAUNCH), Request(" ")])


# --- Opening --------------------------------------------------------------------------------------


def test_a_missing_index_is_told_before_a_model_is_loaded(tmp_path):
    told: list[str] = []
    settings = Settings(encoder=str(tmp_path / "no model"), cache=str(tmp_path / "cache"))
    with pytest.raises(NoIndexError):
        Engine.open(tmp_path / "index", settings=settings, notify=told.append)
    assert told == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (
            HashingEncoder(name="newer", fingerprint="ff"),
            "the index was made by hashing, not by newer; "
            "run `qabot rebuild` to renew it, or ask with --encoder hashing",
        ),
        (
            HashingEncoder(fingerprint="ff"),
            "the index was made by another version of hashing, not by hashing; "
            "run `qabot rebuild` to renew it",
        ),
    ],
)
def test_an_index_of_another_model_names_both_and_the_remedy(index, encoder, message):
    with pytest.raises(IndexMismatchError) as caught:
        engine_on(index, encoder=encoder)
    assert f"{index / 'generations/1'}: {message}" == str(caught.value)


class OtherNumbers(HashingEncoder):
    """Calls itself the model that made the index, and gives other vectors."""

    def encode_query(self, texts):
        return -super().encode_query(texts)


def test_a_model_that_computes_something_else_is_told(index):
    with engine_on(index) as engine:
        engine.check_encoder()
    with engine_on(index, encoder=OtherNumbers()) as engine:
        with pytest.raises(IndexMismatchError) as caught:
            engine.check_encoder()
        assert str(caught.value) == (
            f"{index}/generations/1: hashing gives other vectors now than when the index was made; "
            "run `qabot doctor`"
        )


def test_it_is_told_at_the_start(real_index, tmp_path):
    shutil.copytree(real_index.folder, tmp_path / "index")
    settings = Settings(cache=str(real_index.cache), reader="none")
    Engine.open(tmp_path / "index", settings=settings).close()
    sign(tmp_path / "index/generations/1", probe=probe(HashingEncoder(dimension=384)))
    with pytest.raises(IndexMismatchError, match="gives other vectors now than when the index"):
        Engine.open(tmp_path / "index", settings=settings)


def test_a_damaged_index_is_not_opened(index):
    (index / "segments/1-1/sentences.npy").unlink()
    with pytest.raises(DamagedIndexError):
        engine_on(index)


def open_files(folder: Path) -> list[str]:
    """Files below ``folder`` that this process has open, or mapped into memory."""
    links = Path("/proc/self/fd").iterdir()
    found = [str(link.readlink()) for link in links if link.exists()]
    found += [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    return sorted({path for path in found if path.startswith(str(folder))})


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_files_are_closed_with_the_engine(index):
    before = open_files(index)
    engine = engine_on(index)
    engine.ask(LAUNCH)
    during = open_files(index)
    engine.close()
    engine.close()
    del engine
    assert before == []
    assert [str(index / "segments/1-1/articles.sqlite")] == [
        path for path in during if path.endswith("articles.sqlite")
    ]
    assert [path for path in open_files(index) if path.endswith(".sqlite")] == []


# --- Following the index --------------------------------------------------------------------------


def test_a_new_generation_answers_the_next_question(index):
    with engine_on(index) as engine:
        assert engine.ask(LAUNCH).generation == 1
        assert republish(index, "mars", "The probe reached Mars in February 2021.") == 2
        answer = engine.ask("When did the probe reach Mars?")
        assert [info.id for info in engine.articles()] == ["mars", "telescope", "volcano"]
        assert engine.passage_counts() == {"mars": 1, "telescope": 1, "volcano": 1}
        assert engine.manifest().generation == 2
    assert (answer.generation, answer.quotes[0].article.id) == (2, "mars")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_a_closed_engine_takes_no_question(index):
    engine = engine_on(index)
    reached = threading.Event()

    def ask_on_and_on() -> str:
        try:
            while True:
                engine.ask(LAUNCH)
                reached.set()
        except ValueError as error:
            return str(error)
        finally:
            reached.set()

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask_on_and_on) for _ in range(4)]
        reached.wait()
        engine.close()
    assert [asked.result() for asked in asking] == ["the engine is closed"] * 4


def test_old_generations_are_closed(index):
    with engine_on(index) as engine:
        for number in range(2, 7):
            republish(index, "mars", f"Probe number {number} reached Mars.")
            assert number == engine.ask("Which probe reached Mars?").generation
        databases = [path for path in open_files(index) if path.endswith(".sqlite")]
    assert [str(index / "segments/6-1/articles.sqlite")] == databases


class WaitingEncoder(HashingEncoder):
    """Encodes the question "slow" only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()
        self.may_go_on = threading.Event()

    def encode_query(self, texts):
        if "slow" in texts:
            self.waits.set()
            self.may_go_on.wait()
        return super().encode_query(texts)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_a_generation_is_closed_when_the_last_question_to_it_is_answered(index):
    encoder = WaitingEncoder()
    with engine_on(index, encoder=encoder) as engine, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(engine.ask, "slow")
        slow.add_done_callback(lambda _: encoder.waits.set())
        encoder.waits.wait()
        republish(index, "mars", "The probe reached Mars.")
        new = engine.ask(LAUNCH)
        during = open_files(index / "segments/1-1")
        encoder.may_go_on.set()
        old = slow.result()
        after = [path for path in open_files(index / "segments/1-1") if path.endswith(".sqlite")]
    assert (new.generation, old.generation) == (2, 1)
    assert str(index / "segments/1-1/articles.sqlite") in during
    assert after == []


def damage_database(folder: Path) -> None:
    path = folder.parent.parent / f"segments/{folder.name}-1/articles.sqlite"
    content = bytearray(path.read_bytes())
    content[100] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize(
    "spoil",
    [
        damage_database,
        shutil.rmtree,
        lambda folder: (folder / "manifest.json").write_text("{}"),
        lambda folder: (folder / "language_subspace.npz").write_bytes(b""),
        lambda folder: (folder.parent.parent / "CURRENT").write_text("garbage"),
        lambda folder: (folder.parent.parent / "CURRENT").unlink(),
        lambda folder: shutil.rmtree(folder.parent.parent),
    ],
    ids=["changed", "removed", "manifest", "subspace", "CURRENT", "no CURRENT", "no index"],
)
def test_a_new_generation_that_cannot_be_used_changes_nothing(index, caplog, spoil):
    with engine_on(index) as engine:
        number = republish(index, "mars", "The probe reached Mars in February 2021.")
        spoil(index / "generations" / str(number))
        with caplog.at_level(logging.WARNING):
            answers = [engine.ask(LAUNCH) for _ in range(3)]
    assert [answer.generation for answer in answers] == [1, 1, 1]
    assert_verbatim(answers[0], {"telescope": TELESCOPE.strip(), "volcano": VOLCANO.strip()})
    assert all("answering from generation 1" in record.message for record in caplog.records)
    assert caplog.records


def test_a_damaged_generation_is_told_of_once_and_the_next_is_followed(index, caplog):
    with engine_on(index) as engine:
        republish(index, "mars", "The probe reached Mars in February 2021.")
        damage_database(index / "generations/2")
        with caplog.at_level(logging.WARNING):
            assert [engine.ask(LAUNCH).generation for _ in range(2)] == [1, 1]
        assert len(caplog.records) == 1
        assert republish(index, "mars", "The probe landed on Mars.") == 3
        assert engine.ask(LAUNCH).generation == 3


def test_a_generation_that_was_healed_is_followed(index, monkeypatch, caplog):
    with engine_on(index) as engine:
        republish(index, "mars", "The probe reached Mars in February 2021.")
        path = index / "segments/2-1/articles.sqlite"
        whole = path.read_bytes()
        path.write_bytes(b"")
        assert engine.ask(LAUNCH).generation == 1
        path.write_bytes(whole)
        # Not for every question: what is wrong has to be read first.
        assert engine.ask(LAUNCH).generation == 1
        monkeypatch.setattr("qabot.answering.live._RETRY_SECONDS", 0.0)
        assert engine.ask(LAUNCH).generation == 2
    assert len(caplog.records) == 1


def test_a_generation_of_another_model_is_not_followed(index):
    with engine_on(index) as engine:
        other = HashingEncoder(name="newer", fingerprint="ff" * 8)
        build_index(index, index.parent / "articles", encoder=other)
        assert engine.ask(LAUNCH).generation == 1


def test_threads_ask_while_the_index_is_rebuilt(tmp_path):
    """Every answer is verbatim for the generation that it names, old or new."""
    index = small_index(tmp_path)
    versions = {1: {"telescope": TELESCOPE.strip(), "volcano": VOLCANO.strip()}}
    answers: list[Answer] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def ask(questions: list[str]) -> None:
        try:
            while not done.is_set():
                for question in questions:
                    answers.append(engine.ask(question))
                    engine.context(answers[-1].quotes[0])
        except SourceError as error:
            # The article may have been replaced between answer and context.
            if "has changed since" not in str(error):
                failures.append(error)
        except BaseException as error:  # noqa: BLE001 (shown by the test below)
            failures.append(error)

    with engine_on(index) as engine:
        threads = [
            threading.Thread(target=ask, args=([LAUNCH, "What erupted?", f"Number {n}?"],))
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for number in range(2, 9):
            text = f"Launch number {number} of the telescope. {'Delayed again. ' * number}".strip()
            assert number == republish(index, "telescope", text)
            versions[number] = {**versions[1], "telescope": text}
        done.set()
        for thread in threads:
            thread.join()
        last = engine.ask(LAUNCH)
    assert failures == []
    for answer in answers:
        assert_verbatim(answer, versions[answer.generation])
    assert last.generation == 8
    assert len({answer.generation for answer in answers}) > 2


# --- Articles and context -------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path) -> Path:
    articles = tmp_path / "articles"
    write_article(articles, "pytorch.de", "Die Stiftung.", title="Die PyTorch Foundation")
    write_article(articles, "pytorch.en", "The foundation.", title="The PyTorch Foundation")
    write_article(articles, "py", "Short.", title="Python")
    write_article(articles, "şehir", "Uzun.", title="Straße")
    build_index(tmp_path / "index", articles)
    return tmp_path / "index"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pytorch.de", "pytorch.de"),
        ("pytorch.d", "pytorch.de"),
        ("PYTORCH.E", "pytorch.en"),
        ("py", "py"),  # an id of its own, though two others begin with it
        ("the pytorch", "pytorch.en"),
        ("Die", "pytorch.de"),
        ("STRASSE", "şehir"),
        ("ş", "şehir"),
    ],
)
def test_an_article_is_found_by_id_or_beginning(library, name, found):
    with engine_on(library) as engine:
        assert found == engine.article(name).info.id


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pyt", "several articles begin with 'pyt': py, pytorch.de, pytorch.en; name one"),
        ("foundation", "no article 'foundation'; `qabot articles` lists them"),
        ("%", "no article '%'; `qabot articles` lists them"),
        ("\udcff", "no article '\\udcff'; `qabot articles` lists them"),
        ("a\nb", "no article 'a\\nb'; `qabot articles` lists them"),
    ],
)
def test_a_name_that_fits_none_or_several_is_refused(library, name, message):
    with engine_on(library) as engine, pytest.raises(SourceError) as caught:
        engine.article(name)
    assert message == str(caught.value)


def test_context_gives_the_neighbours_of_a_quote(tmp_path):
    parts = [f"{' '.join([word] * 60).capitalize()}." for word in ("alpha", "beta", "gamma")]
    write_article(tmp_path / "articles", "greek", "\n\n".join(parts))
    build_index(tmp_path / "index", tmp_path / "articles")
    with engine_on(tmp_path / "index") as engine:
        quotes = {engine.ask(word).quotes[0] for word in ("alpha", "beta", "gamma")}
        contexts = [
            tuple(passage and passage.text for passage in engine.context(quote))
            for quote in sorted(quotes, key=lambda quote: quote.start)
        ]
    alpha, beta, gamma = parts
    assert [(None, alpha, beta), (alpha, beta, gamma), (beta, gamma, None)] == contexts


def test_context_of_a_quote_that_is_gone_is_refused(index):
    with engine_on(index) as engine:
        quote = engine.ask("Where is the gold?").quotes[0]
        assert quote.article.id == "telescope"
        republish(index, "telescope", "Short.")
        engine.ask(LAUNCH)
        with pytest.raises(SourceError) as caught:
            engine.context(quote)
    assert str(caught.value) == "telescope: the article has changed since; ask again"
