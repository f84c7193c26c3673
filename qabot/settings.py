"""Settings: built-in defaults < ``qabot.toml`` < ``QABOT_*`` variables < command-line flags."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from qabot.errors import SettingsError
from qabot.files import read_regular
from qabot.shards import Shards
from qabot.text import parse_interval

FILE = "qabot.toml"
_PREFIX = "QABOT_"
_LONGEST_NAME = 100
# What surrounds a colon inside an address: a scheme, or a host and a port. (Other colons, as in
# IPv6 addresses, need one line per source.)
_SCHEME = re.compile(r"https?", re.IGNORECASE)
_HOST = re.compile(r"https?://[^/:\[\]]+", re.IGNORECASE)
_PORT = re.compile(r"\d{1,5}(/|$)")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings; immutable.

    Attributes:
        index: The index folder, or ``milvus://HOST:19530/NAME`` or ``https://HOST/NAME`` for an
            index on a Milvus server.
        sources: Files, folders, patterns and web addresses that ``qabot rebuild`` reads.
        collections: Name → further sources, to which a question can be limited.
        exclude: Patterns of files and folders to leave out, as in ``.gitignore``.
        encoder: ``multilingual-e5-small`` (packaged), a model folder, or
            ``sentence-transformers:NAME``.
        reader: ``qabot-reader`` (packaged), ``none``, the folder or name of a question-answering
            model for transformers, or ``cross-encoder:`` with that of a CrossEncoder.
        max_article_mb: The largest text file, in megabytes; half of it for HTML, a tenth for
            Markdown.
        drafts: Articles that call themselves drafts are read, too.
        cache: The folder for the unpacked model; by default, in the user's cache folder.
        threads: Cores that one question may use; by default, all.
        quotes: The most quotes of an answer.
        keep: Generations of the index kept for ``qabot rollback``, including the live one.
        threshold: Confidence below which the answer is "not found", in [0, 1].
        token_file: A file with the Discord bot's token, read if no variable holds it.
        mcp_token_file: A file with the token that clients of ``qabot mcp --http`` must send, read
            if no variable holds it.
        milvus_token_file: A file with the token of the Milvus server that keeps the index, read if
            no variable holds it.
        message_content: The bot asks Discord for the message-content intent, which it needs to
            answer messages that don't mention it.
        shards: The bot connects in as many shards as Discord recommends.
        shard_ids: Some of the shards, and how many there are, such as ``0-3/8``: this process
            connects these, and other processes on this machine the others.
        watch: The bot rebuilds by itself when files change.
        rebuild_every: The longest time between two rebuilds of the bot, such as ``15m``; if empty,
            it rebuilds on request only.
        waiting: The most questions that wait in the bot or in ``qabot mcp``; it refuses further
            ones.
        user_questions: The most questions of one person to the bot in a minute.
        guild_questions: The same for all people of a Discord server together.
        log_questions: The bot keeps every question for good.
        uploads: The folder of articles added in Discord.
        home_guilds: Discord servers whose managers may change the articles; if empty, the
            server that the bot joined first.
        gone_after: Rebuilds in a row in which a web article must be missing before it leaves the
            index; rebuilds less than 20 hours apart count as one.
        user_agent: The name sent to web servers; by default, ``qabot`` and its version.
        allow_private_addresses: Addresses in private networks and on this machine are fetched, too.
        web_pages: The most pages of one sitemap or feed.
        web_delay: Seconds between two requests to one web server.
        web_timeout: The most seconds that a web server may take to answer.
        web_minutes: The most minutes that one rebuild spends on fetching.
    """

    index: str = "index"
    sources: tuple[str, ...] = ("seeds",)
    collections: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    encoder: str = "multilingual-e5-small"
    reader: str = "qabot-reader"
    max_article_mb: int = 20
    drafts: bool = False
    cache: str = ""
    threads: int | None = None
    quotes: int = 3
    threshold: float = 0.2
    keep: int = 3
    token_file: str = ""
    mcp_token_file: str = ""
    milvus_token_file: str = ""
    message_content: bool = False
    shards: bool = False
    shard_ids: str = ""
    watch: bool = False
    rebuild_every: str = ""
    waiting: int = 250
    user_questions: int = 10
    guild_questions: int = 300
    log_questions: bool = False
    uploads: str = "uploads"
    home_guilds: tuple[int, ...] = ()
    gone_after: int = 3
    user_agent: str = ""
    allow_private_addresses: bool = False
    web_pages: int = 5000
    web_delay: float = 0.5
    web_timeout: float = 30.0
    web_minutes: float = 60.0

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError("threshold must be from 0 to 1")
        if not 1 <= self.quotes <= 10:
            raise ValueError("quotes must be from 1 to 10")
        if self.keep < 1:
            raise ValueError("keep must be 1 or more")
        if self.max_article_mb < 1:
            raise ValueError("max_article_mb must be 1 or more")
        if self.threads is not None and self.threads < 1:
            raise ValueError("threads must be 1 or more")
        for name in ("waiting", "user_questions", "guild_questions", "gone_after", "web_pages"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        self._check_interval()
        self._check_shards()
        self._check_web()
        self._check_cache()
        if not self.sources and not self.collections:
            raise ValueError("sources must name at least one file or folder")
        for name in self.collections:
            _check_collection(name, self.collections[name])
        for name, text in (
            ("index", self.index),
            *(("sources", source) for source in self.sources),
            *(
                (f"collections.{name}", source)
                for name, sources in self.collections.items()
                for source in sources
            ),
            *(("exclude", pattern) for pattern in self.exclude),
            ("encoder", self.encoder),
            ("reader", self.reader),
            ("uploads", self.uploads),
        ):
            # An empty path would mean the working directory.
            if not text.strip() or "\0" in text:
                raise ValueError(f"{name} must be a name or path, not {text!r}")
            if not text.isascii() and not _is_utf8(text):
                raise ValueError(f"{name} is not UTF-8: {text!r}; rename it, or name its folder")

    def _check_interval(self) -> None:
        try:
            _ = self.rebuild_interval
        except ValueError as error:
            raise ValueError(f"rebuild_every: {error}") from None

    def _check_shards(self) -> None:
        try:
            _ = self.own_shards
        except ValueError as error:
            raise ValueError(f"shard_ids: {error}") from None

    def _check_cache(self) -> None:
        try:
            folder = str(self.cache_folder)
        except RuntimeError:  # "~name" of nobody.
            raise ValueError(f"cache: there is no such user: {self.cache!r}") from None
        # The model's libraries take no other names.
        if "\0" in folder or not _is_utf8(folder):
            raise ValueError(
                f"cache is not UTF-8: {folder!r}; name another folder with QABOT_CACHE"
            )

    def _check_web(self) -> None:
        if not 0 <= self.web_delay <= 3600:
            raise ValueError("web_delay must be from 0 to 3600 seconds")
        for name in ("web_timeout", "web_minutes"):
            if not 0 < getattr(self, name) <= 86_400:
                raise ValueError(f"{name} must be above 0, and at most 86400")
        if self.user_agent and not (self.user_agent.isascii() and self.user_agent.isprintable()):
            raise ValueError("user_agent must be ASCII text on one line")

    @property
    def rebuild_interval(self) -> timedelta | None:
        """``rebuild_every`` as a timedelta."""
        return parse_interval(self.rebuild_every) if self.rebuild_every else None

    @property
    def own_shards(self) -> Shards:
        """``shard_ids``, or all shards."""
        return Shards.parse(self.shard_ids) if self.shard_ids else Shards()

    @property
    def cache_folder(self) -> Path:
        """``cache``, or the user's cache folder if it is not set."""
        return (
            Path(self.cache).expanduser() if self.cache else platformdirs.user_cache_path("qabot")
        )


def _is_utf8(text: str) -> bool:
    """Tell whether an index can store a name: those of the system may hold any bytes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_collection(name: str, sources: tuple[str, ...]) -> None:
    # Names are typed in place of paths, and people choose them from lists.
    if name != name.strip() or not name.isprintable() or not 1 <= len(name) <= _LONGEST_NAME:
        raise ValueError(f"collections: not a name: {name[:_LONGEST_NAME]!r}")
    if "/" in name or "\\" in name or name.startswith("-"):
        raise ValueError(f"collections: a name must hold no slash, nor begin with '-': {name!r}")
    if not sources:
        raise ValueError(f"collections.{name} must name at least one file or folder")


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    file: Path | None = None,
) -> Settings:
    """Load the settings in force.

    Args:
        flags: Command-line values by field name; ``None`` means not given.
        environment: Variables; by default, the process's own.
        folder: The folder of ``qabot.toml``; by default, the working directory.
        file: Another settings file to read instead; it must exist.

    Raises:
        SettingsError: Names the file, variable or flag, what is wrong with it, and the remedy.
    """
    values: dict[str, Any] = {}
    path = file or (folder or Path()) / FILE
    if file and not file.is_file():
        raise SettingsError(f"{file}: no such file; name one with settings")
    values |= _at_home(_checked(_from_file(path), str(path)))
    environment = os.environ if environment is None else environment
    for name in Settings.__struct_fields__:
        variable = _PREFIX + name.upper()
        text = environment.get(variable)
        if text:
            values |= _at_home(_checked({name: _SPLIT.get(name, str)(text)}, variable))
    for name, value in (flags or {}).items():
        if value is not None:
            values |= _checked({name: value}, "SOURCE" if name == "sources" else f"--{name}")
    if values.get("collections"):
        # Who names collections need not have a folder with the default name, too.
        values.setdefault("sources", ())
    return Settings(**values)


def _at_home(values: dict[str, Any]) -> dict[str, Any]:
    """``values`` with ``~`` at the beginning of sources as a shell reads it."""

    def full(source: str) -> str:
        # It may stand for a user who does not exist.
        with contextlib.suppress(RuntimeError):
            return str(Path(source).expanduser()) if source.startswith("~") else source
        return source

    if "sources" in values:
        values["sources"] = tuple(map(full, values["sources"]))
    if "collections" in values:
        groups = values["collections"].items()
        values["collections"] = {name: tuple(map(full, group)) for name, group in groups}
    return values


def _sources(text: str) -> list[str]:
    """Split a variable: a JSON list, or one source a line, or separated as in ``PATH``."""
    if text.startswith("[") and text.endswith("]"):
        # A pattern may look like a list, but it is no JSON.
        with contextlib.suppress(ValueError):
            return [str(source) for source in json.loads(text)]
    if "\n" in text:
        return [line.strip() for line in text.split("\n") if line.strip()]
    sources: list[str] = []
    for part in text.split(os.pathsep):
        before = sources[-1] if sources else ""
        within = (_SCHEME.fullmatch(before) and part.startswith("//")) or (
            _HOST.fullmatch(before) and _PORT.match(part)
        )
        if within and os.pathsep == ":":
            sources[-1] = f"{before}:{part}"
        else:
            sources.append(part)
    return sources


# Variables that hold several values, and how to split them.
_SPLIT: dict[str, Callable[[str], Any]] = {
    "sources": _sources,
    "exclude": lambda text: text.split(os.pathsep),
    "home_guilds": lambda text: text.split(","),
}


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_regular(path).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise SettingsError(f"{path}: {reason}; correct it or remove the file") from error


def _checked(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Convert ``values`` to the fields' types and check them."""
    try:
        # Not strict: environment variables are always text.
        settings = msgspec.convert(dict(values), Settings, strict=False)
    except msgspec.ValidationError as error:
        unknown = not values.keys() <= set(Settings.__struct_fields__)
        known = ", ".join(Settings.__struct_fields__)
        remedy = f"known settings: {known}" if unknown else "correct it or leave it out"
        raise SettingsError(f"{origin}: {error}; {remedy}") from error
    except UnicodeEncodeError as error:
        # Variables can hold any bytes.
        raise SettingsError(f"{origin}: is no text; correct it or leave it out") from error
    return {name: getattr(settings, name) for name in values}
