"""Turns the values of the bot's state into rows, and rows into values; pure."""

from __future__ import annotations

import json
import logging
from typing import Any

from qabot.bot.store.records import AnswerRecord, GuildSettings

ANSWER_COLUMNS = tuple(AnswerRecord.__dataclass_fields__)

_log = logging.getLogger(__name__)


def read_settings(text: str) -> GuildSettings:
    """Read a guild's settings, also those of another version of qabot."""
    values = json.loads(text)
    known = {name: values[name] for name in GuildSettings.__dataclass_fields__ if name in values}
    if len(known) < len(values):
        strange = ", ".join(sorted(values.keys() - known.keys()))
        _log.warning("a server's settings hold what this version does not know: %s", strange)
    for name in ("answer_channels", "allowed_channels"):
        known[name] = tuple(known.get(name, ()))
    collections = known.get("collections", {})
    known["collections"] = {int(key): name for key, name in collections.items()}
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
