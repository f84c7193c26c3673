"""The folder ``index/`` of the repository: its README is true, and in no one's way."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pathspec
import pytest

from qabot.index.encoded import NAME as ENCODED
from qabot.index.manifest import CODES, FILES, NAME, SEGMENT_FILES
from qabot.index.seen import NAME as SEEN
from qabot.web import crawl_state_path
from tests.support import ROOT, TELESCOPE, build_index, write_article

README = ROOT / "index" / "README.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An index folder as a clone has it."""
    (tmp_path / "index").mkdir()
    shutil.copy(README, tmp_path / "index")
    return tmp_path / "index"


def test_the_drawing_names_what_a_rebuild_writes(folder, tmp_path):
    [drawing] = re.findall(r"```text\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    named = [line.split()[0].rstrip("/") for line in drawing.splitlines()]
    of_the_web = crawl_state_path(folder).name
    sometimes = {ENCODED, SEEN, of_the_web, CODES}
    assert [name for name in named if name not in sometimes] == [
        *("index", "CURRENT", "LOCK", "generations", "7"),
        *(*FILES, NAME, "segments", "5-1", *SEGMENT_FILES),
    ]
    assert sometimes < set(named)
    write_article(tmp_path / "articles", "telescope", TELESCOPE)
    build_index(folder, tmp_path / "articles")
    written = {path.name for path in folder.rglob("*")}
    assert written - {"README.md", "1", "1-1"} == set(named) - {"index", "7", "5-1"} - sometimes


def test_without_an_index_it_is_as_good_as_an_empty_folder(folder, call):
    asked = call("ask", "--index", folder, "who?")
    assert (asked.code, asked.complaint) == (3, f"{folder}: no index here; run `qabot rebuild`")
    report = call("doctor", "--index", folder, "--json").object
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["index"]["detail"] == f"{folder}: no index here"
    assert checks["leftovers"]["detail"] == "none"


def test_rebuilds_and_rollbacks_leave_it_alone(folder, tmp_path, call):
    for number in range(4):
        write_article(tmp_path / "articles", f"telescope-{number}", TELESCOPE)
        build_index(folder, tmp_path / "articles", keep=2)
    assert call("rollback", "--index", folder).code == 0
    assert (folder / "README.md").read_bytes() == README.read_bytes()


def test_git_keeps_it_and_nothing_else():
    ignored = pathspec.GitIgnoreSpec.from_lines(
        (ROOT / ".gitignore").read_text("utf-8").split("\n")
    )
    assert not ignored.match_file("index/README.md")
    for name in ("CURRENT", "LOCK", "web.sqlite", "generations/7/manifest.json", "segments/5-1/a"):
        assert ignored.match_file(f"index/{name}")
    assert ignored.match_file("index.bot.sqlite")
