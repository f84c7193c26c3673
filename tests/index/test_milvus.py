"""An index on a Milvus server: its address, and what comes of faults."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from pymilvus import MilvusClient

from qabot.answering.engine import Engine
from qabot.answering.retrieval import Retriever
from qabot.encoders import FloatArray
from qabot.errors import RebuildRunningError, StorageError, UnreachableIndexError, UsageError
from qabot.index import open_store
from qabot.index.milvus import claim, writer
from qabot.index.milvus import server as milvus
from qabot.index.milvus.server import Server
from qabot.index.milvus.store import MilvusStore
from qabot.index.milvus.tables import Tables
from qabot.index_address import Address, folder_of
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress, Report
from qabot.settings import Settings
from tests.index.milvus_server import SERVERS, WITH_REAL, Lite, Running
from tests.index.tls import encrypted, self_signed
from tests.support import (
    ROOT,
    HashingEncoder,
    build_index,
    clean_environment,
    run_qabot,
    shared_cache,
    write_article,
)

# Of the dozen writes of a rebuild, each is worth a kill, but `make test` has no time for that, and
# Milvus itself takes a minute for each. The second and the fifth give a new collection its index.
_STEP, _STEP_OF_REAL = 1 if WITH_REAL else 3, 3
ENCODER = HashingEncoder(dimension=128)
# Milvus indexes so many and more; the light one is to take little time.
_MANY, _MANY_OF_LITE = 1024, 8
QUESTION = "Which bridge was opened in 1903 by the harbour?"


def address_of(text: str) -> Address:
    found = Address.parse(text)
    assert found
    return found


@pytest.mark.parametrize(
    ("text", "server", "folder"),
    [
        ("milvus://db:19531/articles", "http://db:19531", "milvus/db_19531_articles"),
        ("milvus://db/articles", "http://db:19530", "milvus/db_19530_articles"),
        ("milvus://[::1]:1/a_1", "http://[::1]:1", "milvus/___1__1_a_1"),
        ("https://db.example/articles", "https://db.example:443", "milvus/db.example_443_articles"),
    ],
)
def test_addresses(text, server, folder):
    assert address_of(text).server == server
    assert folder_of(text) == Path(folder)


@pytest.mark.parametrize("text", ["index", "a/b", "../milvus", "milvus"])
def test_folders_are_no_addresses(text):
    assert Address.parse(text) is None
    assert folder_of(text) == Path(text)


@pytest.mark.parametrize(
    "text",
    [
        "milvus://db",
        "milvus://db/",
        "milvus:///articles",
        "milvus://db:port/articles",
        "milvus://db:70000/articles",
        "milvus://db/a-b",
        "milvus://db/1a",
        "milvus://db/a/b",
        "milvus://db/a?b",
        "http://db/articles",
        "https://user:secret@db/articles",
    ],
)
def test_wrong_addresses_are_one_line(call, text):
    result = call("ask", "--index", text, "who?")
    assert result.code == 2
    assert "index" in result.complaint
    assert "secret" not in result.complaint


def test_a_token_file_that_is_missing_is_one_line(call, monkeypatch):
    monkeypatch.setenv("QABOT_MILVUS_TOKEN_FILE", "nowhere")
    result = call("ask", "--index", "milvus://127.0.0.1:1/a", "who?")
    assert result.code == 2
    assert result.complaint.startswith("milvus_token_file nowhere: cannot be read;")


class Refusing:
    """A server that takes no token."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()

    def service(self, details):
        given = dict(details.invocation_metadata).get("authorization", "")
        self.tokens.add(b64decode(given).decode())

        def refuse(_, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "auth check failure")

        return grpc.unary_unary_rpc_method_handler(refuse)


def test_a_token_is_sent_and_its_refusal_is_one_line(call, monkeypatch, tmp_path):
    monkeypatch.setattr(milvus, "_PATIENCE", 2.0)
    (tmp_path / "token").write_text("root:from-a-file\n", "utf-8")
    handler = Refusing()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    index = f"milvus://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}/a"
    server.start()
    monkeypatch.setenv("QABOT_MILVUS_TOKEN_FILE", "token")
    results = [call("ask", "--index", index, "who?")]
    monkeypatch.setenv("QABOT_MILVUS_TOKEN", "root:from-a-variable")
    results.append(call("ask", "--index", index, "who?"))
    # Where https was asked for, nothing is sent in the clear.
    sent = set(handler.tokens)
    results.append(call("ask", "--index", index.replace("milvus:", "https:"), "who?"))
    server.stop(0).wait()
    assert sent == handler.tokens == {"root:from-a-file", "root:from-a-variable"}
    for result in results:
        assert result.code == 3
        assert "the server does not answer as it should" in result.complaint
        assert "root" not in result.complaint


