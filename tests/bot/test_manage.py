"""Managing the bot in Discord: who may, rebuilds with progress, articles added and removed."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
import simcord

from qabot.articles.formats import FORMATS
from qabot.bot import interactions
from qabot.bot.rebuilds import progress
from qabot.bot.store.records import GuildSettings
from qabot.bot.store.uploads import Uploads
from qabot.errors import RebuildRunningError, StorageError
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild
from qabot.indexing.summary import Progress
from qabot.settings import Settings
from tests.articles.documents import lines, pdf
from tests.bot import support
from tests.bot.support import (
    LAUNCH,
    LAUNCHED,
    Manager,
    Member,
    give,
    labels,
    make_bot,
    shown,
    until,
)
from tests.support import PATIENCE, small_index, write_article
from tests.web.support import build, serving

FAILED = "The articles could not be renewed; they are as they were."
ENDINGS = ", ".join(ending.removeprefix(".") for ending in FORMATS)
MARS = b"---\ntitle: Mars\npublished: 2024-05\n---\n\nMars has *two* moons, @everyone.\n"
ASK_MARS = "How many moons has Mars?"


class Renewal:
    """The bot's rebuild: a real one, that a test can hold up and look into.

    Attributes:
        go: Cleared to hold up rebuilds after they have told their progress.
        fault: Raised instead of rebuilding.
        reports: How often progress is told before that.
        sources: What was rebuilt, in order.
    """

    def __init__(self, engine: Any, cache: Path) -> None:
        self.engine = engine
        self.cache = cache
        self.go = threading.Event()
        self.go.set()
        self.fault: Exception | None = None
        self.reports = 0
        self.sources: list[tuple[str, ...]] = []

    def __call__(
        self, sources: Any, report: Callable[[Progress], None], *, files_only: bool
    ) -> Any:
        # Who rebuilds by hand wants all to be read.
        assert not files_only
        self.sources.append(tuple(sources))
        for number in range(self.reports):
            report(Progress("encoding", number, 500))
        report(Progress("encoding", 41, 100, 1234))
        assert self.go.wait(PATIENCE)
        if self.fault:
            raise self.fault
        store = IndexStore(Path(self.engine.settings.index))
        return rebuild(store, self.engine.encoder, IndexPlan(tuple(sources), self.cache), report)

    def stop(self) -> None:
        self.go.set()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    small_index(tmp_path)
    return Settings(index=str(tmp_path / "index"), threshold=0.0, uploads=str(tmp_path / "uploads"))


@pytest.fixture
def renewal(engine, tmp_path):
    renewal = Renewal(engine, tmp_path)
    yield renewal
    renewal.go.set()


@pytest.fixture
def simcord_bot(engine, settings, renewal):
    bot = make_bot(engine, settings, renewal)
    yield bot
    bot.services.close()


def files_in(folder: str) -> list[str]:
    """All files in a folder, hidden ones too."""
    return [path.name for path in Path(folder).rglob("*") if path.is_file()]


@pytest.fixture
def mod(simcord_env, channel) -> Manager:
    return Manager(simcord_env, channel)


# --- Rebuild --------------------------------------------------------------------------------------


async def test_a_rebuild_tells_what_it_did_and_answers_move_to_it(mod, tmp_path, settings):
    write_article(tmp_path / "articles", "mars", "Mars has two moons.", title="Mars")
    (tmp_path / "articles" / "broken.md").write_bytes(b"\0\0")
    result = await mod.use("rebuild")
    assert not result.ephemeral
    lines = shown(result.response).split("\n")
    assert lines[0] == "The articles are renewed"
    for line in (
        "**Articles:** 3",
        "**Generation:** 2",
        "**New passages:** 1",
        "**Articles removed:** 0",
        "1 document was left out:",
    ):
        assert line in lines
    assert "broken.md" in lines[-1]
    assert str(tmp_path) not in lines[-1]
    assert "Mars has two moons." in shown((await mod.ask(ASK_MARS)).response)
    again = await mod.use("rebuild")
    assert shown(again.response).startswith("Nothing has changed in the articles\n")


async def test_many_failures_fit_a_message(mod, tmp_path):
    for number in range(300):
        (tmp_path / "articles" / f"broken-{number}-{'_' * 150}.md").write_bytes(b"\0\0")
    text = shown((await mod.use("rebuild")).response)
    assert "300 documents were left out:" in text


async def test_what_is_kept_for_want_of_its_server_is_told_apart(mod, tmp_path, settings):
    with serving() as site:
        address = site.put_story("/bridge", "The bridge")
        await asyncio.to_thread(build, Path(settings.index), tmp_path / "articles", address)
    (tmp_path / "articles" / "broken.md").write_bytes(b"\0\0")
    lines = shown((await mod.use("rebuild")).response).split("\n")
    # Addresses of this machine are refused, unless they are allowed.
    assert "1 document was left out:" in lines
    kept = lines.index("1 address could not be read; what it held is kept:")
    shown_address = address.replace("http:", r"http\:")
    assert lines[kept + 1].startswith(f"- {shown_address}: is in a private network")
    assert kept + 2 == len(lines)


async def test_progress_shows_while_fifty_questions_are_answered(mod, channel, tmp_path, renewal):
    write_article(tmp_path / "articles", "mars", "Mars has two moons.", title="Mars")
    people = [Member(mod.env, channel, f"person{number}") for number in range(10)]
    renewal.go.clear()
    first = begin(mod, "rebuild")
    await until(lambda: "41%" in shown(first.response))
    assert shown(first.response) == (
        "The articles are being renewed\n"
        "**Encoding passages**\n"
        "▰▰▰▰▰▱▱▱▱▱▱▱ 41%\n"
        "1,234 passages so far\n"
        "Questions are answered meanwhile."
    )
    asked = [begin(person, "ask", question=LAUNCH) for person in people for _ in range(5)]
    second = begin(mod, "rebuild")
    await until(lambda: all(LAUNCHED in shown(result.response) for result in asked))
    await until(lambda: second.response)
    assert second.ephemeral
    assert shown(second.response) == (
        "The articles are being renewed already: Encoding passages, 41%. Please wait until then."
    )
    assert "41%" in shown(first.response)
    # Again while the index is replaced, and by itself from the new one afterwards.
    asked = [begin(person, "ask", question=LAUNCH) for person in people for _ in range(5)]
    renewal.go.set()
    await until(lambda: all(LAUNCHED in shown(result.response) for result in asked))
    await until(lambda: "The articles are renewed" in shown(first.response))
    assert len(renewal.sources) == 1
    assert "Mars has two moons." in shown((await mod.ask(ASK_MARS)).response)


async def test_a_rebuild_of_hours_still_tells_its_end(mod, renewal, monkeypatch):
    # Discord lets an interaction's message be changed for 15 minutes only.
    monkeypatch.setattr(
        discord.Interaction, "is_expired", lambda interaction: bool(renewal.sources)
    )
    result = await mod.use("rebuild")
    assert "Nothing has changed" in shown(mod.channel.last_message)
    ways = [request.path for request in mod.env.http_requests if request.method == "PATCH"]
    assert ways[-1] == f"/channels/{mod.channel.id}/messages/{result.response.id}"


async def test_progress_is_shown_at_a_polite_rate(mod, renewal, monkeypatch):
    renewal.reports = 500
    await mod.use("rebuild")
    edits = [request for request in mod.env.http_requests if request.path.endswith("/@original")]
    # That it starts, the first progress, the result; none of the others came so late.
    assert len(edits) == 3
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_EDITS", 0.0)
    await mod.use("rebuild")
    assert "Nothing has changed" in shown(mod.channel.last_message)


async def test_a_rebuild_elsewhere_or_a_full_disk_is_told(mod, renewal):
    renewal.fault = RebuildRunningError("index: another rebuild is running; wait for it to end")
    result = await mod.use("rebuild")
    assert shown(result.response) == (
        "The articles are being renewed already. Please wait until then."
    )
    renewal.fault = StorageError("index: the index cannot be written (No space left)")
    result = await mod.use("rebuild")
    assert shown(result.response) == FAILED
    # Only whoever may mend it reads what is wrong, and where.
    (told,) = result.followups
    assert told.ephemeral
    assert shown(told) == "⚠️ index: the index cannot be written (No space left)"
    renewal.fault = ZeroDivisionError("secret detail")
    result = await mod.use("rebuild")
    assert (shown(result.response), result.followups) == (FAILED, [])
    # None of them keeps the next from running.
    renewal.fault = None
    assert "Nothing has changed" in shown((await mod.use("rebuild")).response)


class TestNotOffered:
    @pytest.fixture
    def renewal(self):
        return None

    async def test_where_rebuilds_are_not_offered_that_is_said(self, mod):
        result = await mod.use("rebuild")
        assert (result.ephemeral, shown(result.response)) == (
            True,
            "The articles cannot be renewed from Discord.",
        )
        result = await mod.use("add", file=("mars.md", MARS))
        assert shown(result.response) == "Articles cannot be added from Discord."


# --- Add and remove -------------------------------------------------------------------------------


async def test_an_article_is_added_after_a_preview(mod, settings, renewal):
    result = await mod.use("add", file=("Über-Mars.md", MARS))
    assert result.ephemeral
    assert shown(result.response) == (
        "Add this article?\n"
        "**Mars**\n"
        "Über-Mars · May 2024 · English · 30 characters\n\n"
        "> Mars has two moons, @\u200beveryone.\n"
        "Add\n"
        "Cancel"
    )
    assert "Mars has" not in shown((await mod.ask(ASK_MARS)).response)  # Not in the index yet.
    await mod.click(result.response, "Add")
    assert shown(result.response).startswith("The articles are renewed\n**Articles:** 3\n")
    assert (Path(settings.uploads) / "Über-Mars.md").read_bytes() == MARS
    assert renewal.sources[-1][-1] == settings.uploads
    answer = shown((await mod.ask(ASK_MARS)).response)
    assert "two moons, @\u200beveryone." in answer
    # A second press finds nothing to add.
    assert labels(result.response) == []


async def test_an_added_article_replaces_the_one_of_its_name_and_is_there_after_a_restart(
    mod, engine, settings, renewal
):
    first = await mod.use("add", file=("mars.md", MARS))
    await mod.click(first.response, "Add")
    second = await mod.use("add", file=("mars.md", MARS.replace(b"two", b"2")))
    assert shown(second.response).startswith("Replace the article in mars.md by this one?\n")
    assert "I keep the version that it replaces." in shown(second.response)
    bot = make_bot(engine, settings, renewal)
    await mod.env.restart_bot(bot)
    await mod.click(second.response, "Add")
    assert "**Articles:** 3" in shown(second.response)
    [kept] = (Path(settings.uploads) / ".removed").iterdir()
    assert kept.read_bytes() == MARS
    assert "Mars has 2 moons" in shown((await mod.ask(ASK_MARS)).response)
    bot.services.close()


async def test_of_two_managers_on_one_name_the_second_is_told(mod, channel, settings):
    other = Manager(mod.env, channel, "other")
    mine = await mod.use("add", file=("mars.md", MARS))
    theirs = await other.use("add", file=("mars.md", MARS.replace(b"two", b"2")))
    await mod.click(mine.response, "Add")
    await other.click(theirs.response, "Add")
    assert shown(theirs.response) == (
        "Somebody else has changed mars.md since. Please begin again."
    )
    assert (Path(settings.uploads) / "mars.md").read_bytes() == MARS


async def test_what_is_cancelled_leaves_nothing(mod, settings, renewal):
    result = await mod.use("add", file=("mars.md", MARS))
    await mod.click(result.response, "Cancel")
    assert shown(result.response) == "Nothing was changed."
    assert files_in(settings.uploads) == []
    assert renewal.sources == []


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        (
            "mars.exe",
            b"MZ",
            f"I can read files that end in {ENDINGS}; this one is called mars.exe.",
        ),
        ("mars", b"text", f"I can read files that end in {ENDINGS}; this one is called mars."),
        ("mars.pdf", MARS, "I cannot read this file as an article: not a PDF document"),
        ("mars.md", b"", "The file is empty."),
        ("mars.txt", b"x" * (10 * 2**20 + 1), "The file has 11 MiB; I take 10 at most."),
        ("mars.md", b"\0\0\0", "I cannot read this file as an article:"),
    ],
)
async def test_a_file_that_is_no_article_is_refused(mod, settings, name, data, problem):
    result = await mod.use("add", file=(name, data))
    assert result.ephemeral
    assert shown(result.response).startswith(problem)
    assert labels(result.response) == []
    assert files_in(settings.uploads) == []


async def test_a_document_is_added_and_quoted_with_its_page(mod):
    data = pdf(lines("Phobos is near."), lines("Mars has two moons."), info={"Title": "Moons"})
    result = await mod.use("add", file=("moons.pdf", data))
    assert "Phobos is near." in shown(result.response)
    await mod.click(result.response, "Add")
    answer = shown((await mod.ask(ASK_MARS)).response)
    assert "· page 2 · " in answer
    assert "> **Mars has two moons.**" in answer


def _shows_moons(preview: Any) -> bool:
    return "Mars has two moons" in shown(preview.response)


async def test_previews_that_take_long_hold_nobody_else_up(mod, ann, settings):
    # To read the file that is to be replaced, a preview waits for someone who writes it.
    slow = Path(settings.uploads) / "mars.md"
    slow.parent.mkdir()
    os.mkfifo(slow)
    previews = [
        support.begin(mod.env, mod.actor, mod.channel, "add", file=("mars.md", MARS))
        for _ in range(8)
    ]
    try:
        await until(lambda: len(files_in(settings.uploads)) >= 2)
        listed = begin(ann, "articles")
        await until(lambda: "**telescope**" in shown(listed.response))
    finally:
        waiting = os.open(slow, os.O_RDWR)
        slow.unlink()
        os.close(waiting)
    for preview in previews:
        await until(partial(_shows_moons, preview))


async def test_a_file_that_discord_does_not_give_is_told(mod, monkeypatch):
    monkeypatch.setattr(mod.env.backend.cdn, "get", lambda url: None)
    result = await mod.use("add", file=("mars.md", MARS))
    assert shown(result.response) == "Discord did not give me the file. Try again."


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("mars.md", "mars.md"),
        ("../../etc/mars.md", "mars.md"),
        ("..\\..\\mars.md", "mars.md"),
        (".hidden.md", "hidden-169241.md"),
        ("....md", "article-ab5df6.md"),
        ("木星.TXT", "木星.txt"),
        ("a" * 200 + ".md", "a" * 80 + "-c2a908.md"),
        ("a b;rm -rf $x.md", "a-b-rm-rf-x-f165b1.md"),
    ],
)
def test_a_file_stays_in_its_folder_whatever_its_name(tmp_path, name, kept):
    uploads = Uploads(tmp_path / "uploads")
    waiting = uploads.put_aside(name, MARS)
    assert uploads.confirm(waiting.token) == kept
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [Path("uploads") / kept]


async def test_two_names_never_become_one(mod, settings):
    for name, moons in (("mars one.md", b"two"), ("mars-one.md", b"2"), ("mars_one.md", b"II")):
        offered = await mod.use("add", file=(name, MARS.replace(b"two", moons)))
        assert shown(offered.response).startswith("Add this article?")
        await mod.click(offered.response, "Add")
    assert sorted(name for name in files_in(settings.uploads) if name[0] != ".") == [
        "mars-one-4a619a.md",
        "mars-one.md",
        "mars_one.md",
    ]
    again = await mod.use("add", file=("mars one.md", MARS))
    assert shown(again.response).startswith("Replace the article in mars-one-")


@pytest.mark.parametrize("token", ["../../etc/passwd", "", "x" * 16, ".", "a/b"])
def test_a_made_up_token_finds_nothing(tmp_path, token):
    uploads = Uploads(tmp_path / "uploads")
    waiting = uploads.put_aside("mars.md", MARS)
    assert uploads.confirm(token) is None
    uploads.drop(token)
    assert uploads.confirm(waiting.token) == "mars.md"


async def test_an_added_article_can_be_removed(mod, settings):
    added = await mod.use("add", file=("mars.md", MARS))
    await mod.click(added.response, "Add")
    choices = await mod.actor.autocomplete(mod.channel, "remove", "article", "")
    assert choices == [{"name": "Mars", "value": "mars"}]
    result = await mod.use("remove", article="mars")
    assert result.ephemeral
    assert shown(result.response) == (
        "Remove this article?\n**Mars**\nmars · May 2024 · English\nRemove\nCancel"
    )
    await mod.click(result.response, "Remove")
    assert "**Articles removed:** 1" in shown(result.response)
    assert "Mars has" not in shown((await mod.ask(ASK_MARS)).response)
    # Nothing is lost by a wrong click.
    [kept] = (Path(settings.uploads) / ".removed").iterdir()
    assert kept.read_bytes() == MARS


async def test_articles_that_were_not_added_in_discord_stay(mod, tmp_path):
    before = sorted((tmp_path / "articles").iterdir())
    for name in ("telescope", "nothing like it"):
        result = await mod.use("remove", article=name)
        assert (result.ephemeral, shown(result.response)) == (
            True,
            "No such article was added in Discord. Whoever runs me removes the others.",
        )
    assert await mod.actor.autocomplete(mod.channel, "remove", "article", "") == []
    assert sorted((tmp_path / "articles").iterdir()) == before


# --- Who may --------------------------------------------------------------------------------------

REFUSED = (
    "For that you need the permission “Manage Server”, or the role that the server has named in "
    "`/settings`."
)


def allow_all(member: Member) -> None:
    """Let Discord show the commands to someone, as administrators of a server can."""
    guild = member.channel.guild
    for name in ("rebuild", "add", "remove", "settings"):
        command = member.env.backend.find_command(name, guild.id, type=1)
        assert command is not None
        guild.set_command_permissions(int(command["id"]), {member.actor: True})


async def test_those_without_the_permission_are_refused_by_the_bot_itself(ann, settings, renewal):
    allow_all(ann)
    for command, options in (
        ("rebuild", {}),
        ("settings", {}),
        ("add", {"file": ("mars.md", MARS)}),
        ("remove", {"article": "telescope"}),
    ):
        result = await ann.actor.slash(ann.channel, command, **options)
        assert (result.ephemeral, shown(result.response)) == (True, REFUSED)
    assert renewal.sources == []
    assert files_in(settings.uploads) == []


async def test_discord_does_not_offer_them_the_commands(ann):
    assert not {"rebuild", "add", "remove", "settings"} & set(
        ann.actor.available_commands(ann.channel)
    )


async def test_a_named_role_may_manage_in_its_own_server_only(ann, mod, simcord_bot):
    role = ann.channel.guild.create_role("Editors")
    give(ann, role)
    allow_all(ann)
    settings = GuildSettings(role_id=role.id)
    await simcord_bot.services.guild_settings.save(ann.channel.guild.id, settings)
    result = await ann.actor.slash(ann.channel, "rebuild")
    assert shown(result.response).startswith("Nothing has changed")
    elsewhere = ann.env.create_guild("Another").create_text_channel("general")
    bob = Member(ann.env, elsewhere, "bob")
    allow_all(bob)
    assert shown((await bob.actor.slash(elsewhere, "rebuild")).response) == REFUSED


async def test_whoever_lost_the_permission_cannot_confirm_any_more(mod, settings, renewal):
    result = await mod.use("add", file=("mars.md", MARS))
    allow_all(mod)
    mod.env.backend.remove_member_role(mod.channel.guild.id, mod.actor.id, mod.role.id)
    pressed = await mod.click(result.response, "Add")
    assert shown(pressed.response) == REFUSED
    assert not (Path(settings.uploads) / "mars.md").exists()
    assert renewal.sources == []


async def test_what_became_of_the_file_is_said_if_the_rebuild_fails(mod, settings, renewal):
    added = await mod.use("add", file=("mars.md", MARS))
    renewal.fault = StorageError("index: the index cannot be written (No space left)")
    await mod.click(added.response, "Add")
    assert (
        shown(added.response) == f"{FAILED}\nThe file is kept; `/rebuild` puts it into the answers."
    )
    renewal.fault = None
    assert "**Articles:** 3" in shown((await mod.use("rebuild")).response)
    removed = await mod.use("remove", article="mars")
    renewal.fault = StorageError("index: the index cannot be written (No space left)")
    await mod.click(removed.response, "Remove")
    assert shown(removed.response).endswith(
        "The file is removed; `/rebuild` takes it out of the answers."
    )
    # Both can be done again.
    removed = await mod.use("remove", article="mars")
    renewal.fault = None
    await mod.click(removed.response, "Remove")
    assert "**Articles:** 2" in shown(removed.response)
    renewal.fault = StorageError("index: the index cannot be written (No space left)")
    for _ in range(2):
        added = await mod.use("add", file=("mars.md", MARS))
        await mod.click(added.response, "Add")
        renewal.fault = None
    assert "**Articles:** 3" in shown(added.response)


async def test_a_connection_that_drops_during_progress_spoils_nothing(mod, renewal, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_EDITS", 0.0)
    monkeypatch.setattr(interactions, "_SECONDS_BETWEEN", (0.0, 0.0))
    real = discord.Interaction.edit_original_response
    calls = []

    async def edit(interaction, **options):
        calls.append(options)
        if len(calls) in (2, 3):
            raise aiohttp.ClientOSError("connection reset")
        return await real(interaction, **options)

    monkeypatch.setattr(discord.Interaction, "edit_original_response", edit)
    result = await mod.use("rebuild")
    assert shown(result.response).startswith("Nothing has changed")


@pytest.mark.parametrize("takes_messages", [True, False])
async def test_a_private_rebuild_of_hours_goes_on_in_a_direct_message_or_the_channel(
    mod, channel, renewal, monkeypatch, takes_messages
):
    added = await mod.use("add", file=("mars.md", MARS))
    monkeypatch.setattr(
        discord.Interaction, "is_expired", lambda interaction: bool(renewal.sources)
    )
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_EDITS", 0.0)
    if not takes_messages:
        mod.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    await mod.click(added.response, "Add")
    place = mod.actor.user.dm_channel if takes_messages else channel
    [sent] = [
        request.json["embeds"][0]["title"]
        for request in mod.env.http_requests
        if (request.method, request.path) == ("POST", f"/channels/{place.id}/messages")
    ]
    assert sent == "The articles are being renewed"
    assert shown(place.history()[-1]).startswith("The articles are renewed\n")


async def test_only_the_first_server_may_change_the_articles(mod, renewal):
    elsewhere = mod.env.create_guild("Another").create_text_channel("general")
    stranger = Manager(mod.env, elsewhere, "stranger")
    result = await stranger.use("rebuild")
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "The articles are not managed from this server.",
    )
    assert renewal.sources == []


class TestHomeGuilds:
    @pytest.fixture
    def settings(self, index):
        return Settings(index=str(index), threshold=0.0, home_guilds=(1,))

    async def test_only_named_servers_may_change_the_articles(self, mod, renewal):
        result = await mod.use("rebuild")
        assert (result.ephemeral, shown(result.response)) == (
            True,
            "The articles are not managed from this server.",
        )
        assert renewal.sources == []
        # Its own settings are every server's business.
        assert "Settings of this server" in shown((await mod.use("settings")).response)


# --- Acting while a rebuild is held up ------------------------------------------------------------


def begin(member: Member, command: str, **options: Any) -> simcord.InteractionResult:
    """Use a command without waiting for the bot to finish."""
    from simcord import interactions

    backend = member.env.backend
    guild_id = member.channel.guild.id
    root = backend.find_command(command, guild_id, type=1)
    assert root is not None
    given = [{"name": name, "type": 3, "value": value} for name, value in options.items()]
    record, payload = interactions.base_payload(
        backend,
        type=2,
        channel_id=member.channel.id,
        guild_id=guild_id,
        user_id=member.actor.id,
        data={"id": root["id"], "name": command, "type": 1, "options": given},
    )
    backend.emit("INTERACTION_CREATE", payload)
    return simcord.InteractionResult(member.env, record)
