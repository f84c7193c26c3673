"""Maintenance of the index: ``doctor`` and ``rollback``."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Annotated

import typer

from qabot.cli.inputs import settings_with
from qabot.cli.options import Encoder, Index, Json
from qabot.cli.output import complain, write_line
from qabot.errors import UnusableIndexError


def doctor(index: Index = None, encoder: Encoder = None, json: Json = False) -> None:
    """Look for faults, and say how to mend them. It changes nothing.

    It checks settings, sources, models, the index, the disk and the Discord token. The exit code is
    3 for a fault of the index, 2 for any other.

    Example: qabot doctor --json
    """
    from dataclasses import asdict, replace

    from qabot.doctor import examine, exit_code
    from qabot.processes import hide_secrets
    from qabot.render.json import dumps

    checks = []
    for made in examine({"index": index, "encoder": encoder}, os.environ):
        check = replace(made, detail=hide_secrets(made.detail))
        checks.append(check)
        if not json:
            remedy = f"; {check.remedy}" if check.remedy else ""
            write_line(f"{check.status:8}{check.name:12}{check.detail}{remedy}")
    code = exit_code(checks)
    if json:
        write_line(dumps({"healthy": code == 0, "checks": [asdict(check) for check in checks]}))
    if code:
        raise typer.Exit(code)


def rollback(
    number: Annotated[
        int | None,
        typer.Argument(metavar="N", help="The generation's number.", show_default="the previous"),
    ] = None,
    index: Index = None,
    json: Json = False,
) -> None:
    """Return to an earlier generation of the index, in one step.

    The setting `keep` says how many are kept. The next rebuild brings the index up to date again,
    under a new number.

    Example: qabot rollback 7
    """
    from qabot.index import open_store

    store = open_store(settings_with(index=index))
    before = None
    with suppress(UnusableIndexError):  # A damaged index is all the more reason to go back.
        before = store.manifest().encoder
    manifest = store.rollback(number)
    if before and manifest.encoder != before:
        complain(
            f"generation {manifest.generation} was made by {manifest.encoder.name}, not by "
            f"{before.name} as it is now; name that model with --encoder or the setting encoder, "
            "or run `qabot rebuild`"
        )
    if json:
        from qabot.render.json import dumps

        fields = ("generation", "created", "articles", "passages")
        write_line(dumps({name: getattr(manifest, name) for name in fields}))
        return
    live = f"Generation {manifest.generation} is live"
    write_line(f"{live}: {manifest.held}, built {manifest.created}")
