"""The articles in assistants, by the Model Context Protocol: tools and resources over an engine."""

from __future__ import annotations

from qabot.errors import UsageError


def check_installed() -> None:
    """Check that the protocol's library is there, before anything is loaded.

    Raises:
        UsageError: It is not.
    """
    try:
        import mcp as _  # noqa: F401 (only whether it is there)
    except ImportError:
        raise UsageError(
            "qabot mcp needs the package mcp, which is not installed: pip install 'qabot[mcp]'"
        ) from None
