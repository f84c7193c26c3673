"""The command that breaks everything: it finds nothing wrong here, and would find it if it were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from faults.commands import Ended
from faults.corpus import AFTER
from faults.indexes import DAMAGES
from faults.report import render
from faults.site import Row, Site, is_verbatim
from tests.support import ROOT, clean_environment, run_python

# A rebuild in a site whose articles were written just now: how many of them it remembers.
REMEMBERED = """
import sys
from pathlib import Path
from faults.commands import prepare
from faults.site import REBUILD, Campaign
from qabot.index.seen import read_seen

prepare()
for site in Campaign(Path(sys.argv[1])).sites(2):
    site.run(*REBUILD)
    print(len(read_seen(site.index)))
"""

OLD, NEW = ("answered", ("a", 0, 3, "Old")), ("answered", ("a", 0, 3, "New"))


@pytest.mark.slow
def test_a_few_of_each_fault_lose_nothing(tmp_path, model_cache):
    table = tmp_path / "table.md"
    result = subprocess.run(
        [sys.executable, "-m", "faults", "--quick", "--output", table],
        cwd=ROOT,
        env=clean_environment(QABOT_CACHE=str(model_cache)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (0, "") == (result.returncode, result.stderr)
    assert result.stdout.endswith(f"written to {table}\n")
    text = table.read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert {"0"} == {row[6] for row in rows[2:]}
    assert all(row[1] == row[7] for row in rows[2:])
    assert sum(fault in text for fault in DAMAGES) == len(DAMAGES)
    assert "Nothing was lost, and no answer was wrong." in text
    assert str(tmp_path) not in text


@pytest.mark.slow
def test_what_a_rebuild_writes_does_not_depend_on_the_age_of_the_articles(tmp_path, model_cache):
    environment = {"QABOT_CACHE": str(model_cache)}
    result = run_python("-c", REMEMBERED, tmp_path, cwd=ROOT, environment=environment)
    assert f"{len(AFTER)}\n" * 2 == result.stdout


def line(quote: str, generation: int = 1) -> str:
    shown = {"article": {"id": "a"}, "start": 0, "end": 3, "text": quote}
    answer = {"status": "answered", "quotes": [shown], "index": {"generation": generation}}
    return f"{json.dumps(answer)}\n"


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        (Ended(0, line("Old") * 2, "", 1), "before"),
        (Ended(0, line("New") * 2, "", 1), "after"),
        # A mixture, a quote of neither, an answer too few, a word on standard error.
        (Ended(0, line("Old") + line("New"), "", 1), "wrong"),
        (Ended(0, line("Odd") * 2, "", 1), "wrong"),
        (Ended(0, line("Old"), "", 1), "wrong"),
        (Ended(0, line("Old") * 2, "warning\n", 1), "wrong"),
        (Ended(3, "", "qabot: index: damaged; run `qabot rebuild --full`\n", 1), "refused"),
        # No remedy, two lines, a bug, answers all the same, a signal.
        (Ended(3, "", "qabot: index: damaged\n", 1), "wrong"),
        (Ended(3, "", "qabot: damaged; run `qabot rebuild`\nTraceback\n", 1), "wrong"),
        (Ended(3, "", "qabot: unexpected KeyError; run `qabot rebuild`\n", 1), "wrong"),
        (Ended(3, line("Old"), "qabot: a; run `qabot rebuild`\n", 1), "wrong"),
        (Ended(-11, "", "", 1), "wrong"),
    ],
)
def test_only_whole_answers_and_clear_refusals_pass(tmp_path, ended, state):
    row = Row("a fault")
    site = Site(tmp_path, {"before": [OLD, OLD], "after": [NEW, NEW]})
    assert site.judge(row, ended) == state
    assert len(row.problems) == (state == "wrong")
    assert ("problems**" in render([row], "it", 60)) == (state == "wrong")


def test_while_a_rebuild_is_published_each_answer_is_of_its_generation(tmp_path):
    site = Site(tmp_path, {"before": [OLD, OLD], "after": [NEW, NEW]})

    def state(*lines: str) -> str:
        return site.judge(Row(""), Ended(0, "".join(lines), "", 1), during=True)

    assert state(line("Old", 3), line("New", 4)) == "after"
    assert state(line("Old", 3), line("New", 3)) == "wrong"
    assert state(line("New", 4), line("Old", 3)) == "wrong"


def test_a_quote_has_to_stand_where_it_says():
    text = AFTER["harbour"]
    assert is_verbatim(("answered", ("harbour", 4, 11, text[4:11])), AFTER)
    assert not is_verbatim(("answered", ("harbour", 5, 12, text[4:11])), AFTER)


@pytest.mark.parametrize("what", DAMAGES)
def test_every_damage_changes_the_file(tmp_path: Path, what):
    for damage in DAMAGES[what]:
        path = tmp_path / "file"
        path.write_bytes(b"content")
        damage(path)
        assert not path.exists() or path.read_bytes() != b"content"
