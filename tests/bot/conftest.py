"""A real bot on a real engine, in a simulated Discord."""

from __future__ import annotations

from pathlib import Path

import pytest

from qabot.settings import Settings
from tests.bot.support import Member, make_bot, open_engine
from tests.support import PATIENCE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the bot take its time: a slow machine is no bug."""
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("simcord"):
            item.add_marker(pytest.mark.simcord(settle_timeout=PATIENCE))


@pytest.fixture
def settings(index: Path) -> Settings:
    """The bot's settings; a test that needs others has a fixture of this name."""
    return Settings(index=str(index), threshold=0.0)


@pytest.fixture
def engine(settings: Settings):
    """An engine over the small index of two articles, ``telescope`` and ``volcano``."""
    with open_engine(settings) as engine:
        yield engine


@pytest.fixture
def simcord_bot(engine, settings: Settings):
    bot = make_bot(engine, settings)
    yield bot
    bot.services.close()


@pytest.fixture
def channel(simcord_env):
    """A channel in which people talk."""
    return simcord_env.create_guild().create_text_channel("general")


@pytest.fixture
def ann(simcord_env, channel) -> Member:
    """Someone in it."""
    return Member(simcord_env, channel, "ann")
