"""Reads the bot's token from the environment or a file, and keeps it out of every text."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from qabot.errors import BotError
from qabot.processes import TOKEN_SHAPE, TOKENS, find_token, hide_secrets

_PORTAL = "https://discord.com/developers/applications"
_WHERE = f"open {_PORTAL}, your application, Bot, Reset Token"
_ELSEWHERE = f"put it into a file and name that file, or into the variable {TOKENS[0]}"
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
    """Read the token, and check its shape: text pasted by mistake must not reach Discord.

    Args:
        token_file: Read if no variable is set; may be empty.
        environment: The process's variables.

    Raises:
        BotError: There is no token, or the text cannot be one.
    """
    try:
        found = find_token(token_file, environment)
    except (OSError, ValueError) as error:
        if TOKEN_SHAPE.search(token_file):
            raise BotError(f"the setting token_file holds a token: {_ELSEWHERE}") from None
        reason = (error.strerror if isinstance(error, OSError) else None) or "not text"
        raise BotError(f"{token_file}: the token cannot be read ({reason}); {_WHERE}") from error
    if found is None:
        raise BotError(MISSING)
    name, token = found
    if not TOKEN_SHAPE.fullmatch(token):
        source = f"the variable {name}" if name in TOKENS else name
        raise BotError(f"{source} holds no token: {_WHERE}, and copy all of it")
    return token


class HideToken(logging.Filter):
    """Replaces whatever has a token's shape in log records, in case a library logs it.

    Broken connections happen every day: they take one line, without a traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the token; let every record pass."""
        message = record.getMessage()
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and record.name in _CONNECTIONS:
            message = f"{message} ({type(error).__name__}: {error})"
            record.exc_info = None
        elif error is not None:
            trace = "".join(traceback.format_exception(error)).rstrip()
            record.exc_text = hide_secrets(trace)
        record.msg, record.args = hide_secrets(message), ()
        return True
