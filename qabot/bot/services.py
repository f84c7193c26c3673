"""The parts that the bot's commands, buttons and listeners work with, in one frozen value."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qabot.bot.answers import Answering
from qabot.bot.article_list import Catalogue
from qabot.bot.locales import Locales
from qabot.bot.people import People
from qabot.bot.rebuilds.automatic import AutomaticRebuilds
from qabot.bot.rebuilds.runner import Rebuild, RebuildRunner
from qabot.bot.store.guild_settings import Guilds
from qabot.bot.store.state import State, state_path
from qabot.bot.store.uploads import Uploads
from qabot.bot.threads import run_in
from qabot.settings import Settings

if TYPE_CHECKING:
    import discord

    from qabot.answering.engine import Engine


# More previews at once wait for each other.
_SLOW_THREADS = 2

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that a command or button may need.

    Attributes:
        engine: Answers questions; the caller of ``create_bot`` owns and closes it.
        settings: The settings the bot was started with.
        state: Answers, feedback and guild settings on disk.
        guild_settings: Guild settings in memory; read and write them here, not in ``state``.
        answering: Takes questions and sends answers.
        catalogue: The articles, for lists and completion.
        locales: The language last seen of each person.
        people: The names of people.
        uploads: The articles that were added in Discord.
        rebuilds: Runs rebuilds, one at a time.
        automatic: Starts rebuilds without being asked.
        slow: Threads for what takes seconds, so that buttons never wait for it.
    """

    engine: Engine
    settings: Settings
    state: State
    guild_settings: Guilds
    answering: Answering
    catalogue: Catalogue
    locales: Locales
    people: People
    uploads: Uploads
    rebuilds: RebuildRunner
    automatic: AutomaticRebuilds
    slow: ThreadPoolExecutor

    @classmethod
    def open(cls, engine: Engine, settings: Settings, rebuild: Rebuild | None) -> Services:
        """Open the state file beside the index and make every part.

        Args:
            rebuild: Brings the index up to date; ``None`` if Discord may not ask for that.

        Raises:
            StateError: The state file is damaged or cannot be written.
        """
        state = State(state_path(settings.index))
        guild_settings = Guilds(state, settings.own_shards)
        uploads = Uploads(Path(settings.uploads))
        rebuilds = RebuildRunner(rebuild, engine, uploads)
        return cls(
            engine=engine,
            settings=settings,
            state=state,
            guild_settings=guild_settings,
            answering=Answering(engine, state, guild_settings, settings),
            catalogue=Catalogue(engine),
            locales=Locales(),
            people=People(),
            uploads=uploads,
            rebuilds=rebuilds,
            automatic=AutomaticRebuilds(rebuilds, engine, settings),
            slow=ThreadPoolExecutor(_SLOW_THREADS, "qabot-slow"),
        )

    async def slowly(self, work: Callable[[], _T]) -> _T:
        """Do work that may take seconds, in a thread that nothing quick needs."""
        return await run_in(self.slow, work)

    def close(self) -> None:
        """Let go of the threads and the state file."""
        self.answering.close()
        self.rebuilds.close()
        self.slow.shutdown(wait=False, cancel_futures=True)
        self.state.close()


def services_of(interaction: discord.Interaction[Any]) -> Services:
    """Return the services of the bot that received ``interaction``."""
    services: Services = interaction.client.services
    return services
