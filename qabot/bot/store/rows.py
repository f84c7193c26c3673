"""Turns the values of the bot's state into rows, and rows into values; pure."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import Any, get_type_hints

import msgspec

from qabot.bot.store.records import AnswerRecord, GuildSettings

ANSWER_COLUMNS = tuple(AnswerRecord.__dataclass_fields__)

_log = logging.getLogger(__name__)


def read_settings(text: str) -> GuildSettings:
    """Read a guild's settings, also those of another version of qabot.

    What this version cannot read has its default, and the log names it.
    """
    try:
        values = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        _log.warning("a server's settings cannot be read, so the defaults hold: %s", error)
        return GuildSettings()
    kinds, known = get_type_hints(GuildSettings), {}
    for name in values.keys() & kinds:
        with contextlib.suppress(msgspec.ValidationError):
            known[name] = msgspec.convert(values[name], kinds[name], strict=False, str_keys=True)
    if strange := sorted(values.keys() - known.keys()):
        what = ", ".join(strange)
        _log.warning("a server's settings hold what this version does not know: %s", what)
    return GuildSettings(**known)


def answer_row(record: AnswerRecord) -> dict[str, Any]:
    """Return the columns of an answer."""
    values = {name: getattr(record, name) for name in ANSWER_COLUMNS}
    return {**values, "previous": json.dumps(record.previous)}


def about_answer(record: AnswerRecord) -> dict[str, Any]:
    """Return the part of an answer that feedback keeps: see ``Feedback.about``."""
    answer = json.loads(record.answer_json)
    return {
        "status": answer["status"],
        "confidence": answer["confidence"],
        **answer["index"],
        "locale": record.locale,
        "quotes": [[q["article"]["id"], q["start"], q["end"]] for q in answer["quotes"]],
    }
