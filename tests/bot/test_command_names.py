"""The commands as Discord is told of them: names, descriptions, permissions, in five languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import regex

from qabot.articles.formats import FORMATS

# Discord's own pattern for the names of slash commands and their options.
NAME = regex.compile(r"[-_'\p{L}\p{N}]{1,32}")
LOCALES = ("de", "fr", "es-ES", "es-419", "ja")
MANAGE = {"rebuild", "add", "remove", "settings", "unanswered"}
MANAGE_GUILD = 1 << 5


@pytest.fixture
def registered(simcord_env) -> list[dict[str, Any]]:
    """The commands that the bot registered when it started."""
    found: list[list[dict[str, Any]]] = [
        request.json
        for request in simcord_env.http_requests
        if (request.method, request.path.rpartition("/")[2]) == ("PUT", "commands")
    ]
    [commands] = found
    return commands


def slash_parts(commands: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Commands, then each command's options: names must differ within each list."""
    slash = [command for command in commands if command["type"] == 1]
    yield slash
    for command in slash:
        yield command.get("options", [])


def test_names_are_as_discord_wants_them_and_differ(registered):
    for parts in slash_parts(registered):
        for locale in LOCALES:
            names = [part["name_localizations"][locale] for part in parts]
            assert len(set(names)) == len(names)
            for name in [*names, *(part["name"] for part in parts)]:
                assert NAME.fullmatch(name), name
                assert name == name.lower()


def test_descriptions_fit_and_are_translated(registered):
    for parts in slash_parts(registered):
        for part in parts:
            for locale in LOCALES:
                text = part["description_localizations"][locale]
                assert 1 <= len(text) <= 100
                assert text != part["description"]


def test_what_is_taken_as_a_file_is_said(registered):
    [add] = [command for command in registered if command["name"] == "add"]
    words = regex.findall(r"\w+", add["options"][0]["description"].lower())
    assert "notebook" in words
    for file_format in set(FORMATS.values()):
        endings = [ending[1:] for ending, known in FORMATS.items() if known == file_format]
        assert {file_format, *endings} & set(words), file_format


def test_the_message_menu_fits_in_every_language(registered):
    [menu] = [command for command in registered if command["type"] == 3]
    names = [menu["name"], *(menu["name_localizations"][locale] for locale in LOCALES)]
    assert all(1 <= len(name) <= 32 for name in names)
    assert len(set(names)) == 5


def test_only_those_who_manage_the_server_see_what_manages_the_bot(registered):
    for command in registered:
        manages = command["name"] in MANAGE
        assert command["default_member_permissions"] == (MANAGE_GUILD if manages else None)
    assert {command["name"] for command in registered} >= MANAGE
