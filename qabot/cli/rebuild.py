"""The command ``rebuild``."""

from __future__ import annotations

from qabot.cli.options import (
    Encoder,
    Every,
    Exclude,
    FilesOnly,
    Full,
    Index,
    Json,
    Progress,
    Ray,
    Sources,
    Watch,
)
from qabot.cli.rebuild_run import RebuildOptions, rebuild_once


def rebuild(
    sources: Sources = None,
    index: Index = None,
    encoder: Encoder = None,
    *,
    exclude: Exclude = None,
    full: Full = False,
    watch: Watch = False,
    every: Every = None,
    files_only: FilesOnly = False,
    ray: Ray = None,
    json: Json = False,
    progress: Progress = False,
) -> None:
    """Build the index, or bring it up to date. Only what changed is read and encoded.

    Without a SOURCE, the index holds what the settings name: sources and collections. With names of
    collections, only these are renewed; all others stay as they are. With files and folders, the
    index holds these and nothing else.

    --exclude replaces what the settings exclude.

    Questions are answered meanwhile. Documents that cannot be read are named and left out; the
    exit code is then 2, and the rest is indexed.

    With --watch or --every, or both, it goes on until Ctrl-C or SIGTERM, and prints a line with the
    time for each rebuild. A failed rebuild is tried again. Web addresses need --every.

    With --ray, the machines of a Ray cluster encode. They need qabot and the model, too.

    Example: qabot rebuild seeds ~/notes/meeting.md
    """
    options = RebuildOptions(
        *(tuple(sources or ()), index, encoder, tuple(exclude or ())),
        watch=watch,
        every=every,
        full=full,
        files_only=files_only,
        ray=ray,
        json=json,
        progress=progress,
    )
    if watch or every is not None:
        from qabot.cli.watch import watch_sources

        watch_sources(options)
    else:
        rebuild_once(options)
