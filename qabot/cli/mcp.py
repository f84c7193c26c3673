"""The command ``mcp``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from qabot.cli.inputs import named_reader, opened_engine, settings_with
from qabot.cli.options import Encoder, Index, NoReader, Reader
from qabot.cli.output import note


def mcp(
    *,
    http: Annotated[
        str | None,
        typer.Option("--http", metavar="HOST:PORT", help="Serve HTTP, not the standard streams."),
    ] = None,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
) -> None:
    """Serve the articles to an assistant, until stopped. It speaks the Model Context Protocol.

    Over HTTP, clients need the token that QABOT_MCP_TOKEN or a file holds. Without one, only this
    machine can connect. It needs the extra: pip install 'qabot[mcp]'

    Example: qabot mcp --http 127.0.0.1:8765
    """
    from qabot.mcp import check_installed
    from qabot.mcp.access import Address, read_token

    check_installed()
    settings = settings_with(index=index, encoder=encoder, reader=named_reader(reader, no_reader))
    address = None if http is None else Address.parse(http)
    token = read_token(address, settings.mcp_token_file, os.environ) if address else None
    with opened_engine(settings) as engine:
        from qabot.mcp.server import create_server
        from qabot.mcp.serving import serve_http, serve_stdio

        server = create_server(engine)
        if address is None:
            serve_stdio(server, notify=note)
        else:
            serve_http(server, address, token, notify=note)
