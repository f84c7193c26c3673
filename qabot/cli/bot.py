"""The command ``bot``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from qabot.cli.inputs import named_reader, opened_engine, settings_with
from qabot.cli.options import Encoder, Index, NoReader, Reader
from qabot.cli.output import note


def bot(
    *,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
    sync: Annotated[
        bool, typer.Option("--sync", help="Register the commands again even if unchanged.")
    ] = False,
) -> None:
    """Answer in Discord until stopped. The token comes from QABOT_TOKEN or a file.

    Example: QABOT_TOKEN=… qabot bot
    """
    from qabot.bot.tokens import read_token

    settings = settings_with(index=index, encoder=encoder, reader=named_reader(reader, no_reader))
    token = read_token(settings.token_file, os.environ)  # The likelier mistake comes first.
    from qabot.bot import create_bot
    from qabot.bot.running import run_bot
    from qabot.indexing.subprocess import RebuildProcess

    with opened_engine(settings) as engine:
        renew = RebuildProcess(
            settings.index,
            settings.encoder,
            settings.cache,
            has_collections=lambda: bool(engine.manifest().collections),
        )
        made = create_bot(engine, settings, rebuild=renew, sync_always=sync)
        run_bot(made, token, notify=note)