@pytest.fixture
def untrusted(call, monkeypatch) -> Callable[[str], None]:
    """Asks for the articles of an index, and is refused as nobody vouches for the server."""

    def ask(index: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(milvus, "_PATIENCE", 2.0)
            result = call("articles", "--index", index)
        assert result.code == 3
        assert "the server does not answer as it should" in result.complaint
        assert result.complaint.endswith("the address, token and certificate")

    return ask


def test_what_is_encrypted(server, tmp_path, untrusted):
    certificate, key = self_signed(tmp_path)
    write_article(tmp_path / "articles", "bridge", "The bridge was opened in 1903.")
    with encrypted(server.port, certificate, key) as port:
        index = f"https://127.0.0.1:{port}/secret"
        untrusted(index)
        trusting = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate)}
        rebuilt = subprocess.run(
            [sys.executable, "-m", "tests.index.milvus_driver", index, "128", "articles"],
            cwd=tmp_path,
            env=clean_environment(**trusting),
            input="1000\n",
            capture_output=True,
            text=True,
            check=True,
        )
        assert rebuilt.stdout == "0\n"
        listed = run_qabot("articles", "--index", index, cwd=tmp_path, environment=trusting)
        assert (listed.returncode, "bridge" in listed.stdout) == (0, True)


def test_a_token_goes_to_a_server_that_is_trusted_only(tmp_path, untrusted, monkeypatch):
    certificate, key = self_signed(tmp_path)
    credentials = grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])
    handler = Refusing()
    server = grpc.server(ThreadPoolExecutor(2), handlers=[handler])
    index = f"https://127.0.0.1:{server.add_secure_port('127.0.0.1:0', credentials)}/a"
    server.start()
    (tmp_path / "token").write_text("root:from-a-file\n", "utf-8")
    monkeypatch.setenv("QABOT_MILVUS_TOKEN_FILE", "token")
    untrusted(index)
    assert handler.tokens == set()
    settings = {
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate),
        "QABOT_INDEX": index,
        "QABOT_MILVUS_TOKEN_FILE": "token",
    }
    result = run_qabot("articles", cwd=tmp_path, environment=settings)
    server.stop(0).wait()
    assert handler.tokens == {"root:from-a-file"}
    # It takes none.
    assert (result.returncode, len(result.stderr.splitlines())) == (3, 1)
    assert "from-a-file" not in result.stderr


def test_no_server(call):
    for command in (["ask", "who?"], ["rollback"], ["articles"]):
        result = call(*command, "--index", "milvus://127.0.0.1:1/a")
        assert result.code == 3
        assert "milvus://127.0.0.1:1/a: the server does not answer" in result.complaint


@dataclass(frozen=True)
class Place:
    """An index on a server, and the articles that it is built from."""

    server: Running
    folder: Path

    @property
    def index(self) -> str:
        return f"{self.server.address}/place"

    def store(self) -> MilvusStore:
        found = open_store(Settings(index=self.index))
        assert isinstance(found, MilvusStore)
        return found

    def rebuild(self, encoder: HashingEncoder = ENCODER, report: Report = lambda progress: None):
        plan = IndexPlan((str(self.folder / "articles"),), shared_cache())
        return rebuild(self.store(), encoder, plan, report)

    def be_killed(self, number: int) -> None:
        """Rebuild in a process that is killed before its write of that number, counted from 1."""
        command = [sys.executable, "-m", "tests.index.milvus_driver", self.index, "128"]
        killed = subprocess.run(
            [*command, str(self.folder / "articles")],
            env=clean_environment(),
            input=f"{number}\n",
            capture_output=True,
            text=True,
            check=True,
        )
        assert killed.stdout == "-9\n"

    def texts(self) -> list[str]:
        """The articles of the live generation."""
        with closing(self.store().open()) as opened:
            every = [opened.database.article(info.id) for info in opened.database.infos()]
            return [article.text for article in every if article]

    def sources(self) -> list[str]:
        """The articles that the next generation will hold."""
        found = sorted((self.folder / "articles").glob("*.md"))
        return [path.read_text("utf-8").split("---\n")[2].strip() for path in found]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Lite]:
    with Lite(tmp_path_factory.mktemp("milvus") / "data") as running:
        yield running


