"""Tokens: finding the Discord bot's, its shape, and keeping all from other processes."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from qabot.text import without_passwords

TOKENS = ("QABOT_TOKEN", "DISCORD_TOKEN")
"""The variables that may hold the Discord bot's token; the first one counts."""

MCP_VARIABLE = "QABOT_MCP_TOKEN"
"""The variable that may hold the token which clients of `qabot mcp --http` must send."""

MILVUS_VARIABLE = "QABOT_MILVUS_TOKEN"
"""The variable that may hold the token of the Milvus server that keeps the index."""

TOKEN_SHAPE = re.compile(r"([\w-]{10,})\.[\w-]{4,}\.[\w-]{20,}", re.ASCII)
"""The bot's number in base 64, when the token was made, and its signature. There is no upper bound:
should Discord make tokens longer, the bot must still start."""


def find_token(token_file: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Find the token in the environment, else in a file.

    Args:
        token_file: Read where no variable is set; may be empty.
        environment: The process's variables.

    Returns:
        The name of the variable or file, and its text without blanks and the ``Bot`` that people
        copy with it; ``None`` where neither is set.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no text.
    """
    name = next((name for name in TOKENS if environment.get(name)), token_file)
    if not name:
        return None
    text = environment.get(name) if name in TOKENS else None
    if text is None:
        text = Path(name).expanduser().read_text("utf-8")
    return name, text.strip().removeprefix("Bot ").strip()


def hide_secrets(text: str) -> str:
    """Replace what has a token's shape, and cut passwords out of addresses.

    People put both into the wrong places.
    """
    return without_passwords(TOKEN_SHAPE.sub("[token]", text))


def without_tokens() -> dict[str, str]:
    """Copy this process's environment for a process that has no use for the tokens."""
    return {name: text for name, text in os.environ.items() if name not in (*TOKENS, MCP_VARIABLE)}
