"""The environment of this process, and what of it no other process is given."""

from __future__ import annotations

import os

TOKENS = ("QABOT_TOKEN", "DISCORD_TOKEN")
"""The variables that may hold the Discord bot's token; the first one counts."""


def without_tokens() -> dict[str, str]:
    """This process's environment, for one that it starts and that has no use for a token."""
    return {name: text for name, text in os.environ.items() if name not in TOKENS}