@pytest.fixture
def place(server, tmp_path, monkeypatch) -> Place:
    monkeypatch.chdir(tmp_path)
    with closing(Server(address_of(f"{server.address}/place"), "")) as connected:
        if connected.live("place"):
            connected.switch("place", "place_terms")
        for collection in connected.collections("place_"):
            connected.drop(collection)
    write_article(tmp_path / "articles", "bridge", "The bridge was opened in 1903.")
    write_article(tmp_path / "articles", "harbour", "The harbour froze. Ships waited.")
    write_article(tmp_path / "articles", "theatre", "The theatre burned in 1911.")
    return Place(server, tmp_path)


def test_the_doctor_names_what_a_killed_rebuild_has_left(place, call, monkeypatch):
    place.rebuild()
    write_article(place.folder / "articles", "museum", "The museum grew in 1907.")
    place.be_killed(7)

    def leftovers() -> dict[str, Any]:
        report = call("doctor", "--index", place.index, "--json").object
        (found,) = (check for check in report["checks"] if check["name"] == "leftovers")
        return dict(found)

    monkeypatch.setenv("QABOT_CACHE", str(place.folder / "cache"))
    here = leftovers()
    assert here["status"] == "warning"
    assert str(place.folder / "milvus") in here["detail"]
    assert here["remedy"] == "a killed rebuild left it, and the next one takes it over"
    machine = place.folder / folder_of(place.index) / "MACHINE"
    known = machine.read_text("ascii")
    # On another machine, the rebuild that was killed a moment ago may still be running …
    machine.unlink()
    there = leftovers()
    assert (there["status"], there["remedy"]) == ("ok", None)
    assert there["detail"].startswith("another machine is rebuilding it (")
    # … a minute and a half later it has been silent for too long …
    monkeypatch.setattr(claim, "_BEAT", 0.0)
    there = leftovers()
    assert there["status"] == "warning"
    assert there["remedy"] == "run `qabot rebuild` there, or on any machine 10 minutes from now"
    # … and at last any may take over.
    monkeypatch.setattr(claim, "_LOST", 0.0)
    assert leftovers() == here
    machine.write_text(known, "ascii")
    assert leftovers() == here
    assert place.rebuild().changed
    assert leftovers()["detail"] == "none"


def test_a_first_rebuild_that_is_killed(place):
    """Before a collection has its index, without which no server lets it be read."""
    place.be_killed(5)
    place.rebuild()
    assert place.texts() == place.sources()


def test_old_generations_go_and_take_their_rows_with_them(place):
    address = address_of(place.index)
    store = MilvusStore(address, "", keep=2, lease=timedelta(0))
    plan = IndexPlan((str(place.folder / "articles"),), shared_cache())
    for number in range(5):
        write_article(place.folder / "articles", "bridge", f"The bridge fell in {number}.")
        rebuild(store, ENCODER, plan)
    assert store.numbers() == [4, 5]
    with closing(Server(address, "")) as connected:
        # Three articles, and the one of generation 4 that has left.
        assert connected.count(Tables("place", 128).passages, "since > 0") == 4
    assert store.rollback().generation == 4
    assert "The bridge fell in 3." in place.texts()
    assert store.rollback(5).generation == 5
    with pytest.raises(UsageError, match="no generation 3; there are generations 4, 5 \\(live\\)"):
        store.rollback(3)


def test_a_model_with_other_vectors(place):
    place.rebuild()
    summary = place.rebuild(HashingEncoder(dimension=64))
    assert (summary.encoded, summary.reused) == (3, 0)
    with closing(place.store().open()) as opened:
        assert len(Retriever(opened, HashingEncoder(dimension=64)).search(QUESTION, 10)) == 3
    assert place.store().rollback().encoder.dimension == 128
    with closing(place.store().open()) as opened:
        assert len(Retriever(opened, ENCODER).search(QUESTION, 10)) == 3


def test_long_articles(place):
    # Longer than Milvus's longest text, in characters of four bytes.
    text = "\n\n".join(f"𐍈𐌰𐍄𐌰 {number} 𐌹𐍃𐍄" + " 𐌰𐌱𐌲" * 60 for number in range(200))
    write_article(place.folder / "articles", "long", text)
    place.rebuild()
    assert place.texts() == place.sources()


