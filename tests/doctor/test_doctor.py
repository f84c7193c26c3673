"""The doctor: what it finds, what it says to do, and that it changes nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qabot.bot.tokens import read_token
from qabot.index import IndexStore, write_lexical
from qabot.index.manifest import NAME, Manifest
from tests.support import index_files, sign

NUMBER = "MTIzNDU2Nzg5MDEyMzQ1Njc4"
SIGNATURE = "aB3_" * 9
TOKEN = f"{NUMBER}.GhIjKl.{SIGNATURE}"
ALL = [
    "settings",
    "sources",
    "model",
    "reader",
    "confidence",
    "index",
    "counts",
    "vectors",
    "rollback",
    "leftovers",
    "space",
    "token",
]


@pytest.fixture
def examined(call, tmp_path, monkeypatch, real_index) -> Callable[..., dict[str, dict[str, Any]]]:
    """Runs the doctor beside a copy of the real index; what it says, by name.

    The copy's model is not there, so that only its files are looked at, unless asked for.
    """
    shutil.copytree(real_index.folder, tmp_path / "index")
    shutil.copytree(real_index.articles, tmp_path / "seeds")
    for name in ("QABOT_TOKEN", "DISCORD_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def run(*, model: bool = False, code: int = 0) -> dict[str, dict[str, Any]]:
        cache = real_index.cache if model else tmp_path / "cache"
        monkeypatch.setenv("QABOT_CACHE", str(cache))
        result = call("doctor", "--json")
        found: dict[str, Any] = result.object
        assert (code, code == 0) == (result.code, found["healthy"])
        for check in found["checks"]:
            assert ["name", "status", "detail", "remedy"] == list(check)
            assert (check["remedy"] is None) == (check["status"] == "ok")
            assert "\n" not in check["detail"]
        return {check["name"]: check for check in found["checks"]}

    return run


def link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # The cache that the user named is on another file system.
        shutil.copy2(source, target)


@pytest.fixture
def generation(examined, tmp_path: Path) -> Path:
    return tmp_path / "index/generations/1"


@pytest.fixture
def segment(examined, tmp_path: Path) -> Path:
    return tmp_path / "index/segments/1-1"


def test_all_is_well(examined, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = examined(model=True)
    assert ALL == list(found)
    assert {check["status"] for check in found.values()} == {"ok"}
    assert found["counts"]["detail"] == "4 articles, 5 passages, 10 sentences"
    assert found["vectors"]["detail"].startswith("5 passages encoded again: cosines from 0.9")
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_on_a_terminal_each_is_a_line(call, examined):
    examined()
    result = call("doctor")
    assert (0, "") == (result.code, result.err)
    lines = result.out.splitlines()
    # The disk of the index, and that of the model that is still to be unpacked; without the model,
    # nobody knows whether the confidence is for it.
    listed = [name for name in ALL if name != "confidence"]
    assert [*listed[:-1], "space", "token"] == [line[8:18].strip() for line in lines]
    assert lines[8] == "ok      leftovers   none"
    assert lines[2].endswith(
        "the model is not unpacked, or not completely; run `qabot rebuild`, which unpacks it"
    )


def test_a_damaged_model_is_suspected_before_the_index(examined, tmp_path, real_index):
    (folder,) = real_index.cache.glob("multilingual-e5-small-*-*[0-9]")
    copied = tmp_path / "cache" / folder.name
    shutil.copytree(folder, copied, copy_function=link)
    words = copied / "onnx/model_qint8.onnx_words"
    content = bytearray(words.read_bytes())
    content[10**6 : 2 * 10**6] = bytes(10**6)
    words.unlink()
    words.write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    found = examined(code=2)
    assert found["model"] == {
        "name": "model",
        "status": "fault",
        "detail": f"{words}: not as it was unpacked",
        "remedy": f"remove the folder {copied}; the next question unpacks it again",
    }
    assert ("warning", "mend the model first") == (
        found["reader"]["status"],
        found["reader"]["remedy"],
    )
    assert found["index"]["status"] == "ok"
    assert ("warning", "mend the model first") == (
        found["vectors"]["status"],
        found["vectors"]["remedy"],
    )
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_the_size_of_the_cache_is_told(examined, real_index):
    size = sum(path.stat().st_size for path in real_index.cache.rglob("*") if path.is_file())
    detail = examined(model=True)["model"]["detail"]
    expected = (
        f"multilingual-e5-small: 384 dimensions; {real_index.cache} holds {size / 1e6:.0f} MB"
    )
    assert expected == detail


# --- The index ------------------------------------------------------------------------------------


def remove(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [remove, truncate, flip])
@pytest.mark.parametrize("name", [*index_files(), f"generations/1/{NAME}"])
def test_a_damaged_file_is_named_with_the_remedy(examined, tmp_path, damage, name):
    damage(tmp_path / "index" / name)
    found = examined(code=3)
    assert ("fault", "run `qabot rebuild --full`") == (
        found["index"]["status"],
        found["index"]["remedy"],
    )
    assert found["index"]["detail"].startswith(f"index/{name}: ")
    assert found["settings"]["status"] == found["sources"]["status"] == "ok"


def test_no_index(examined, tmp_path):
    shutil.rmtree(tmp_path / "index")
    found = examined(code=3)
    assert ("index: no index here", "run `qabot rebuild`") == (
        found["index"]["detail"],
        found["index"]["remedy"],
    )


def test_a_file_where_the_index_belongs(call, examined, tmp_path):
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "index").write_text("no folder")
    found = examined(code=3)
    remedy = "name another one with --index, or move it away"
    assert ("index: is not a folder", remedy) == (
        found["index"]["detail"],
        found["index"]["remedy"],
    )
    assert found["space"]["status"] == "ok"
    assert call("rollback").complaint == f"index: is not a folder; {remedy}"
    assert (tmp_path / "index").read_text() == "no folder"


def test_a_folder_where_the_live_generation_is_named(call, examined, tmp_path):
    (tmp_path / "index/CURRENT").unlink()
    (tmp_path / "index/CURRENT").mkdir()
    found = examined(code=3)
    remedy = "remove it and run `qabot rebuild --full`"
    assert ("index/CURRENT: is a folder, not a file", remedy) == (
        found["index"]["detail"],
        found["index"]["remedy"],
    )
    for command in (("rollback", "1"), ("ask", "why?")):
        complaint = call(*command).complaint
        assert complaint == f"index/CURRENT: is a folder, not a file; {remedy}"


def test_vectors_of_other_texts(examined, generation, segment):
    vectors = np.load(segment / "passages.npy")
    np.save(segment / "passages.npy", np.roll(vectors, 1, axis=0))
    sign(generation)
    check = examined(model=True, code=3)["vectors"]
    assert ("fault", "run `qabot rebuild --full`") == (check["status"], check["remedy"])
    assert check["detail"].startswith(
        "index/generations/1: a vector does not belong to its text (cosine "
    )


def test_one_sentence_vector_that_is_not_its_own(examined, generation, segment):
    vectors = np.load(segment / "sentences.npy")
    vectors[-1] = vectors[0]
    np.save(segment / "sentences.npy", vectors)
    sign(generation)
    assert examined(model=True, code=3)["vectors"]["status"] == "fault"


def execute(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def lose_a_passage(folder: Path) -> None:
    execute(folder / "articles.sqlite", "DELETE FROM passage WHERE row = 4")


def lose_an_article(folder: Path) -> None:
    execute(folder / "articles.sqlite", "DELETE FROM passage WHERE article = 0")
    execute(folder / "articles.sqlite", "DELETE FROM article WHERE row = 0")


def lose_a_sentence(folder: Path) -> None:
    np.save(folder / "sentences.npy", np.load(folder / "sentences.npy")[:-1])


def shift_sentences(folder: Path) -> None:
    bounds = np.load(folder / "sentence_rows.npy")
    bounds[1] += 1
    np.save(folder / "sentence_rows.npy", bounds)


def lose_words(folder: Path) -> None:
    (folder / "words.bin").unlink()
    write_lexical(folder / "words.bin", [(row, "en", "telescope") for row in range(4)], 4)


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lose_a_passage, "4 passages, not 5"),
        (lose_an_article, "3 articles, not 4; 4 passages, not 5"),
        (lose_a_sentence, "9 sentence vectors, not 10"),
        (shift_sentences, "sentences are assigned to other passages"),
        (lose_words, "4 passages in the word index, not 5"),
    ],
)
def test_files_that_do_not_belong_together(examined, generation, segment, spoil, detail):
    spoil(segment)
    sign(generation)
    check = examined(code=3)["counts"]
    assert ("fault", f"index/segments/1-1: {detail}", "run `qabot rebuild --full`") == (
        check["status"],
        check["detail"],
        check["remedy"],
    )


def test_an_index_of_another_model(examined, generation):
    made = Manifest.read(generation)
    replace(made, encoder=replace(made.encoder, name="other", fingerprint="0")).write(generation)
    check = examined(model=True, code=3)["vectors"]
    assert ("fault", "run `qabot rebuild` to renew it") == (check["status"], check["remedy"])
    assert check["detail"] == (
        "other made the index; multilingual-e5-small would make it differently now"
    )


def copy_as(generation: Path, number: int) -> None:
    """Copy a generation, and let the copy's manifest name its own number."""
    copy = generation.with_name(str(number))
    shutil.copytree(generation, copy)
    replace(Manifest.read(generation), generation=number).write(copy)


