"""The bot that rebuilds by itself, in real processes with the packaged model."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path

import pytest

from qabot.answering.engine import Engine
from qabot.bot.rebuilds import automatic
from qabot.bot.rebuilds.automatic import Schedule
from qabot.index import IndexStore
from qabot.indexing.subprocess import RebuildProcess
from qabot.settings import Settings
from tests.bot.support import Manager, Member, begin, make_bot, shown, until
from tests.support import write_article
from tests.web.support import serving

pytestmark = pytest.mark.slow

ASK_MARS = "How many moons has Mars?"
MARS = "Mars has two moons."
CHANGES = "**Next rebuild:** when the articles change"


def process(real_index) -> RebuildProcess:
    return RebuildProcess("index", "multilingual-e5-small", str(real_index.cache))


@pytest.fixture(scope="module")
def template(real_index, tmp_path_factory) -> Path:
    """An index of the folder ``articles`` beside it, named as seen from there."""
    folder: Path = tmp_path_factory.mktemp("template")
    shutil.copytree(real_index.folder, folder / "index")
    shutil.copytree(real_index.articles, folder / "articles")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        process(real_index)(["articles"], print)
    return folder


@pytest.fixture
def options() -> dict[str, object]:
    """The settings that a test is about."""
    return {"watch": True}


@pytest.fixture
def settings(template, tmp_path, monkeypatch, real_index, options) -> Settings:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    cache = str(real_index.cache)
    return Settings(index="index", cache=cache, reader="none", threshold=0.0, **options)


@pytest.fixture
def engine(settings):
    with Engine.open(settings=settings) as engine:
        yield engine


@pytest.fixture
def rebuilding(real_index) -> RebuildProcess:
    return process(real_index)


@pytest.fixture
def simcord_bot(engine, settings, rebuilding, caplog):
    caplog.set_level(logging.INFO, "qabot")
    return make_bot(engine, settings, rebuilding)


@pytest.fixture
async def mod(simcord_env, channel, settings):
    """A manager, once the rebuild at the start has ended."""
    bot = simcord_env.bot
    if settings.watch or settings.rebuild_every:
        await until(lambda: bot.services.automatic.schedule != Schedule())
    yield Manager(simcord_env, channel)
    await simcord_env.bot.close()


async def status(person: Member) -> list[str]:
    """The lines of ``/status`` on rebuilds, without the times."""
    result = begin(person.env, person.actor, person.channel, "status")
    await until(lambda: "Articles" in shown(result.response))
    assert result.ephemeral
    lines = shown(result.response).splitlines()
    return [re.sub(r"<t:\d+:R>", "WHEN", line) for line in lines if " rebuild:**" in line]


def move(before: str, after: str) -> None:
    Path(before).rename(after)


def put(name: str, text: str) -> None:
    """Add an article in one step: two that a busy machine draws apart are two reasons."""
    write_article(Path("coming", name).parent, Path(name).name, text)
    move(f"coming/{name}.md", f"articles/{name}.md")


def write(path: str, text: str) -> None:
    Path(path).write_text(text, "utf-8")


def remove(path: str) -> None:
    Path(path).unlink()


def generation() -> int:
    return IndexStore(Path("index")).current()


def logged(caplog, *words: str) -> list[str]:
    """The log since the first rebuild: lines with one of these words."""
    messages = [record.getMessage() for record in caplog.records]
    return [message for message in messages if any(word in message for word in words)]


class TestBoth:
    @pytest.fixture
    def options(self):
        return {"watch": True, "rebuild_every": "30d"}

    async def test_changed_files_are_answered_from_without_anyone_asking(self, mod, ann, caplog):
        due = "**Next rebuild:** when the articles change, at the latest WHEN"
        assert await status(ann) == [
            "**Last rebuild:** WHEN, by myself: nothing had changed",
            due,
        ]
        put("mars", MARS)
        await until(lambda: logged(caplog, "rebuilt"))
        assert MARS in shown((await ann.ask(ASK_MARS)).response)
        assert await status(ann) == [
            "**Last rebuild:** WHEN, by myself: the articles were renewed",
            due,
        ]
        assert logged(caplog, "rebuilt") == [
            "rebuilt (changed: articles/mars.md): generation 3, 5 articles"
        ]


class TestInterval:
    @pytest.fixture
    def options(self):
        return {"rebuild_every": "2s"}

    async def test_what_changed_is_found_when_the_interval_has_passed(self, mod, caplog):
        put("mars", MARS)
        await until(lambda: generation() == 3)
        await until(lambda: logged(caplog, "generation 3"))
        assert set(logged(caplog, "rebuilt")) <= {
            "rebuilt (the interval has passed): nothing new, 4 articles",
            "rebuilt (the interval has passed): generation 3, 5 articles",
            "rebuilt (the interval has passed): nothing new, 5 articles",
        }


class TestNeither:
    @pytest.fixture
    def options(self):
        return {}

    async def test_only_managers_are_told_who_asked_for_a_rebuild(self, mod, ann):
        assert await status(ann) == []
        await mod.actor.slash(mod.channel, "rebuild")
        assert await status(ann) == [
            "**Last rebuild:** WHEN, asked for by a manager: nothing had changed"
        ]
        assert await status(mod) == [
            f"**Last rebuild:** WHEN, asked for by <@{mod.actor.id}>: nothing had changed"
        ]


class TestWeb:
    @pytest.fixture
    def site(self):
        with serving() as running:
            yield running

    @pytest.fixture
    def settings(self, settings, site, monkeypatch, real_index):
        monkeypatch.setenv("QABOT_ALLOW_PRIVATE_ADDRESSES", "true")
        process(real_index)(["articles", site.put_story("/bridge", "The bridge")], print)
        return settings

    async def test_no_server_is_asked_because_a_file_changed(self, mod, caplog, site):
        site.put_story("/bridge", "The new bridge")
        site.forget()
        put("mars", MARS)
        await until(lambda: logged(caplog, "rebuilt"))
        assert logged(caplog, "failed", "rebuilt") == [
            "rebuilt (changed: articles/mars.md): generation 4, 6 articles"
        ]
        assert site.seen == []
        # Whoever asks for a rebuild wants all that is new.
        result = await mod.actor.slash(mod.channel, "rebuild")
        assert shown(result.response).startswith("The articles are renewed\n")
        assert site.seen


async def test_a_rebuild_that_fails_is_told_and_tried_again_at_the_next_change(mod, ann, caplog):
    move("articles", "away")
    await until(lambda: logged(caplog, "failed"))
    assert await status(ann) == [
        "**Last rebuild:** WHEN, by myself: it failed; the articles are as they were",
        CHANGES,
    ]
    missing = "articles: no such file or folder; check the path"
    assert await status(mod) == [
        f"**Last rebuild:** WHEN, by myself: it failed ({missing})",
        CHANGES,
    ]
    write_article(Path("away"), "mars", MARS)
    move("away", "articles")
    await until(lambda: logged(caplog, "rebuilt"))
    assert logged(caplog, "failed", "rebuilt") == [
        f"a rebuild failed: {missing}",
        "rebuilt (changed: articles): generation 3, 5 articles",
    ]


async def test_where_another_process_rebuilds_it_waits(mod, caplog, monkeypatch):
    monkeypatch.setattr(automatic, "SECONDS_BETWEEN_TRIES", 0.2)
    with IndexStore(Path("index")).rebuild():
        put("mars", MARS)
        await until(lambda: logged(caplog, "another process rebuilds"))
        first, _ = await status(mod)
        assert first == "**Last rebuild:** WHEN, by myself: nothing had changed"
    await until(lambda: logged(caplog, "rebuilt"))
    assert logged(caplog, "failed", "rebuilt") == [
        "rebuilt (changed: articles/mars.md): generation 3, 5 articles"
    ]


async def test_the_settings_file_is_heeded_as_it_is_by_then(mod, caplog):
    write_article(Path("coming/drafts"), "mars", MARS)
    move("coming/drafts", "articles/drafts")
    await until(lambda: logged(caplog, "5 articles"))
    write("coming/qabot.toml", 'exclude = ["drafts/"]')
    move("coming/qabot.toml", "qabot.toml")
    await until(lambda: logged(caplog, "qabot.toml"))
    # What is excluded starts a rebuild, and is not read.
    put("drafts/mars", MARS * 2)
    await until(lambda: logged(caplog, "mars.md"))
    put("venus", "Venus has no moon.")
    await until(lambda: logged(caplog, "venus"))
    assert logged(caplog, "failed", "rebuilt")[1:] == [
        "rebuilt (changed: qabot.toml): generation 4, 4 articles",
        "rebuilt (changed: articles/drafts/mars.md): nothing new, 4 articles",
        "rebuilt (changed: articles/venus.md): generation 5, 5 articles",
    ]


async def test_articles_added_in_discord_stay(mod, ann, caplog):
    added = await mod.actor.slash(mod.channel, "add", file=("mars.md", MARS.encode()))
    await mod.click(added.response, "Add")
    assert shown(added.response).startswith("The articles are renewed\n**Articles:** 5\n")
    put("venus", "Venus has no moon.")
    await until(lambda: logged(caplog, "6 articles"))
    assert MARS in shown((await ann.ask(ASK_MARS)).response)


async def test_one_that_runs_is_told_and_ends_with_the_bot(
    mod, ann, caplog, engine, settings, real_index, rebuilding
):
    bot = mod.env.bot
    put("long", "\n\n".join(f"Line {n} is new." for n in range(9000)))
    await until(
        lambda: bot.services.rebuilds.latest and bot.services.rebuilds.latest.stage == "encoding"
    )
    asked = begin(mod.env, mod.actor, mod.channel, "rebuild")
    await until(lambda: "already" in shown(asked.response))
    assert asked.ephemeral
    assert re.fullmatch(
        r"The articles are being renewed already: Encoding passages, \d+%\. "
        r"Please wait until then\.",
        shown(asked.response),
    )
    assert await status(ann) == [
        "**Last rebuild:** WHEN, by myself: nothing had changed",
        "**Next rebuild:** running now",
    ]
    running = rebuilding._command._process.pid
    await bot.close()
    with pytest.raises(ProcessLookupError):
        os.kill(running, 0)
    assert generation() == 2
    assert logged(caplog, "failed", "rebuilt") == []
    # What changed meanwhile is found at the next start.
    remove("articles/long.md")
    put("mars", MARS)
    after = make_bot(engine, settings, process(real_index))
    await mod.env.restart_bot(after)
    await until(lambda: logged(caplog, "rebuilt"))
    assert logged(caplog, "rebuilt") == ["rebuilt (started): generation 3, 5 articles"]
