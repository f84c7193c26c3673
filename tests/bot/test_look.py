"""Looking around: lists of articles, their texts, the index and the help."""

from __future__ import annotations

import re

import pytest

from qabot.settings import Settings
from tests.bot.support import Manager, components, labels, shown
from tests.support import build_index, write_article

MENU = "📄 Read the article …"
LONG = "\n\n".join(f"Paragraph {number} of a long article." for number in range(400))


@pytest.fixture
def settings(tmp_path) -> Settings:
    # Folders above the files are not what people look for: filters find nothing in their names.
    folder = tmp_path / "note 17"
    for number in range(1, 31):
        write_article(folder, f"note-{number:02}", f"Note number {number}.", title=f"Note {number}")
    write_article(folder, "mond.de", "Der Mond ist rund.", title="Der Mond", language="de")
    write_article(folder, "long", LONG, title="A long one", published="2024-05")
    build_index(tmp_path / "index", folder)
    return Settings(index=str(tmp_path / "index"), threshold=0.0)


async def test_articles_are_listed_in_pages_in_private(ann, channel):
    result = await ann.actor.slash(channel, "articles")
    assert result.ephemeral
    listed = re.findall(r"\*\*(.+)\*\*", shown(result.response))
    assert labels(result.response) == [MENU, "Next page ▸"]
    for _ in range(2):
        await ann.click(result.response, "Next page")
        listed += re.findall(r"\*\*(.+)\*\*", shown(result.response))
    assert labels(result.response) == [MENU, "◂ Previous page"]
    assert sorted(listed) == sorted(
        ["Der Mond", "A long one", *(f"Note {n}" for n in range(1, 31))]
    )


async def test_titles_open_their_articles(ann, channel):
    result = await ann.actor.slash(channel, "articles", filter="Mond")
    # The id would look like a web site.
    assert shown(result.response) == (f"Articles: Mond\n**Der Mond**\nGerman · 1 passage\n{MENU}")
    [menu] = components(result.response)
    [option] = menu["options"]
    assert option["label"] == "Der Mond"
    read = await ann.actor.select(result.response, [option["value"]], custom_id=menu["custom_id"])
    assert read.ephemeral
    assert shown(read.response) == "Der Mond\nin German\n\n> Der Mond ist rund."


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("note 17", ["Note 17"]),
        ("MOND", ["Der Mond"]),
        ("german", ["Der Mond"]),
        ("long", ["A long one"]),
        ("nothing like it", []),
    ],
)
async def test_articles_are_filtered(ann, channel, words, found):
    result = await ann.actor.slash(channel, "articles", filter=words)
    text = shown(result.response)
    assert re.findall(r"\*\*(.+)\*\*", text) == found
    assert found or "There is no such article." in text


async def test_filtered_pages_stay_filtered(ann, channel):
    result = await ann.actor.slash(channel, "articles", filter="note")
    await ann.click(result.response, "Next page")
    await ann.click(result.response, "Next page")
    assert len(re.findall(r"\*\*Note \d+\*\*", shown(result.response))) == 6


async def test_titles_are_offered_while_one_types(ann, channel):
    choices = await ann.actor.autocomplete(channel, "show", "article", "mon")
    assert choices == [{"name": "Der Mond", "value": "mond.de"}]
    assert len(await ann.actor.autocomplete(channel, "show", "article", "")) == 25
    choices = await ann.actor.autocomplete(channel, "articles", "filter", "long")
    assert choices == [{"name": "A long one", "value": "A long one"}]


