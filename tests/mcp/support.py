"""Servers for the tests of ``qabot.mcp``, over both transports, with an encoder that can be held.

As a program, ``support.py INDEX FOLDER``, it serves standard input and output.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent

from qabot.answering.engine import Engine
from qabot.encoders import FloatArray
from qabot.index import IndexStore
from qabot.mcp.access import Address
from qabot.mcp.server import create_server
from qabot.mcp.serving import create_app, serve_stdio
from qabot.settings import Settings
from qabot.signals import handle_signals
from tests.support import ROOT, HashingEncoder


class HeldEncoder(HashingEncoder):
    """Notes each question in ``FOLDER/asked``, and waits with it while ``FOLDER/hold`` exists."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def encode_query(self, texts: Sequence[str]) -> FloatArray:
        with (self._folder / "asked").open("a", encoding="utf-8") as file:
            file.writelines(f"{text}\n" for text in texts)
        while (self._folder / "hold").exists():
            time.sleep(0.01)
        return super().encode_query(texts)


def asked(folder: Path) -> list[str]:
    """The questions that reached the encoder."""
    file = folder / "asked"
    return file.read_text("utf-8").splitlines() if file.exists() else []


async def until_asked(folder: Path, question: str) -> None:
    """Wait until a question has reached the encoder."""
    async with asyncio.timeout(60):
        while question not in asked(folder):  # noqa: ASYNC110 (it may be in another process)
            await asyncio.sleep(0.01)


def open_engine(index: Path, folder: Path, **settings: Any) -> Engine:
    """An engine with a ``HeldEncoder`` and no reader, which quotes at any confidence."""
    return Engine(
        IndexStore(index), HeldEncoder(folder), Settings(**{"threshold": 0.0, **settings})
    )


@asynccontextmanager
async def served(index: Path, folder: Path, token: str | None = None) -> AsyncIterator[str]:
    """Serve an index over HTTP in this process; the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = Address("127.0.0.1", listening.getsockname()[1])
    with open_engine(index, folder) as engine:
        app = create_app(create_server(engine), address, token)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield address.url
        finally:
            server.should_exit = True
            await running


def started(index: Path, folder: Path) -> StdioServerParameters:
    """What a client starts to talk to over standard input and output."""
    return StdioServerParameters(
        command=sys.executable,
        args=[str(Path(__file__)), str(index), str(folder)],
        env={"PYTHONPATH": str(ROOT)},
    )


@asynccontextmanager
async def clients(transport: str, index: Path, folder: Path, count: int = 1) -> AsyncIterator[Any]:
    """Connected clients: over HTTP of one server; over standard streams, each has its own."""
    if transport == "http":
        async with (
            served(index, folder) as url,
            _connected([Client(url) for _ in range(count)]) as made,
        ):
            yield made
    else:
        async with _connected([Client(started(index, folder)) for _ in range(count)]) as made:
            yield made


@asynccontextmanager
async def _connected(made: list[Client]) -> AsyncIterator[list[Client]]:
    if not made:
        yield []
        return
    async with made[0], _connected(made[1:]) as rest:
        yield [made[0], *rest]


def text_of(result: CallToolResult) -> str:
    """The one text of a tool's result."""
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


if __name__ == "__main__":
    handle_signals()
    with open_engine(Path(sys.argv[1]), Path(sys.argv[2])) as opened:
        serve_stdio(create_server(opened))
