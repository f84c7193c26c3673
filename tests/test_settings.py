"""Settings: which source wins, and what is said about one that makes no sense."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.errors import SettingsError
from qabot.settings import Settings, load_settings

KNOWN = (
    "known settings: index, sources, collections, exclude, encoder, reader, max_article_mb, "
    "drafts, cache, threads, quotes, threshold, keep, token_file, mcp_token_file, "
    "milvus_token_file, "
    "message_content, shards, shard_ids, watch, rebuild_every, waiting, "
    "user_questions, guild_questions, log_questions, uploads, home_guilds, gone_after, user_agent, "
    "allow_private_addresses, web_pages, web_delay, web_timeout, web_minutes"
)
CORRECT = "correct it or leave it out"


def load(
    folder: Path, *, toml: str | bytes | None = None, flags=None, **variables: str
) -> Settings:
    """The settings with a ``qabot.toml`` and variables, given without ``QABOT_``."""
    if toml is not None:
        content = toml if isinstance(toml, bytes) else toml.encode()
        (folder / "qabot.toml").write_bytes(content)
    environment = {f"QABOT_{name.upper()}": value for name, value in variables.items()}
    return load_settings(flags, environment=environment, folder=folder)


def complaint(folder: Path, **sources) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, **sources)
    assert caught.value.exit_code == 2
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


# --- Which source wins ----------------------------------------------------------------------------


def test_the_defaults(tmp_path):
    assert Settings(
        index="index",
        sources=("seeds",),
        encoder="multilingual-e5-small",
        cache="",
        threads=None,
        quotes=3,
        threshold=0.2,
    ) == load(tmp_path)


def test_the_file_overrides_defaults(tmp_path):
    settings = load(tmp_path, toml='index = "other"\nsources = ["a", "b"]\nthreshold = 0.7')
    assert (
        settings.index,
        settings.sources,
        settings.threshold,
        settings.quotes,
    ) == ("other", ("a", "b"), 0.7, 3)


def test_variables_override_the_file(tmp_path):
    settings = load(tmp_path, toml='index = "file"\nquotes = 5', index="variable", threads="2")
    assert (settings.index, settings.quotes, settings.threads) == ("variable", 5, 2)


def test_rebuilds_by_itself_may_be_set_in_variables_too(tmp_path):
    settings = load(tmp_path, toml="watch = false", watch="true", rebuild_every="15m")
    assert (settings.watch, settings.rebuild_interval) == (True, timedelta(minutes=15))
    assert load(tmp_path).rebuild_interval is None


def test_flags_override_variables(tmp_path):
    settings = load(
        tmp_path,
        toml='index = "file"\nencoder = "file"',
        flags={"index": "flag", "encoder": None, "sources": ("x",)},
        index="variable",
        encoder="variable",
        sources="y",
    )
    assert (settings.index, settings.encoder, settings.sources) == ("flag", "variable", ("x",))


@given(st.data())
def test_the_strongest_source_wins_for_each_field_by_itself(tmp_path_factory, data):
    values = {
        "index": st.sampled_from(["one", "two", "three"]),
        "quotes": st.integers(1, 10),
        "threads": st.integers(1, 64),
    }
    sources = [data.draw(st.fixed_dictionaries({}, optional=values)) for _ in range(3)]
    file, variables, flags = sources
    folder = tmp_path_factory.mktemp("settings")
    settings = load(
        folder,
        toml="\n".join(f"{name} = {value!r}" for name, value in file.items()),
        flags=flags,
        **{name: str(value) for name, value in variables.items()},
    )
    expected = {"index": "index", "quotes": 3, "threads": None, **file, **variables, **flags}
    assert expected == {name: getattr(settings, name) for name in expected}


def test_variables_come_from_the_process_and_the_file_from_the_working_folder(
    tmp_path, monkeypatch
):
    (tmp_path / "qabot.toml").write_text("quotes = 7")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QABOT_THRESHOLD", "0.25")
    settings = load_settings()
    assert (settings.quotes, settings.threshold) == (7, 0.25)


def test_another_file_stands_for_that_of_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "qabot.toml").write_text("quotes = 7\nthreshold = 0.7")
    (tmp_path / "other.toml").write_text("threshold = 0.25")
    monkeypatch.chdir(tmp_path)
    settings = load_settings(file=Path("other.toml"))
    assert (settings.quotes, settings.threshold) == (3, 0.25)
    with pytest.raises(SettingsError, match=r"^none\.toml: no such file; name one with settings$"):
        load_settings(file=Path("none.toml"))


def test_several_sources_in_a_variable(tmp_path):
    assert load(tmp_path, sources=os.pathsep.join(["a", "b c"])).sources == ("a", "b c")
    assert load(tmp_path, exclude=os.pathsep.join(["*.tmp.md", "old/"])).exclude == (
        "*.tmp.md",
        "old/",
    )
    addresses = ("https://a.org/x", "a", "http://b.org:8080/y", "http://c.org:81", "8", "HTTPS://d")
    assert load(tmp_path, sources=os.pathsep.join(addresses)).sources == addresses
    assert load(tmp_path, sources="http://[::1]:80/a:b\n c:d\n").sources == (
        "http://[::1]:80/a:b",
        "c:d",
    )


def test_collections_come_from_the_file(tmp_path):
    toml = 'sources = ["a"]\n[collections]\nnews = ["b", "c/*.md"]\n"Hand buch" = ["d"]'
    settings = load(tmp_path, toml=toml)
    assert {"news": ("b", "c/*.md"), "Hand buch": ("d",)} == settings.collections
    assert ("a",) == settings.sources


def test_sources_may_stand_in_the_home_folder(tmp_path):
    toml = 'sources = ["~/a", "https://example.org/~b"]\ncollections.news = ["~/b/*.md"]'
    settings = load(tmp_path, toml=toml)
    assert (str(Path.home() / "a"), "https://example.org/~b") == settings.sources
    assert {"news": (str(Path.home() / "b/*.md"),)} == settings.collections


def test_with_collections_there_is_no_default_source(tmp_path):
    assert load(tmp_path, toml='collections.news = ["b"]').sources == ()
    assert load(tmp_path, toml='sources = []\ncollections.news = ["b"]').sources == ()
    assert load(tmp_path, toml='collections.news = ["b"]', sources="a").sources == ("a",)


def test_an_empty_variable_counts_as_not_set(tmp_path):
    assert Settings() == load(tmp_path, index="", quotes="", sources="", threads="")


def test_servers_are_separated_by_commas(tmp_path):
    assert (1, 23) == load(tmp_path, home_guilds="1,23").home_guilds


def test_the_cache_folder(tmp_path):
    assert tmp_path == load(tmp_path, cache=str(tmp_path)).cache_folder
    assert platformdirs.user_cache_path("qabot") == load(tmp_path).cache_folder
    assert Path.home() / "models" == load(tmp_path, cache="~/models").cache_folder


# --- What makes no sense --------------------------------------------------------------------------


def test_an_unknown_key_names_the_file_the_key_and_the_known_ones(tmp_path):
    message = complaint(tmp_path, toml='quots = 3\nindex = "x"')
    assert f"{tmp_path / 'qabot.toml'}: Object contains unknown field `quots`; {KNOWN}" == message


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("quotes = 'many'", "Expected `int`, got `str` - at `$.quotes`"),
        ("quotes = 2.5", "Expected `int`, got `float` - at `$.quotes`"),
        ("quotes = true", "Expected `int`, got `bool` - at `$.quotes`"),
        ("threads = []", "Expected `int | null`, got `array` - at `$.threads`"),
        ("index = 3", "Expected `str`, got `int` - at `$.index`"),
        ("sources = 'seeds'", "Expected `array`, got `str` - at `$.sources`"),
        ("sources = ['a', 2]", "Expected `str`, got `int` - at `$.sources[1]`"),
        ("threshold = '90 %'", "Expected `float`, got `str` - at `$.threshold`"),
        ("threshold = 1.5", "threshold must be from 0 to 1"),
        ("threshold = -0.1", "threshold must be from 0 to 1"),
        ("threshold = nan", "threshold must be from 0 to 1"),
        ("quotes = 0", "quotes must be from 1 to 10"),
        (
            "rebuild_every = '15'",
            "rebuild_every: '15' is no time from 1s to 30d; write it as 90s, 15m, 2h or 1d",
        ),
        ("rebuild_every = 15", "Expected `str`, got `int` - at `$.rebuild_every`"),
        ("watch = 'always'", "Expected `bool`, got `str` - at `$.watch`"),
        ("quotes = 11", "quotes must be from 1 to 10"),
        ("threads = 0", "threads must be 1 or more"),
        ("keep = 0", "keep must be 1 or more"),
        ("sources = []", "sources must name at least one file or folder"),
        ("sources = ['']", "sources must be a name or path, not ''"),
        ("index = ' '", "index must be a name or path, not ' '"),
        ('index = "a\\u0000"', "index must be a name or path, not 'a\\x00'"),
        ("encoder = ''", "encoder must be a name or path, not ''"),
        (
            "cache = '~nobody-has-this-name/a'",
            "cache: there is no such user: '~nobody-has-this-name/a'",
        ),
        (
            'cache = "a\\u0000"',
            "cache is not UTF-8: 'a\\x00'; name another folder with QABOT_CACHE",
        ),
        ("collections = ['a']", "Expected `object`, got `array` - at `$.collections`"),
        ("collections.a = 'b'", "Expected `array`, got `str` - at `$.collections[...]`"),
        ("collections.a = []", "collections.a must name at least one file or folder"),
        ("collections.a = ['']", "collections.a must be a name or path, not ''"),
        ("collections.'' = ['b']", "collections: not a name: ''"),
        ("collections.' a' = ['b']", "collections: not a name: ' a'"),
        (
            "collections.'a/b' = ['c']",
            "collections: a name must hold no slash, nor begin with '-': 'a/b'",
        ),
        (
            "collections.-a = ['c']",
            "collections: a name must hold no slash, nor begin with '-': '-a'",
        ),
    ],
)
def test_a_value_that_makes_no_sense_names_the_file_and_the_field(tmp_path, toml, problem):
    assert f"{tmp_path / 'qabot.toml'}: {problem}; {CORRECT}" == complaint(tmp_path, toml=toml)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("quotes", "many", "Expected `int`, got `str` - at `$.quotes`"),
        ("threads", "-1", "threads must be 1 or more"),
        ("threshold", "50", "threshold must be from 0 to 1"),
        ("index", " ", "index must be a name or path, not ' '"),
        (
            "cache",
            os.fsdecode(b"c\xff"),
            "cache is not UTF-8: 'c\\udcff'; name another folder with QABOT_CACHE",
        ),
        ("sources", f"a{os.pathsep}", "sources must be a name or path, not ''"),
        ("keep", os.fsdecode(b"\xff"), "is no text"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(tmp_path, name, value, problem):
    variable = f"QABOT_{name.upper()}"
    assert f"{variable}: {problem}; {CORRECT}" == complaint(tmp_path, **{name: value})


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ({"index": ""}, "--index: index must be a name or path, not ''"),
        ({"encoder": ""}, "--encoder: encoder must be a name or path, not ''"),
        ({"sources": ("a", "")}, "SOURCE: sources must be a name or path, not ''"),
    ],
)
def test_a_flag_that_makes_no_sense_is_named(tmp_path, flags, problem):
    assert f"{problem}; {CORRECT}" == complaint(tmp_path, flags=flags)


@pytest.mark.parametrize(
    "content",
    [b"quotes =", b"quotes = 3 4", b"\xff\xfe\0", b"quotes = 1\nquotes = 2", b"x = " + b"[" * 9000],
    ids=["no value", "two values", "not UTF-8", "twice", "deep"],
)
def test_a_file_that_is_no_toml_is_named(tmp_path, content):
    message = complaint(tmp_path, toml=content)
    assert message.startswith(f"{tmp_path / 'qabot.toml'}: ")
    assert message.endswith("; correct it or remove the file")


def test_a_folder_named_like_the_file_is_named(tmp_path):
    (tmp_path / "qabot.toml").mkdir()
    assert "qabot.toml" in complaint(tmp_path)


def test_a_wrong_value_counts_even_where_a_stronger_source_overrides_it(tmp_path):
    assert "qabot.toml: quotes must be from" in complaint(tmp_path, toml="quotes = 99", quotes="3")


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().quotes = 5  # type: ignore[misc]