class TestOddNames:
    """Articles whose titles or ids are longer than Discord's choices, or show nothing."""

    @pytest.fixture
    def settings(self, tmp_path):
        folder = tmp_path / "odd"
        write_article(folder, "a" * 150, "The first odd one.", title="Odd " + "title " * 40)
        write_article(folder, "a" * 149 + "b", "The second odd one.", title="Odd two")
        write_article(folder, "blank", "The blank one.", title="\u200b")
        build_index(tmp_path / "index", folder)
        return Settings(index=str(tmp_path / "index"), threshold=0.0)

    async def test_each_suggestion_is_taken(self, ann, channel):
        choices = await ann.actor.autocomplete(channel, "show", "article", "")
        assert len(choices) == 3
        for choice in choices:
            assert 1 <= len(choice["name"]) <= 100
            assert 1 <= len(choice["value"]) <= 100
            result = await ann.actor.slash(channel, "show", article=choice["value"])
            assert " one." in shown(result.response)
        for choice in await ann.actor.autocomplete(channel, "articles", "filter", "odd title"):
            result = await ann.actor.slash(channel, "articles", filter=choice["value"])
            assert "Odd title" in shown(result.response)

    async def test_what_completion_matches_the_command_takes(self, ann, channel):
        result = await ann.actor.slash(channel, "show", article="two odd")
        assert "The second odd one." in shown(result.response)


async def test_an_article_is_shown_whole_in_pages(ann, channel):
    result = await ann.actor.slash(channel, "show", article="long")
    assert result.ephemeral
    assert shown(result.response).startswith(
        "A long one\nas of May 2024 · in English · long\n\n> Paragraph 0 of a long article."
    )
    assert "as of May 2024" in shown(result.response)
    numbers = re.findall(r"Paragraph (\d+)", shown(result.response))
    while "Next page ▸" in labels(result.response):
        await ann.click(result.response, "Next page")
        numbers += re.findall(r"Paragraph (\d+)", shown(result.response))
    assert numbers == [str(number) for number in range(400)]


@pytest.mark.parametrize("name", ["no such thing", "note"])
async def test_an_article_that_none_or_several_fit_is_told(ann, channel, name):
    result = await ann.actor.slash(channel, "show", article=name)
    assert (result.ephemeral, shown(result.response)) == (
        True,
        "There is no such article, or several begin like that.",
    )


async def test_status_tells_people_what_there_is_and_managers_what_made_it(ann, channel, engine):
    result = await ann.actor.slash(channel, "status")
    assert result.ephemeral
    title, articles, languages, built = shown(result.response).splitlines()
    assert (title, articles) == ("Status", "**Articles:** 32")
    assert languages == "**Languages:** English (31), German (1)"
    assert re.fullmatch(r"\*\*Built:\*\* <t:\d+:f> \(<t:\d+:R>\)", built)
    mod = Manager(ann.env, channel)
    lines = shown((await mod.use("status")).response).splitlines()
    assert lines[:4] == [title, articles, languages, built]
    assert lines[4:] == [
        f"**Passages:** {engine.manifest().passages}",
        "**Generation:** 1",
        "**Model:** hashing",
    ]


async def test_status_follows_the_index(ann, channel, tmp_path):
    await ann.actor.slash(channel, "articles")
    write_article(tmp_path / "note 17", "new", "Something new.", title="New")
    build_index(tmp_path / "index", tmp_path / "note 17")
    assert "**Articles:** 33" in shown((await ann.actor.slash(channel, "status")).response)
    result = await ann.actor.slash(channel, "articles", filter="new")
    assert "**New**" in shown(result.response)


async def test_help_names_every_way_to_ask(ann, channel):
    result = await ann.actor.slash(channel, "help")
    assert result.ephemeral
    text = shown(result.response)
    for way in ("`/ask`", "mention me", "Ask the articles about this", "`/forget-me`"):
        assert way in text


async def test_an_engine_that_fails_is_told_of(ann, channel, settings, engine, monkeypatch):
    def broken(*arguments):
        raise OSError("the disk is gone")

    monkeypatch.setattr(engine, "manifest", broken)
    for command in ("status", "articles"):
        result = await ann.actor.slash(channel, command)
        assert (result.ephemeral, shown(result.response)) == (
            True,
            "Something went wrong on my side. Please ask again later.",
        )
