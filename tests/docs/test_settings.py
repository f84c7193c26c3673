"""The documentation lists every setting with its default."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import pytest

from qabot.errors import SettingsError
from qabot.settings import Settings, load_settings
from tests.docs.support import PAGES, blocks, code, name_of, page, rows

LISTED = {code(name)[0]: default for name, default, _ in rows(page("settings"), "setting")}


def as_in_toml(settings: Settings) -> dict[str, Any]:
    """The settings by name, with lists where TOML has lists."""
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(settings))
    return values


def test_every_setting_is_listed_with_its_default():
    defaults = as_in_toml(Settings())
    assert set(LISTED) == set(defaults)
    for name, cell in LISTED.items():
        value = tomllib.loads(f"value = {code(cell)[0]}")["value"] if code(cell) else None
        assert (name, value, type(value)) == (name, defaults[name], type(defaults[name]))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_settings_files_are_such_as_qabot_takes(path, tmp_path):
    for number, block in enumerate(blocks(path.read_text("utf-8"), "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, "utf-8")
        settings = load_settings(file=file, environment={})
        assert as_in_toml(settings) == {**as_in_toml(settings), **tomllib.loads(block)}


def test_collections_are_in_the_file_only():
    assert "`collections` exists in the file only" in page("settings")
    with pytest.raises(SettingsError, match="QABOT_COLLECTIONS"):
        load_settings(environment={"QABOT_COLLECTIONS": "news"})