def test_earlier_generations_that_are_damaged(examined, generation):
    for number in (2, 3):
        copy_as(generation, number)
    remove(generation.with_name("2") / "language_subspace.npz")
    check = examined()["rollback"]
    assert (check["status"], check["detail"]) == ("ok", "to return to: 3")
    # Of several checks of one name, the fixture keeps the last.
    assert IndexStore(generation.parent.parent).numbers() == [1, 2, 3]


def test_a_damaged_earlier_generation_is_named(call, examined, generation):
    copy_as(generation, 2)
    remove(generation.with_name("2") / "language_subspace.npz")
    examined()
    (line,) = [line for line in call("doctor").out.splitlines() if line.startswith("warning rollb")]
    assert "index/generations/2/language_subspace.npz: cannot be read (" in line
    assert line.endswith("; only `qabot rollback` needs it: remove its folder")


def test_leftovers_of_a_killed_rebuild(examined, generation):
    (generation.parent / ".building-x").mkdir()
    check = examined()["leftovers"]
    assert ("warning", "index/generations/.building-x") == (check["status"], check["detail"])
    with IndexStore(generation.parent.parent).rebuild():
        assert examined()["leftovers"]["detail"] == "a rebuild is running"
    assert examined()["leftovers"]["status"] == "ok"


