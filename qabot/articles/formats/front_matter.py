"""Read the front matter of Markdown files: YAML, TOML, JSON, or headers as of other programs.

Nothing in it makes an article unreadable: a field without a sensible value is left out, and told.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from qabot.articles.formats.dates import REMEDY, parse_date
from qabot.articles.formats.draft import Draft, clean_characters, one_line
from qabot.articles.formats.language import language_named
from qabot.text import without_passwords

Fields = Mapping[str, object]

_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_YAML = re.compile(
    r"\s*(?:^%(?:YAML|TAG)\b.*\n)*^-{3,}(?:ya?ml)?[ \t]*\n"
    r"((?s:.*?))^(?:-{3,}|\.\.\.)[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
_TOML = re.compile(
    r"\s*^(?:(\+\+\+)|---toml)[ \t]*\n(.*?)^(?(1)\+\+\+|---)[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_JSON = re.compile(
    r"\s*^(?:---json|;;;)[ \t]*\n(.*?)^(?:---|;;;)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_HEADERS = re.compile(r"(?:\w[\w -]{0,40}:[ \t].*\n|[ \t]+\S.*\n)+(?=\s*\n)", re.ASCII)
# Pandoc's: title, authors and date, each of which may go on in indented lines, or be empty.
_TITLE_BLOCK = re.compile(r"(?:%(?:[ \t].*)?\n(?:[ \t]+\S.*\n)*){1,3}(?=[ \t]*\n)")
_TITLE_FIELDS = ("title", "author", "date")
_HEADER_TITLE = re.compile(r"title:", re.IGNORECASE | re.MULTILINE)
_KEY_LINE = re.compile(r"(?:#.*\n|\s*\n)*[\"']?[\w.@-]+[\"']?[ \t]*:(?:\s|$)")
_KEY = re.compile(r"^([\w.@-]+)[ \t]*:(?:[ \t]+|$)(.*)$", re.MULTILINE)
_USUAL = re.compile(
    r"^[\"']?(?:author|categories|category|date|description|draft|id|lang|language|layout|permalink"
    r"|published|slug|summary|tags|title|url|weight)[\"']?[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_NULLS = ("", "~", "null")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_WEB_ADDRESS = re.compile(r"https?://\S{1,4000}", re.IGNORECASE)
_SHOWN = 40
_MOST_VALUES = 100
_DATES = ("published", "date", "publishdate", "pubdate", "publish_date", "created")


def split_front_matter(text: str) -> tuple[Draft, str]:
    """Split ``text`` into the fields of its front matter and the rest.

    Args:
        text: Markdown with clean characters.

    Returns:
        A draft without text, with ``warnings`` for what could not be read; and what follows.
    """
    comment = _COMMENT.match(text)
    start = comment.end() if comment and _opens(text[comment.end() :]) else 0
    told = _Told()
    fields, end = _fields(text[start:], told)
    # Of equal names in other letter cases the last counts, as of equal ones.
    known = {name.casefold(): value for name, value in fields.items()}
    return told.draft(known), text[start + end :]


def _opens(text: str) -> bool:
    return text.lstrip().startswith(("---", "+++", "{"))


def _fields(text: str, told: _Told) -> tuple[Fields, int]:
    if match := _YAML.match(text):
        fields = _between_rules(match[1], told)
        return ({}, 0) if fields is None else (fields, match.end())
    if match := _TOML.match(text):
        return _toml(match[2], told), match.end()
    if (match := _JSON.match(text)) and (fields := _json(match[1])[0]):
        return fields, match.end()
    if (match := _HEADERS.match(text)) and _HEADER_TITLE.search(match[0]):
        return _line_by_line(match[0]), match.end()
    if match := _TITLE_BLOCK.match(text):
        values = re.split(r"^%", match[0], flags=re.MULTILINE)[1:]
        return dict(zip(_TITLE_FIELDS, map(one_line, values), strict=False)), match.end()
    return _json(text)


def _between_rules(source: str, told: _Told) -> Fields | None:
    """The fields between two lines of dashes; ``None`` where these are rules round a text."""
    if not source.strip():
        return {}
    return None if not _KEY_LINE.match(source) or _is_text(source) else _yaml(source, told)


def _is_text(between: str) -> bool:
    """Tell whether what begins with a blank line is text rather than fields."""
    return between.startswith("\n") and not _USUAL.search(between)


def _yaml(source: str, told: _Told) -> Fields | None:
    """The fields of YAML; ``None`` if it is something other than fields."""
    import yaml

    # BaseLoader leaves every scalar the text that was written: a date stays as exact as it is, and
    # no tag of a hostile file makes an object or an exception of another kind.
    try:
        loader = yaml.BaseLoader(source)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return None
        names = [str(key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        fields = loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        # The first line of the file is the one with the dashes.
        where = f"line {mark.line + 2}: " if mark else ""
        what = one_line(str(getattr(error, "problem", None) or "it cannot be parsed"))
        told.warn(
            f"front matter is not valid YAML ({where}{what}); its lines are read one by one: put "
            "values with special characters in quotes"
        )
        return _line_by_line(source)
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        told.warn(f"field `{_shown(name)}`: stands there more than once; the last one counts")
    return {str(name): value for name, value in fields.items()}


def _line_by_line(source: str) -> Fields:
    """Each field that stands on one line, as text."""
    lines = _KEY.finditer(source)
    return {match[1]: match[2].strip().strip("\"'") for match in lines}


def _toml(source: str, told: _Told) -> Fields:
    try:
        return tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        reason = one_line(str(error))[:100]
        told.warn(f"front matter is not valid TOML ({reason}); correct it")
        return {}


def _json(text: str) -> tuple[Fields, int]:
    start = len(text) - len(text.lstrip())
    if not text.startswith("{", start):
        return {}, 0
    try:
        fields, end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return {}, 0
    # Braces with anything behind them on their line are no header.
    if not isinstance(fields, dict) or not fields or text[end:].partition("\n")[0].strip():
        return {}, 0
    return fields, end


@dataclass(slots=True)
class _Told:
    """Makes a draft of fields, and gathers what it has to leave out."""

    warnings: list[str] = field(default_factory=list)

    def warn(self, warning: str) -> None:
        self.warnings.append(clean_characters(warning))

    def draft(self, fields: Fields) -> Draft:
        """Take up the fields; names are in lower case."""
        extra = fields.get("extra")
        extra = extra if isinstance(extra, Mapping) else {}
        # What themes of sites add of their own counts where the fields themselves say nothing.
        known = {**{str(name).casefold(): value for name, value in extra.items()}, **fields}
        title = _text(known.get("title"))
        return Draft(
            text="",
            title=one_line(title) or None if title else None,
            published=self._published(known),
            language=self._language(known),
            url=self._url(known),
            author=_names(known.get("author") or known.get("authors")) or None,
            unfinished=_says(known, "draft", _TRUE) or _says(known, "published", _FALSE),
            warnings=tuple(self.warnings),
        )

    def _published(self, fields: Fields) -> str | None:
        for name, value in _values(fields, *_DATES):
            # Some sites say by "published" whether it is.
            if name == "published" and value.lower() in (*_TRUE, *_FALSE):
                continue
            if published := parse_date(value):
                return published
            self.warn(f"field `{name}`: {_quoted(value)} is no date; {REMEDY}")
        return None

    def _language(self, fields: Fields) -> str | None:
        for name, value in _values(fields, "language", "lang", "locale"):
            if code := language_named(value.split(",")[0]):
                return code
            self.warn(
                f"field `{name}`: {_quoted(value)} is no language; write a two-letter code such as "
                "de"
            )
        return None

    def _url(self, fields: Fields) -> str | None:
        for name, value in _values(fields, "url", "canonical_url", "canonicalurl"):
            address = f"https://{value}" if value.lower().startswith("www.") else value
            # Only what a reader may safely click: no javascript: and no file:.
            if _WEB_ADDRESS.fullmatch(address):
                return address
            shown = without_passwords(_quoted(value))
            self.warn(f"field `{name}`: {shown} is no web address; begin it with https://")
        return None


def _says(fields: Fields, name: str, values: tuple[str, ...]) -> bool:
    return (_text(fields.get(name)) or "").lower() in values


def _values(fields: Fields, *names: str) -> list[tuple[str, str]]:
    found = ((name, _text(fields.get(name))) for name in names)
    return [(name, value) for name, value in found if value]


def _text(value: object) -> str | None:
    """A value as it would be written on one line; ``None`` if there is none."""
    if isinstance(value, str):
        text = clean_characters(value).strip()
        return None if text in _NULLS else text
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        # No deeper: aliases can make lists of lists without end.
        return ", ".join(item for item in map(_text, value) if item) if _is_plain(value) else None
    return None if value is None or isinstance(value, Mapping) else str(value)


def _is_plain(values: list[object]) -> bool:
    return len(values) <= _MOST_VALUES and not any(isinstance(v, list | Mapping) for v in values)


def _names(value: object) -> str:
    """One name, or several; anything else is for other programs."""
    names = value if isinstance(value, list) else [value]
    names = [name.get("name") if isinstance(name, Mapping) else name for name in names]
    told = [one_line(name) for name in names if isinstance(name, str) and name not in _NULLS]
    return ", ".join(filter(None, told))


def _quoted(value: str) -> str:
    return repr(value if len(value) <= _SHOWN else value[:_SHOWN] + "…")


def _shown(name: str) -> str:
    return one_line(name)[:_SHOWN]
