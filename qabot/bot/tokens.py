"""Reads the bot's token from the environment or a file, and keeps it out of every text."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping
from pathlib import Path

from qabot.errors import BotError
from qabot.processes import TOKENS

_PORTAL = "https://discord.com/developers/applications"
_WHERE = f"open {_PORTAL}, your application, Bot, Reset Token"
# Three parts of base64. Anything else pasted by mistake is not sent to Discord.
_SHAPE = re.compile(r"[\w-]{10,}\.[\w-]{4,}\.[\w-]{20,}", re.ASCII)
_CONNECTIONS = ("discord.client", "discord.gateway", "discord.shard")

MISSING = (
    f"there is no token: {_WHERE}, and put it into the variable {TOKENS[0]}, or into a file "
    "that the setting token_file names"
)
REFUSED = f"Discord does not know the token: {_WHERE}, and set the new one"
INTENT = (
    f"Discord refuses the message-content intent: open {_PORTAL}, your application, Bot, "
    "Privileged Gateway Intents, and turn on Message Content Intent; or set message_content = false"
)

SHARDS = (
    "Discord wants so large a bot to connect in shards: set shards = true in qabot.toml, or "
    "QABOT_SHARDS=true"
)


def read_token(token_file: str, environment: Mapping[str, str]) -> str:
    """Read the token.

    Args:
        token_file: Read if no variable is set; may be empty.
        environment: The process's variables.

    Raises:
        BotError: There is no token, or the text cannot be one.
    """
    source, text = _find(token_file, environment)
    if source is None:
        raise BotError(MISSING)
    # People copy the prefix of the HTTP header too.
    token = text.strip().removeprefix("Bot ").strip()
    if not _SHAPE.fullmatch(token):
        raise BotError(f"{source} holds no token: {_WHERE}, and copy all of it")
    return token


def _find(token_file: str, environment: Mapping[str, str]) -> tuple[str | None, str]:
    for name in TOKENS:
        if environment.get(name):
            return f"the variable {name}", environment[name]
    if not token_file:
        return None, ""
    try:
        return token_file, Path(token_file).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not text"
        raise BotError(f"{token_file}: the token cannot be read ({reason}); {_WHERE}") from error


class HideToken(logging.Filter):
    """Replaces the token in log records, in case a library logs it.

    Broken connections happen every day: they take one line, without a traceback.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the token; let every record pass."""
        message = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and record.name in _CONNECTIONS:
            message = f"{message} ({type(error).__name__}: {error})"
            record.exc_info = None
        elif error is not None:
            trace = "".join(traceback.format_exception(error)).rstrip()
            record.exc_text = trace.replace(self._token, "[token]")
        record.msg, record.args = message.replace(self._token, "[token]"), ()
        return True