# --- What stands round it -------------------------------------------------------------------------


def test_settings_that_make_no_sense_hide_nothing_else(examined, tmp_path):
    (tmp_path / "qabot.toml").write_text("quotes = 'many'")
    found = examined(code=2)
    assert ("fault", "correct it or leave it out") == (
        found["settings"]["status"],
        found["settings"]["remedy"],
    )
    assert "qabot.toml" in found["settings"]["detail"]
    assert found["index"]["status"] == found["counts"]["status"] == "ok"


def test_a_flag_that_makes_no_sense(call, examined):
    examined()
    result = call("doctor", "--json", "--index", "")
    settings, *others = result.object["checks"]
    assert (2, "fault") == (result.code, settings["status"])
    assert settings["detail"].startswith("--index: index must be a name or path, not ''")
    assert {check["status"] for check in others} == {"ok", "warning"}


def test_without_seeds_the_sources_of_the_index_count(examined, tmp_path):
    shutil.rmtree(tmp_path / "seeds")
    check = examined()["sources"]
    assert (check["status"], check["detail"]) == ("ok", "4 documents")
    shutil.rmtree(tmp_path / "index")
    check = examined(code=3)["sources"]
    assert (check["status"], check["detail"]) == ("fault", "seeds: no such file or folder")


def test_sources_that_are_missing_or_lead_astray(examined, tmp_path):
    (tmp_path / "seeds/out.md").symlink_to("/etc/hostname")
    check = examined()["sources"]
    assert check["status"] == "warning"
    assert check["detail"].startswith("seeds/out.md: a symbolic link that leads out of its folder")
    (tmp_path / "qabot.toml").write_text('[collections]\nnews = ["nwes"]')
    check = examined(code=2)["sources"]
    assert ("fault", "nwes: no such file or folder", "check the path") == (
        check["status"],
        check["detail"],
        check["remedy"],
    )


def test_a_model_that_is_none(examined, monkeypatch, tmp_path):
    (tmp_path / "model/onnx").mkdir(parents=True)
    (tmp_path / "model/onnx/model.onnx").write_bytes(b"no graph")
    monkeypatch.setenv("QABOT_ENCODER", "model")
    found = examined(code=2)
    assert (found["model"]["status"], found["vectors"]["status"]) == ("fault", "warning")
    assert found["model"]["remedy"]


@pytest.mark.parametrize("variable", ["QABOT_TOKEN", "DISCORD_TOKEN"])
def test_a_token_of_the_right_form(examined, monkeypatch, variable):
    monkeypatch.setenv(variable, TOKEN)
    check = examined()["token"]
    assert ("ok", f"{variable} has the form of a token") == (check["status"], check["detail"])


@pytest.mark.parametrize("token", [TOKEN, f"Bot {TOKEN}", f"{NUMBER}.GhIjKl.{SIGNATURE * 2}"])
def test_what_the_bot_takes_for_a_token_is_one_here(examined, monkeypatch, token):
    monkeypatch.setenv("QABOT_TOKEN", token)
    assert token.removeprefix("Bot ") == read_token("", os.environ)
    assert examined()["token"]["status"] == "ok"


def test_a_token_in_a_file(examined, tmp_path):
    (tmp_path / "qabot.toml").write_text('token_file = "secret"')
    check = examined(code=2)["token"]
    assert ("secret cannot be read", "check the file and its permissions") == (
        check["detail"],
        check["remedy"],
    )
    (tmp_path / "secret").write_text(f"Bot {TOKEN}\n")
    assert examined()["token"]["detail"] == "secret has the form of a token"


@pytest.mark.parametrize(
    ("token", "detail"),
    [
        ("hunter2", "is not three parts with dots between them"),
        (TOKEN[:40], "is not three parts with dots between them"),
        (f'"{TOKEN}"', "has something around the token, such as quotes"),
        (f"{'Zm9vYmFy' * 3}.GhIjKl.{SIGNATURE}", "does not begin with a bot's number"),
        (f"{'A' * 21}.GhIjKl.{SIGNATURE}", "does not begin with a bot's number"),
    ],
)
def test_a_token_of_another_form_is_told_and_never_shown(
    call,
    examined,
    monkeypatch,
    token,
    detail,
):
    monkeypatch.setenv("DISCORD_TOKEN", token)
    check = examined(code=2)["token"]
    assert ("fault", f"DISCORD_TOKEN {detail}") == (check["status"], check["detail"])
    result = call("doctor")
    assert not any(part in result.out + result.err for part in token.split(".") if len(part) > 3)
