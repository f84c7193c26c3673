"""The drawings of the architecture are true to the code: the tree, the layers, the two ways."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import qabot
from qabot.answering.engine import Engine
from qabot.encoders import open_encoder
from qabot.render.terminal import render_answer
from qabot.settings import Settings
from qabot.types import Request
from tests.docs.support import blocks, page
from tests.support import ROOT, build_index

PACKAGE = Path(qabot.__file__).parent
TREE, LAYERS, WAYS = blocks(page("architecture"), "text")
# Where the right half of the drawing begins.
MIDDLE = 57
# What stands before the two ways come together: not run here, but it must exist.
ENTRANCES = ("bot/", "cli/", "mcp/", "repl/", "web/")


def named(lines: Iterator[str] | list[str]) -> list[str]:
    """The files and folders of the package that lines name, in order."""
    return [
        name
        for line in lines
        for name in re.findall(r"\b[a-z]+(?:/[a-z0-9_]+)*(?:\.py|/(?= ))", f"{line} ")
        if not name.startswith("index/generations")
    ]


@contextmanager
def traced(calls: list[str]) -> Iterator[None]:
    """Note the files of the package in the order in which their functions are called first."""

    def note(frame: FrameType, event: str, _: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            name = path.relative_to(PACKAGE).as_posix()
            # Reading what is live is nothing yet.
            is_step = name != "index/publishing.py" or frame.f_code.co_name == "publish"
            if is_step and name not in calls:
                calls.append(name)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


def in_order(drawn: list[str], calls: list[str]) -> list[str]:
    """``drawn`` in the order in which the files, or the first of those in a folder, were called."""

    def first(name: str) -> int:
        return next((n for n, call in enumerate(calls) if call.startswith(name)), -1)

    return sorted(drawn, key=first)


def test_the_tree_has_all_folders_and_files():
    tree = {line.split()[0] for line in TREE.splitlines()}
    folders = {path.parent for path in PACKAGE.rglob("__init__.py")} - {PACKAGE}
    assert {name.rstrip("/") for name in tree if name.endswith("/")} == (
        {folder.name for folder in folders} | {"qabot"}
    )
    modules = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    first_column = [re.split(" {2,}", line.strip())[0] for line in TREE.splitlines()]
    listed = [name for cell in first_column if "/" not in cell for name in cell.split(", ")]
    assert set(listed) == modules


def test_the_layers_are_those_that_import_linter_checks():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    [layers] = [
        contract["layers"]
        for contract in config["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    assert LAYERS.split("\n")[:-1] == [layer for layer in layers if layer != "__main__"]


def test_what_the_ways_name_exists():
    names = named(WAYS.splitlines())
    assert len(names) > 25
    assert [name for name in names if not (PACKAGE / name).exists()] == []


def test_a_question_goes_the_way_that_is_drawn(real_index):
    drawn = named([line[MIDDLE:] for line in WAYS.splitlines()])
    drawn = [name for name in drawn if not name.startswith(ENTRANCES)]
    asked = Request("How wide is its mirror?", ("What is the telescope?",))
    calls: list[str] = []
    with Engine.open(real_index.folder, settings=Settings(cache=str(real_index.cache))) as engine:
        engine.ask(
            "When was the telescope launched?"
        )  # What is imported late is there from now on.
        with traced(calls):
            # Else the reader of a busy machine stops before it is asked if it has read enough.
            [answer] = engine.ask_many([asked])
            render_answer(answer)
    assert answer.quotes
    assert in_order(drawn, calls) == drawn
    assert {name for name in drawn if name.endswith(".py")} <= set(calls)


def test_an_article_goes_the_way_that_is_drawn(real_index, tmp_path):
    drawn = named([line[:MIDDLE] for line in WAYS.splitlines()])
    drawn = [name for name in drawn if not name.startswith(ENTRANCES)]
    encoder = open_encoder("multilingual-e5-small", cache=real_index.cache)
    build_index(tmp_path / "warm", real_index.articles, encoder=encoder, cache=real_index.cache)
    calls: list[str] = []
    with traced(calls):
        build_index(
            tmp_path / "index", real_index.articles, encoder=encoder, cache=real_index.cache
        )
    assert in_order(drawn, calls) == drawn
    assert {name for name in drawn if name.endswith(".py")} <= set(calls)
