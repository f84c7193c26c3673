"""The bot's state: what is kept, what is forgotten, and that nothing is lost or mixed up."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from qabot.bot.store.migrations import STEPS, migrate
from qabot.bot.store.records import AnswerRecord, GuildSettings
from qabot.bot.store.state import State, state_path
from qabot.errors import StateError
from tests.support import ROOT, clean_environment

ANSWER = {
    "question": "When did it fly?",
    "status": "answered",
    "confidence": 0.91,
    "quotes": [
        {
            "text": "It flew in May.",
            "start": 10,
            "end": 25,
            "highlights": [[18, 24]],
            "score": 0.91,
            "heading": None,
            "article": {"id": "rocket.en", "title": "Rocket", "source": "a.md", "url": None}
            | {"published": None, "language": "en"},
        }
    ],
    "index": {"generation": 3, "encoder": "e5"},
    "elapsed_ms": 4.0,
}
RECORD = AnswerRecord(
    created=1000.0,
    user_id=7,
    guild_id=1,
    channel_id=2,
    message_id=None,
    question="When did it fly?",
    previous=("Who built the rocket?",),
    locale="de",
    answer_json=json.dumps(ANSWER),
)


@pytest.fixture
def state(tmp_path):
    with State(tmp_path / "index.bot.sqlite") as state:
        yield state


def test_the_file_stands_beside_the_index_and_is_private(tmp_path):
    path = state_path(tmp_path / "index")
    assert path == tmp_path / "index.bot.sqlite"
    State(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_guild_that_set_nothing_has_the_defaults(state):
    assert state.guild(1) == GuildSettings()
    assert GuildSettings().answer_channels == ()  # Nothing is answered unprompted.


def test_settings_belong_to_one_guild_and_outlive_the_process(tmp_path):
    path = tmp_path / "state"
    one = GuildSettings((1, 2**63 - 1), (3,), True, True, 9, {3: "weltraum", 4: "日本"})
    two = GuildSettings(private=True)
    with State(path) as state:
        state.save_guild(1, one)
        state.save_guild(2, two)
    with State(path) as state:
        assert state.guild(1) == one
        assert state.guild(2) == two
        state.save_guild(1, two)
        assert state.guild(1) == two


def test_forgetting_a_guild_removes_what_was_asked_there(state):
    state.save_guild(1, GuildSettings(private=True))
    here = state.save_answer(RECORD)
    elsewhere = state.save_answer(replace(RECORD, guild_id=2))
    state.forget_guild(1)
    assert state.guild(1) == GuildSettings()
    assert state.answer(here) is None
    assert state.answer(elsewhere) is not None


def test_an_answer_comes_back_as_it_was_saved(state):
    record = replace(RECORD, question='”’;"\n🇺🇸 \\', previous=("a", ""), guild_id=None, page=2)
    answer_id = state.save_answer(record)
    assert state.answer(answer_id) == replace(record, id=answer_id)


def test_answer_ids_fit_a_custom_id(state):
    ids = {state.save_answer(RECORD) for _ in range(50)}
    assert len(ids) == 50
    assert all(len(answer_id) == 12 and ":" not in answer_id for answer_id in ids)


def test_an_answer_is_found_by_its_message(state):
    answer_id = state.save_answer(RECORD)
    assert state.answer_by_message(55) is None
    state.set_answer_message(answer_id, 55)
    state.set_answer_page(answer_id, 1)
    expected = replace(RECORD, id=answer_id, message_id=55, page=1)
    assert state.answer_by_message(55) == expected


def test_a_conversation_is_one_persons_in_one_channel_oldest_first(state):
    for number in range(14):
        state.save_answer(replace(RECORD, created=1000.0 + number, question=f"q{number}"))
    state.save_answer(replace(RECORD, user_id=8, created=1020.0, question="another person"))
    state.save_answer(replace(RECORD, channel_id=3, created=1020.0, question="another channel"))
    assert state.conversation(2, 7, since=1011.0) == ("q11", "q12", "q13")
    assert state.conversation(2, 7, since=0.0) == tuple(f"q{n}" for n in range(4, 14))
    assert state.conversation(2, 9, since=0.0) == ()


def test_pruning_removes_only_what_is_older(state):
    old = state.save_answer(replace(RECORD, created=999.9))
    kept = state.save_answer(RECORD)
    assert state.prune(older_than=1000.0) == 1
    assert state.answer(old) is None
    assert state.answer(kept) is not None


def test_feedback_is_one_opinion_a_person_and_names_nobody(state):
    answer_id = state.save_answer(RECORD)
    state.save_feedback(answer_id, 7, helpful=True, now=2000.0)
    state.save_feedback(answer_id, 8, helpful=True, now=2001.0)
    state.save_feedback(answer_id, 7, helpful=False, now=2002.0)
    first, second = state.feedback()
    assert [(f.created, f.helpful) for f in (first, second)] == [(2001.0, True), (2002.0, False)]
    assert first.question == "When did it fly?"
    assert first.about == {
        "status": "answered",
        "confidence": 0.91,
        "generation": 3,
        "encoder": "e5",
        "locale": "de",
        "quotes": [["rocket.en", 10, 25]],
    }


def test_feedback_outlives_its_answer_without_the_question(state):
    answer_id = state.save_answer(RECORD)
    state.save_feedback(answer_id, 7, helpful=True, now=1000.0)
    state.prune(older_than=1001.0)
    [feedback] = state.feedback()
    assert feedback.question is None
    assert feedback.about["quotes"] == [["rocket.en", 10, 25]]


def test_feedback_on_a_forgotten_answer_is_refused_in_one_line(state):
    with pytest.raises(StateError, match=r"^answer gone is forgotten; ask again$"):
        state.save_feedback("gone", 7, helpful=True, now=1.0)


def test_a_logged_question_outlives_its_answer(state):
    answer_id = state.save_answer(RECORD)
    state.log_question(replace(RECORD, id=answer_id))
    state.save_feedback(answer_id, 8, helpful=False, now=1000.0)
    state.prune(older_than=1001.0)
    assert [feedback.question for feedback in state.feedback()] == ["When did it fly?"]


def test_questions_are_not_logged_by_themselves(state):
    state.prune(older_than=1001.0)
    answer_id = state.save_answer(RECORD)
    state.prune(older_than=1001.0)
    assert b"When did it fly?" not in _bytes(state.path)
    assert state.answer(answer_id) is None


def test_a_person_is_told_once(state):
    assert state.tell_once(7, "no permission in 2", 1000.0)
    assert not state.tell_once(7, "no permission in 2", 1000.0)
    assert state.tell_once(8, "no permission in 2", 1000.0)
    assert state.tell_once(7, "no permission in 3", 1000.0)


def test_a_forgotten_person_is_gone_from_the_disk_and_others_stay(state):
    secret = "wherehidesmysecret"
    mine = state.save_answer(replace(RECORD, user_id=4242424242, question=secret))
    theirs = state.save_answer(RECORD)
    state.log_question(replace(RECORD, id=mine, user_id=4242424242, question=secret))
    state.save_feedback(theirs, 4242424242, helpful=True, now=1.0)
    state.save_feedback(mine, 7, helpful=True, now=2.0)
    state.tell_once(4242424242, "hello", 1000.0)
    assert secret.encode() in _bytes(state.path)

    assert state.forget_user(4242424242) == 4

    assert secret.encode() not in _bytes(state.path)
    assert state.answer(mine) is None
    assert state.answer(theirs) is not None
    assert [(f.created, f.question) for f in state.feedback()] == [(2.0, None)]
    assert state.tell_once(4242424242, "hello", 1000.0)
    assert state.forget_user(99) == 0


def test_meta_values_are_replaced(state):
    assert state.meta("commands") is None
    state.set_meta("commands", "a")
    state.set_meta("commands", "b")
    assert state.meta("commands") == "b"


def test_threads_and_other_processes_may_use_it_at_once(state):
    with State(state.path) as other, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> str:
            mine = (state, other)[number % 2]
            answer_id = mine.save_answer(replace(RECORD, user_id=number, question=f"q{number}"))
            mine.save_feedback(answer_id, number, helpful=number % 3 == 0, now=float(number))
            mine.save_guild(number, GuildSettings(role_id=number))
            return answer_id

        ids = list(pool.map(work, range(200)))
        for number, answer_id in enumerate(ids):
            assert other.answer(answer_id) == replace(
                RECORD, id=answer_id, user_id=number, question=f"q{number}"
            )
            assert state.guild(number).role_id == number
        assert [f.helpful for f in state.feedback()] == [n % 3 == 0 for n in range(200)]


_WRITER = """
import sys
from dataclasses import replace
from tests.bot.test_state import RECORD
from qabot.bot.store.records import GuildSettings
from qabot.bot.store.state import State
state = State(__import__("pathlib").Path(sys.argv[1]))
number = 0
while True:
    number += 1
    state.save_guild(1, GuildSettings(role_id=number))
    print(number, state.save_answer(replace(RECORD, created=float(number))), flush=True)
