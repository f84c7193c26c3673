"""The command ``rebuild``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from qabot.cli.building import build, summary_json, write_summary
from qabot.cli.exits import BAD_INPUT
from qabot.cli.opening import settings_with
from qabot.cli.options import Encoder, Index, Json
from qabot.cli.output import write_line
from qabot.errors import UsageError

if TYPE_CHECKING:
    from qabot.settings import Settings


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

    Example: qabot rebuild seeds ~/notes/meeting.md
    """
    settings = settings_with(
        index=index,
        encoder=encoder,
        sources=tuple(sources) if sources else None,
        exclude=tuple(exclude) if exclude else None,
    )
    only = _named_collections(settings, sources or ())
    summary = build(
        settings,
        settings.sources,
        collections=settings.collections if only or not sources else {},
        only=only,
        full=full,
        quiet=json,
        progress=progress,
    )
    if json:
        write_line(summary_json(summary))
    else:
        write_summary(summary, settings.index)
    if summary.skipped:
        raise typer.Exit(BAD_INPUT)


def _named_collections(settings: Settings, named: Sequence[str]) -> tuple[str, ...]:
    """The collections among the arguments of ``rebuild``: all of them are, or none."""
    only = tuple(dict.fromkeys(name for name in named if name in settings.collections))
    others = [name for name in named if name not in settings.collections]
    if only and others:
        raise UsageError(
            f"{only[0]} is a collection and {others[0]} is none; name collections "
            f"({', '.join(settings.collections)}) or files and folders (./{only[0]})"
        )
    return only