def test_a_question_sends_few_messages(place, monkeypatch):
    """To ask for all that ranks passages at once is what makes it fast."""
    place.rebuild()
    sent = []

    def noted(name):
        send = getattr(MilvusClient, name)

        def noting(*arguments, **more):
            sent.append(name)
            return send(*arguments, **more)

        return noting

    with Engine(place.store(), ENCODER, Settings(threshold=0.0)) as engine:
        engine.ask("harbour froze")
        for name in ("describe_alias", "has_collection", "load_collection", "search", "query"):
            monkeypatch.setattr(MilvusClient, name, noted(name))
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        # Which generation is live, is it still there, and the question's words and passages.
        assert sent == ["describe_alias", "search", "query", "query", "has_collection"]


@contextmanager
def away(folder: Path) -> Iterator[None]:
    """On another machine: what belongs to this one is in the working directory."""
    folder.mkdir(exist_ok=True)
    with chdir(folder):
        yield


class Meanwhile(HashingEncoder):
    """Does something when the first texts are encoded, of a rebuild or of a question."""

    def __init__(self, something: Callable[[], object]) -> None:
        super().__init__(dimension=128)
        self.something: Callable[[], object] | None = something

    @property
    def has_done_it(self) -> bool:
        return self.something is None

    def _encode(self, texts):
        something, self.something = self.something, None
        if something:
            something()
        return super()._encode(texts)


def test_two_machines_that_rebuild_at_once(place):
    place.rebuild()
    complaints = []

    def other_machine() -> None:
        with away(place.folder / "other"), pytest.raises(RebuildRunningError) as caught:
            place.rebuild()
        complaints.append(str(caught.value))

    write_article(place.folder / "articles", "museum", "The museum grew in 1907.")
    assert place.rebuild(Meanwhile(other_machine)).changed
    (complaint,) = complaints
    assert "another machine is rebuilding it" in complaint
    assert str(place.folder) in complaint
    assert place.texts() == place.sources()
    with away(place.folder / "other"):
        write_article(place.folder / "articles", "museum", "The museum shrank in 1908.")
        assert place.rebuild().changed
    assert place.texts() == place.sources()


def test_a_machine_that_was_silent_for_long_is_given_up(place, monkeypatch):
    place.rebuild()

    def other_machine() -> None:
        monkeypatch.setattr(claim, "_LOST", -10.0)
        with away(place.folder / "other"):
            assert place.rebuild().changed
        monkeypatch.undo()

    write_article(place.folder / "articles", "museum", "The museum grew in 1907.")
    monkeypatch.chdir(place.folder)
    with pytest.raises(StorageError, match="another machine has taken over"):
        place.rebuild(Meanwhile(other_machine))
    monkeypatch.chdir(place.folder)
    assert place.texts() == place.sources()
    write_article(place.folder / "articles", "museum", "The museum shrank in 1908.")
    assert place.rebuild().changed
    assert place.texts() == place.sources()


@pytest.mark.parametrize("name", SERVERS)
def test_no_server_outlives_tests_that_are_killed(tmp_path, name):
    starting = (
        "import sys, time; from pathlib import Path; from tests.index.milvus_server import SERVERS;"
        "server = SERVERS[sys.argv[1]](Path(sys.argv[2])); server.start();"
        "print(server.port, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starting, name, str(tmp_path / "data")],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout
        port = int(tests.stdout.readline())
        tests.kill()
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)
    pytest.fail("the server is still there")


@pytest.fixture(params=SERVERS)
def own(request, place, tmp_path_factory) -> Iterator[Place]:
    """An index on a server that a test may stop."""
    with SERVERS[request.param](tmp_path_factory.mktemp("own") / "data") as server:
        place = Place(server, place.folder)
        place.rebuild()
        yield place


