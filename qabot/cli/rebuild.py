"""The command ``rebuild``."""

from __future__ import annotations

from typing import Annotated

import typer

from qabot.cli.exits import BAD_INPUT
from qabot.cli.inputs import settings_with
from qabot.cli.options import Encoder, Index, Json
from qabot.cli.output import write_line
from qabot.cli.rebuild_run import build, content_of, summary_json, write_summary


def rebuild(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Files, folders, patterns, addresses, or collections of qabot.toml; else seeds.",
        ),
    ] = None,
    index: Index = None,
    encoder: Encoder = None,
    *,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="PATTERN",
            help="Leave out what fits, as in .gitignore; several times for several patterns.",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Encode everything again.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Rebuild again whenever files change, until stopped.")
    ] = False,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="TIME", help="Rebuild again at an interval: 90s, 15m, 2h."),
    ] = None,
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Ask web servers only if an address is new.")
    ] = False,
    json: Json = False,
    progress: Annotated[
        bool, typer.Option("--progress", help="Print progress as JSON on standard error.")
    ] = False,
) -> None:
    """Build the index, or bring it up to date: only what changed is encoded.

    Without a SOURCE, the index holds what the settings name: sources and collections. With names of
    collections, only these are renewed; all others stay as they are. With files and folders, the
    index holds these and nothing else.

    What is excluded on the command line takes the place of what the settings exclude.

    Questions go on being answered meanwhile. Documents that cannot be read are named and left out;
    the exit code is then 2, and the rest is indexed.

    With --watch or --every, or both, it goes on until Ctrl-C or SIGTERM, and prints a line with the
    time for each rebuild. What fails is tried again. Web addresses need --every.

    Example: qabot rebuild seeds ~/notes/meeting.md
    """
    if watch or every is not None:
        from qabot.cli.watch import Repeater

        Repeater(
            sources or (),
            index=index,
            encoder=encoder,
            exclude=exclude or (),
            watch=watch,
            every=every,
            full=full,
            files_only=files_only,
            json=json,
            progress=progress,
        ).run()
        return
    settings = settings_with(
        index=index,
        encoder=encoder,
        sources=tuple(sources) if sources else None,
        exclude=tuple(exclude) if exclude else None,
    )
    content = content_of(settings, sources or ())
    summary = build(
        settings, content, full=full, files_only=files_only, quiet=json, progress=progress
    )
    if json:
        write_line(summary_json(summary))
    else:
        write_summary(summary, settings.index)
    if summary.skipped:
        raise typer.Exit(BAD_INPUT)
