"""Encoding elsewhere: by workers in general, and on a Ray cluster that loses a machine."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from qabot.encoders import PACKAGED, Encoder, FloatArray, open_encoder
from qabot.errors import EncoderError
from qabot.index import IndexStore, encoded
from qabot.indexing import encode
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress, Summary
from tests.support import (
    ROOT,
    HashingEncoder,
    RecordingEncoder,
    build_index,
    clean_environment,
    shared_cache,
    words,
    write_article,
)

WITH_RAY = bool(os.environ.get("TEST_RAY"))
"""Set by ``make test-ray``."""


class Backwards:
    """Workers that encode the last group first.

    Args:
        most: After so many groups they fail.
    """

    def __init__(self, most: int = 10**6) -> None:
        self._most = most
        self.groups: list[Sequence[str]] = []

    def encode(
        self, encoder: Encoder, groups: Sequence[Sequence[str]]
    ) -> Iterator[tuple[int, FloatArray]]:
        for place in reversed(range(len(groups))):
            if len(self.groups) == self._most:
                raise EncoderError("the workers are gone")
            self.groups.append(groups[place])
            yield place, HashingEncoder().encode_document(groups[place])


@pytest.fixture
def articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(encode, "GROUP", 4)
    for number in range(9):
        text = f"The state of a{number} is new. Its number is {number}. It is as it was."
        write_article(tmp_path / "articles", f"a{number}", text)
    build_index(tmp_path / "here", tmp_path / "articles")
    return tmp_path / "articles"


def with_workers(
    articles: Path, workers: Backwards, told: list[Progress] | None = None
) -> tuple[Summary, RecordingEncoder]:
    """Rebuild ``elsewhere``, beside the articles; the encoder that was left with nothing to do."""
    encoder = RecordingEncoder(HashingEncoder())
    told = [] if told is None else told
    store = IndexStore(articles.parent / "elsewhere")
    plan = IndexPlan((str(articles),), shared_cache())
    return rebuild(store, encoder, plan, told.append, workers), encoder


def vectors(index: Path) -> list[bytes]:
    with contextlib.closing(IndexStore(index).open()) as generation:
        names = ("passages.npy", "sentences.npy", "sentence_rows.npy")
        return [(part.folder / name).read_bytes() for part in generation.segments for name in names]


def test_workers_encode_all_and_the_index_is_the_same(tmp_path, articles):
    told: list[Progress] = []
    workers = Backwards()
    summary, encoder = with_workers(articles, workers, told)
    assert encoder.documents == []
    assert (summary.encoded, summary.resumed) == (9, 0)
    assert vectors(tmp_path / "elsewhere") == vectors(tmp_path / "here")
    texts = [text for group in workers.groups for text in group]
    assert len(texts) == len(set(texts))
    assert max(map(len, workers.groups)) == 4
    encoding = [item for item in told if item.stage == "encoding"]
    done = [item.done for item in encoding]
    assert done == sorted(done)
    assert (encoding[-1].done, encoding[-1].passages) == (encoding[-1].total, 9)


def test_only_what_is_new_goes_to_workers(tmp_path, articles):
    with_workers(articles, Backwards())
    write_article(articles, "b", "The bridge is old.")
    workers = Backwards()
    summary, _ = with_workers(articles, workers)
    assert (summary.encoded, summary.reused) == (1, 9)
    assert sum(map(len, workers.groups)) == 2
    workers = Backwards()
    assert not with_workers(articles, workers)[0].changed
    assert workers.groups == []


def test_workers_that_fail_lose_nothing(tmp_path, articles, monkeypatch):
    monkeypatch.setattr(encoded, "SECONDS", 0.0)
    workers = Backwards(most=6)
    with pytest.raises(EncoderError, match="the workers are gone"):
        with_workers(articles, workers)
    assert not (tmp_path / "elsewhere" / "CURRENT").exists()
    before = {text for group in workers.groups for text in group}
    workers = Backwards()
    summary, _ = with_workers(articles, workers)
    after = {text for group in workers.groups for text in group}
    assert before
    assert before.isdisjoint(after)
    assert (summary.encoded, summary.resumed) == (9, 5)
    assert vectors(tmp_path / "elsewhere") == vectors(tmp_path / "here")


def test_without_ray_one_line_says_how_to_get_it(call, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    write_article(Path("articles"), "a", "It is as it was.")
    result = call("rebuild", "articles", "--ray", "127.0.0.1:1", "--encoder", "nowhere")
    assert result.code == 2
    assert result.complaint == "--ray 127.0.0.1:1: needs Ray; pip install 'qabot[ray]'"


@contextlib.contextmanager
def cluster() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A Ray cluster: its address, and the process that runs it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.indexing.ray_cluster"],
        cwd=ROOT,
        env=clean_environment(RAY_USAGE_STATS_ENABLED="0", RAY_raylet_start_wait_time_s="600"),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        assert process.stdin
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("127.0.0.1:"):
                break
        else:
            pytest.fail(f"the cluster did not start: {''.join(said)}")
        yield line.strip(), process
        process.stdin.close()


def many_articles(folder: Path) -> None:
    """Some hundred sentences of unlike length."""
    chance = random.Random(1)
    some = words("bridge harbour theatre telescope mirror winter river number old new opened was")
    for number in range(20):
        sentences = [
            " ".join(chance.choices(some, k=chance.randint(3, 30))).capitalize() + f" {number}."
            for _ in range(12)
        ]
        write_article(folder, f"a{number}", " ".join(sentences))


def command(index: str, address: str, *options: str) -> list[str]:
    """The command line of a rebuild on a cluster."""
    named = ["rebuild", "articles", "--index", index, "--ray", address, *options]
    return [sys.executable, "-m", "qabot", *named]


if WITH_RAY:

    def encoding(
        index: str, address: str, cache: Path, then: Callable[[subprocess.Popen[str]], object]
    ) -> tuple[int, str, list[str], float]:
        """Rebuild on a cluster, and do something when a part is encoded.

        Returns:
            The exit code, what was printed, what else was told, and which share was encoded then.
        """
        done, said = 0.0, []
        with subprocess.Popen(
            command(index, address, "--json", "--progress"),
            env=clean_environment(QABOT_CACHE=str(cache)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            assert process.stderr
            for line in process.stderr:
                if not line.startswith("{"):
                    said.append(line)
                    continue
                told = json.loads(line)
                if not done and told["stage"] == "encoding" and told["done"]:
                    done = told["done"] / told["total"]
                    then(process)
            return process.wait(), process.stdout.read(), said, done

    def complaints(said: Sequence[str]) -> list[str]:
        """What is not Ray's: it warns of a network without others, and the like."""
        return [line for line in said if line.startswith(("qabot: ", "Traceback"))]

    def test_a_cluster_that_loses_a_machine(tmp_path, model_cache, monkeypatch):
        many_articles(tmp_path / "articles")
        plan = IndexPlan(("articles",), model_cache)
        monkeypatch.chdir(tmp_path)
        encoder = open_encoder(PACKAGED, cache=model_cache)
        rebuild(IndexStore(Path("here")), encoder, plan)
        with cluster() as (address, machines):
            assert machines.stdin
            # Ray takes no signal from it.
            code, printed, said, done = encoding(
                "ended", address, model_cache, lambda process: process.terminate()
            )
            assert 0 < done < 1
            assert (code, printed, complaints(said)) == (-signal.SIGTERM, "", [])
            code, printed, said, done = encoding(
                "elsewhere",
                address,
                model_cache,
                lambda _: print(file=machines.stdin, flush=True),
            )
        assert 0 < done < 1
        assert code == 0
        assert complaints(said) == []
        summary = json.loads(printed)
        assert (summary["encoded"], summary["resumed"]) == (summary["passages"], 0)
        assert vectors(tmp_path / "elsewhere") == vectors(tmp_path / "here")

    @pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1:99999", "nowhere:1", "auto"])
    def test_no_cluster_is_one_line(tmp_path, model_cache, address):
        write_article(tmp_path / "articles", "a", "It is as it was.")
        result = subprocess.run(
            command("elsewhere", address),
            cwd=tmp_path,
            env=clean_environment(QABOT_CACHE=str(model_cache)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.splitlines()[-1].startswith(f"qabot: --ray {address}: ")
        assert "Traceback" not in result.stderr
