"""Runs the server until it is stopped, over standard input and output or over HTTP."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any

import anyio
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings

from qabot.errors import UsageError
from qabot.mcp.access import Address, Guard
from qabot.signals import TerminatedError, exit_on_signals

# Answers under way may finish; streams that clients keep open don't hold up the end.
_SECONDS_TO_END = 5


def serve_stdio(server: Server[Any], *, notify: Callable[[str], None] = lambda line: None) -> None:
    """Serve the program that started this one, until it closes standard input or ends it.

    Args:
        notify: Takes a line for a person who has started it at a terminal.
    """
    # The thread that waits for the next line would hold up any other end. There is nothing to
    # clean up: what was answered is sent, and the index is only read.
    exit_on_signals()
    _log_to_stderr()
    if sys.stdin.isatty():
        notify("waiting for an assistant, which starts this by itself; Ctrl-C ends it")

    async def run() -> None:
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())

    anyio.run(run)


def serve_http(
    server: Server[Any],
    address: Address,
    token: str | None,
    *,
    notify: Callable[[str], None] = lambda line: None,
) -> None:
    """Serve streamable HTTP until SIGTERM or Ctrl-C, which let answers finish.

    Args:
        token: What clients must send; ``None`` if they need none.
        notify: Takes lines for the operator.

    Raises:
        UsageError: The address cannot be used.
    """
    _log_to_stderr()
    listening = _listening(address)
    config = uvicorn.Config(
        create_app(server, address, token),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    notify(f"serving at {Address(address.host, listening.getsockname()[1]).url}")
    # It ends by the signal again once all is closed, but this is how it is meant to end.
    with contextlib.closing(listening), contextlib.suppress(KeyboardInterrupt, TerminatedError):
        uvicorn.Server(config).run([listening])


def create_app(server: Server[Any], address: Address, token: str | None) -> Guard:
    """Create the application that ``serve_http`` serves.

    Args:
        address: On a local one, only requests that name this machine pass: not those of a page
            whose own name was made to point at it.
    """
    names = ["127.0.0.1", "localhost", "[::1]", address.host]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=address.local,
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"],
    )
    return Guard(server.streamable_http_app(transport_security=security), token)


def _log_to_stderr() -> None:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # The library repeats the address.
        raise UsageError(
            f"--http {address.host}:{address.port}: cannot be used ({reason}); name another address"
        ) from error
