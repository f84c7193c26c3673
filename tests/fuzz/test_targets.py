"""The fuzzer's targets without it: each parser keeps its promise, whatever hypothesis draws."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.registry import Target
from fuzz.targets import TARGETS
from tests.mutations import mutated
from tests.support import ROOT

each_target = pytest.mark.parametrize("target", TARGETS.values(), ids=list(TARGETS))


@each_target
def test_what_a_parser_can_read_keeps_its_promise(target: Target):
    for seed in target.seeds:
        target.run(seed)


@each_target
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_what_comes_of_accidents_keeps_it_too(target: Target, data):
    target.run(data.draw(mutated(target.seeds)))


def test_one_input_can_be_tried_again(tmp_path):
    (tmp_path / "found").write_bytes(b"# Text")
    result = subprocess.run(
        [sys.executable, "-m", "fuzz", "markdown", "--input", tmp_path / "found"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (0, "", "") == (result.returncode, result.stdout, result.stderr)