def test_a_rebuild_that_is_killed_leaves_the_index_as_it_was(own):
    step = _STEP if isinstance(own.server, Lite) else _STEP_OF_REAL
    command = [sys.executable, "-m", "tests.index.milvus_driver", own.index, "128"]
    with subprocess.Popen(
        [*command, str(own.folder / "articles")],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert driver.stdin
        assert driver.stdout
        code, number = -9, 2 - step
        while code == -9:
            number += step
            before = own.texts()
            write_article(own.folder / "articles", "bridge", f"The bridge fell in {number}.")
            driver.stdin.write(f"{number}\n")
            driver.stdin.flush()
            code = int(driver.stdout.readline())
            assert own.texts() in (before, own.sources())
            own.rebuild()
            assert own.store().leftovers() == []
            assert own.texts() == own.sources()
        driver.stdin.close()
    assert code == 0
    assert number > 8
    # Counts of words and the like have come through all of that.
    build_index(own.folder / "index", own.folder / "articles", encoder=ENCODER)
    found = []
    for index in (own.index, str(own.folder / "index")):
        with closing(open_store(Settings(index=index)).open()) as opened:
            found.append(Retriever(opened, ENCODER).search(QUESTION, 10))
    here, there = found
    assert [hit.passage for hit in here] == [hit.passage for hit in there]
    for one, other in zip(here, there, strict=True):
        assert one.lexical_score == pytest.approx(other.lexical_score, abs=1e-4)
        assert one.score == pytest.approx(other.score, abs=0.01)


def test_a_server_that_starts_anew_during_a_rebuild(own):
    before = own.texts()
    write_article(own.folder / "articles", "museum", "The museum grew in 1907.")

    def anew() -> None:
        own.server.stop()
        own.server.start()

    # A call that finds the connection broken may end it, or be made again.
    with suppress(UnreachableIndexError):
        own.rebuild(Meanwhile(anew))
    assert own.texts() in (before, own.sources())
    own.rebuild()
    assert own.texts() == own.sources()
    assert own.store().leftovers() == []


def test_a_server_that_does_not_answer_in_time(own, call, monkeypatch):
    before = own.texts()
    write_article(own.folder / "articles", "museum", "The museum grew in 1907.")
    monkeypatch.setattr(milvus, "_PATIENCE", 1.0)
    monkeypatch.setattr(milvus, "_WRITING", 1.0)
    with pytest.raises(UnreachableIndexError):
        own.rebuild(Meanwhile(own.server.hang))
    for command in (["ask", "who?"], ["articles"], ["rollback"]):
        result = call(*command, "--index", own.index)
        assert result.code == 3
        assert "the server does not answer" in result.complaint
    own.server.go_on()
    monkeypatch.undo()
    monkeypatch.chdir(own.folder)
    assert own.texts() == before
    own.rebuild()
    assert own.texts() == own.sources()


def test_a_server_that_does_not_answer_while_it_indexes(own, monkeypatch):
    before = own.texts()
    many = _MANY_OF_LITE if isinstance(own.server, Lite) else _MANY
    monkeypatch.setattr(writer, "_LEAST_INDEXED", many)
    for number in range(many):
        write_article(own.folder / "articles", f"lamp-{number}", f"Lamp {number} was lit.")
    told: list[Progress] = []

    def hang(progress: Progress) -> None:
        if progress.stage == "indexing":
            own.server.hang()

    with monkeypatch.context() as patch:
        patch.setattr(milvus, "_PATIENCE", 1.0)
        patch.setattr(milvus, "_WRITING", 1.0)
        with pytest.raises(UnreachableIndexError):
            own.rebuild(report=hang)
    own.server.go_on()
    assert own.texts() == before
    own.rebuild(report=told.append)
    assert own.texts() == own.sources()
    # Whoever waits for that sees how far it is.
    waiting = [progress for progress in told if progress.stage == "indexing"]
    assert waiting[0].done < waiting[0].total
    assert waiting[-1].done == waiting[-1].total


def test_ctrl_c_while_the_server_does_not_answer(own):
    before = own.texts()
    write_article(own.folder / "articles", "museum", "The museum grew in 1907.")

    def hang() -> None:
        own.server.hang()
        threading.Timer(2.0, os.kill, [os.getpid(), signal.SIGINT]).start()

    with pytest.raises(KeyboardInterrupt):
        own.rebuild(Meanwhile(hang))
    own.server.go_on()
    assert own.texts() == before
    own.rebuild()
    assert own.texts() == own.sources()


def test_a_server_that_is_slow(own):
    """Within its time, it is waited for."""

    def slow() -> None:
        own.server.hang()
        threading.Timer(2.0, own.server.go_on).start()

    write_article(own.folder / "articles", "museum", "The museum grew in 1907.")
    assert own.rebuild(Meanwhile(slow)).changed
    assert own.texts() == own.sources()
    with Engine(own.store(), asking := Meanwhile(slow), Settings(threshold=0.0)) as engine:
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        assert asking.has_done_it


def test_a_server_that_goes_once_a_generation_is_live(own, monkeypatch):
    """The rebuild has done its work; the next one tidies up."""
    publish = writer.MilvusWriter.publish

    def and_go(*arguments: Any) -> None:
        publish(*arguments)
        own.server.stop()

    write_article(own.folder / "articles", "museum", "The museum grew in 1907.")
    with monkeypatch.context() as patched:
        patched.setattr(writer.MilvusWriter, "publish", and_go)
        assert own.rebuild().changed
    own.server.start()
    assert own.texts() == own.sources()
    own.rebuild()
    assert own.store().leftovers() == []


def test_a_server_that_goes_and_comes_back(own):
    before = own.texts()
    with Engine(own.store(), ENCODER, Settings(threshold=0.0)) as engine:
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        own.server.stop()
        with pytest.raises(UnreachableIndexError):
            engine.ask(QUESTION)
        own.server.start()
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        write_article(own.folder / "articles", "museum", "The museum grew in 1907.")
        with pytest.raises(UnreachableIndexError):
            own.rebuild(Meanwhile(own.server.stop))
        own.server.start()
        assert own.texts() == before
        assert own.rebuild().changed
        assert engine.ask("museum 1907").quotes[0].article.id == "museum"


def test_a_server_that_goes_during_a_question(own):
    """It ends in one error, or is answered as it would be; the next one is answered."""

    def anew() -> None:
        own.server.stop()
        own.server.start()

    asking = Meanwhile(own.server.stop)
    with Engine(own.store(), asking, Settings(threshold=0.0)) as engine:
        with pytest.raises(UnreachableIndexError):
            engine.ask(QUESTION)
        own.server.start()
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        asking.something = anew
        with suppress(UnreachableIndexError):
            assert engine.ask(QUESTION).quotes[0].article.id == "bridge"
        assert asking.has_done_it
        assert engine.ask(QUESTION).quotes[0].article.id == "bridge"


if WITH_REAL:

    def test_a_book_that_changes(place, tmp_path_factory):
        """All that leaves is more than a message of Milvus may hold."""
        encoder = HashingEncoder(dimension=2048)
        lit = (
            " ".join(f"Lamp {n} in row {row} was lit." for row in range(24)) for n in range(1200)
        )
        text = "\n\n".join(lit)
        with SERVERS["server"](tmp_path_factory.mktemp("own") / "data") as server:
            own = Place(server, place.folder)
            write_article(own.folder / "articles", "book", text)
            assert own.rebuild(encoder).passages == 1203
            write_article(own.folder / "articles", "book", f"{text} So it ended.")
            summary = own.rebuild(encoder)
            assert (summary.reused, summary.encoded) == (1202, 1)
            assert own.texts() == own.sources()

    def test_the_nearest_are_found_in_what_was_indexed(tmp_path):
        """Questions lie apart from passages, so that a graph of passages may lose its way."""
        chance = np.random.default_rng(1)
        towns, questions = unit(chance, 50), unit(chance, 20)
        vectors = unit(chance, 5000, around=towns.repeat(100, axis=0), spread=0.05)
        rows = ({"row": row, milvus.VECTOR: some.tolist()} for row, some in enumerate(vectors))
        told: list[tuple[int, int]] = []
        with SERVERS["server"](tmp_path / "data") as server:
            connected = Server(address_of(f"{server.address}/a"), "")
            with closing(connected):
                connected.create("passages", {"row": "key"}, 64)
                connected.insert("passages", rows)
                connected.settle("passages", lambda done, total: told.append((done, total)))
                # It compares all, until it has loaded the index.
                time.sleep(20)
                found = [
                    connected.search(
                        "passages", question.tolist(), 200, "row >= 0", ["row"], level="Strong"
                    )
                    for question in questions
                ]
        assert told[-1] == (5000, 5000)
        best = np.argsort(-vectors @ questions.T, axis=0)[:200].T
        shares = [
            np.isin(near, [row["row"] for row in rows]).mean()
            for near, rows in zip(best, found, strict=True)
        ]
        assert np.mean(shares) >= 0.99
        assert min(shares) > 0.98

    def unit(
        chance: np.random.Generator, count: int, *, around: FloatArray | float = 0.0, spread=1.0
    ) -> FloatArray:
        """Vectors of length 1, 64 numbers each."""
        made = around + spread * chance.standard_normal((count, 64), np.float32)
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)
