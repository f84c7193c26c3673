"""A real bot on a real engine, in a simulated Discord."""

from __future__ import annotations

from pathlib import Path

import pytest

from qabot.engine import Engine
from qabot.index import IndexStore
from qabot.settings import Settings
from tests.bot.support import make_bot
from tests.support import HashingEncoder


@pytest.fixture
def settings(index: Path) -> Settings:
    """What the bot runs with; a test that needs others has a fixture of this name."""
    return Settings(index=str(index), threshold=0.0)


@pytest.fixture
def engine(settings: Settings):
    """An engine over the small index of two articles, ``telescope`` and ``volcano``."""
    with Engine(IndexStore(Path(settings.index)), HashingEncoder(), settings) as engine:
        yield engine


@pytest.fixture
def simcord_bot(engine: Engine, settings: Settings):
    bot = make_bot(engine, settings)
    yield bot
    bot.answering.close()
    bot.state.close()