"""


def test_nothing_that_was_saved_is_lost_when_it_is_killed(tmp_path):
    path = tmp_path / "state"
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, path],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(100)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
    with State(path) as state:
        last = 0
        for line in filter(lambda line: line.endswith("\n"), lines):
            number, answer_id = line.split()
            last = int(number)
            record = state.answer(answer_id)
            assert record is not None
            assert record.created == float(number)
        # Of the write that was under way, all is there or nothing.
        assert state.guild(1).role_id in (last, last + 1, last + 2)
    assert _ask(path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("steps", range(len(STEPS)))
def test_an_older_file_is_brought_up_to_date_with_what_it_holds(tmp_path, steps):
    path = tmp_path / "state"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, path, steps)
    if steps:
        settings = {"answer_channels": [5], "allowed_channels": [], "collections": {"5": "a"}}
        connection.execute("INSERT INTO guild VALUES (1, ?)", (json.dumps(settings),))
        connection.execute(
            "INSERT INTO answer VALUES ('old', 1000.0, 7, 1, 2, 55, 'q', '[]', 'de', ?, 0)",
            (RECORD.answer_json,),
        )
    connection.close()
    with State(path) as state:
        if steps:
            assert state.guild(1) == GuildSettings(answer_channels=(5,), collections={5: "a"})
            assert state.answer_by_message(55) == replace(
                RECORD, id="old", message_id=55, question="q", previous=()
            )
        assert state.tell_once(7, "hello", 0.0)
    assert _ask(path, "PRAGMA user_version") == [(len(STEPS),)]


def test_settings_of_another_version_are_read_as_far_as_they_are_known(tmp_path, caplog):
    with State(tmp_path / "state") as state:
        state._write("INSERT INTO guild VALUES (1, ?)", json.dumps({"threads": True, "moods": 3}))
        assert state.guild(1) == GuildSettings(threads=True)
    assert "a server's settings hold what this version does not know: moods" in caplog.text


@pytest.mark.parametrize(
    ("row", "read"),
    [
        ('{"answer_channels": null, "threads": true}', GuildSettings(threads=True)),
        ('{"role_id": {"7": 1}, "private": true}', GuildSettings(private=True)),
        ('{"collections": ["lore"], "role_id": "7"}', GuildSettings(role_id=7)),
        ("[1, 2]", GuildSettings()),
        ("threads", GuildSettings()),
    ],
)
def test_what_another_version_wrote_otherwise_has_its_default_and_is_named(
    tmp_path, caplog, row, read
):
    with State(tmp_path / "state") as state:
        state._write("INSERT INTO guild VALUES (1, ?)", row)
        assert state.guild(1) == read
    assert "a server's settings" in caplog.text


def test_several_processes_may_start_on_an_older_file(tmp_path):
    path = tmp_path / "state"
    with ThreadPoolExecutor(6) as pool:
        states = list(pool.map(State, [path] * 6))
    for number, state in enumerate(states):
        state.set_meta(str(number), "here")
    assert [states[0].meta(str(number)) for number in range(6)] == ["here"] * 6
    for state in states:
        state.close()


def test_a_newer_file_is_refused_in_one_line_and_left_alone(tmp_path):
    path = tmp_path / "state"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE wonder (x); PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StateError) as caught:
        State(path)
    assert str(caught.value) == (
        f"{path}: a newer qabot has written it (format 99, this one knows {len(STEPS)}); "
        "update qabot, or move the file away to start with empty settings"
    )
    assert _ask(path, "SELECT name FROM sqlite_schema") == [("wonder",)]


@pytest.mark.parametrize("content", [b"no database at all, but text" * 50, None])
def test_a_file_that_cannot_be_used_is_one_line(tmp_path, content):
    path = tmp_path / "state"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StateError) as caught:
        State(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: the bot's state cannot be used (")
    assert "move the file away" in message
    assert "\n" not in message


def _ask(path: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def _bytes(path: Path) -> bytes:
    """All that the disk holds of a state, with the log of changes."""
    log = path.with_name(f"{path.name}-wal")
    return path.read_bytes() + (log.read_bytes() if log.exists() else b"")
