"""One rebuild as the settings and flags ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from qabot.cli.exits import BAD_INPUT
from qabot.cli.inputs import settings_with
from qabot.cli.output import complain, note, write_bold, write_line
from qabot.errors import UsageError
from qabot.types import counted

if TYPE_CHECKING:
    from qabot.encoders import Encoder
    from qabot.indexing.plan import IndexPlan
    from qabot.indexing.summary import Summary
    from qabot.settings import Settings
    from qabot.web import Options


@dataclass(frozen=True, slots=True)
class RebuildOptions:
    """The arguments and flags of ``rebuild``.

    Attributes:
        named: Sources or collections.
        watch: Rebuild when files change.
        every: Rebuild at this interval, such as ``15m``.
        full: Encode everything again; of several rebuilds, the first one does.
        files_only: Ask web servers only if an address is new. Rebuilds after a change of files do
            so in any case.
        ray: The address of a Ray cluster that encodes.
        json: Print what a rebuild did as a JSON object, on a line of its own.
        progress: Print progress as JSON.
    """

    named: tuple[str, ...]
    index: str | None
    encoder: str | None
    exclude: tuple[str, ...]
    watch: bool
    every: str | None
    full: bool
    files_only: bool
    ray: str | None
    json: bool
    progress: bool

    def plan(self) -> tuple[Settings, IndexPlan]:
        """Read the settings, and what they say to index now."""
        settings = settings_with(
            index=self.index,
            encoder=self.encoder,
            sources=self.named or None,
            exclude=self.exclude or None,
        )
        return settings, plan_of(settings, self.named, full=self.full, files_only=self.files_only)

    def arguments(self, *, full: bool, files_only: bool) -> list[str]:
        """The command line of one rebuild."""
        flags = {"index": self.index, "encoder": self.encoder, "ray": self.ray}
        return [
            *(f"--{name}={value}" for name, value in flags.items() if value),
            *(f"--exclude={pattern}" for pattern in self.exclude),
            *(["--full"] if full else []),
            *(["--files-only"] if files_only else []),
            "--",
            *self.named,
        ]


def rebuild_once(options: RebuildOptions) -> None:
    """Rebuild, and print what was done.

    Raises:
        typer.Exit: Documents could not be read.
        QabotError: The rebuild failed.
    """
    settings, plan = options.plan()
    summary = build(settings, plan, quiet=options.json, progress=options.progress, ray=options.ray)
    if options.json:
        from qabot.render.rebuild import summary_json

        write_line(summary_json(summary))
    else:
        write_summary(summary, settings.index)
    if summary.skipped:
        raise typer.Exit(BAD_INPUT)


def plan_of(
    settings: Settings, named: Sequence[str] = (), *, full: bool = False, files_only: bool = False
) -> IndexPlan:
    """Turn the arguments of ``rebuild`` into a plan.

    Args:
        settings: With the arguments as their sources, if there are any.
        named: The arguments: only collections, or none of them.
        full: Encode everything again.
        files_only: Leave web articles as they are, unless other addresses are named.

    Raises:
        UsageError: Some arguments are collections and others are not.
    """
    from qabot.articles import Limits
    from qabot.indexing.plan import IndexPlan

    only = tuple(dict.fromkeys(name for name in named if name in settings.collections))
    others = [name for name in named if name not in settings.collections]
    if only and others:
        raise UsageError(
            f"{only[0]} is a collection and {others[0]} is none; name collections "
            f"({', '.join(settings.collections)}) or files and folders (./{only[0]})"
        )
    return IndexPlan(
        settings.sources,
        settings.cache_folder,
        settings.collections if only or not named else {},
        only=only,
        exclude=settings.exclude,
        full=full,
        files_only=files_only,
        web=_web_options(settings),
        limits=Limits(settings.max_article_mb),
        drafts=settings.drafts,
    )


def build(
    settings: Settings,
    plan: IndexPlan,
    *,
    encoder: Encoder | None = None,
    quiet: bool = False,
    progress: bool = False,
    ray: str | None = None,
) -> Summary:
    """Rebuild the index that the settings name, showing progress.

    Args:
        encoder: The encoder to use instead of the one in the settings.
        quiet: Show no progress.
        progress: Show it as JSON.
        ray: The address of a Ray cluster that encodes.

    Raises:
        QabotError: The rebuild failed.
    """
    from qabot.encoders import open_encoder_later
    from qabot.encoders.workers import RayWorkers
    from qabot.index import open_store
    from qabot.indexing.rebuild import rebuild
    from qabot.render.progress import reporting

    # A missing source is the likelier mistake: report it before a model is loaded.
    plan.find()
    workers = RayWorkers(ray, settings.encoder, settings.cache) if ray else None
    encoder = encoder or open_encoder_later(
        settings.encoder,
        cache=settings.cache_folder,
        threads=settings.threads,
        notify=(lambda line: None) if quiet else note,
    )
    with reporting(quiet=quiet, json=progress) as report:
        return rebuild(open_store(settings), encoder, plan, report, workers)


def _web_options(settings: Settings) -> Options:
    from qabot import __version__
    from qabot.web import Options

    return Options(
        user_agent=settings.user_agent.strip() or f"qabot/{__version__}",
        gone_after=settings.gone_after,
        allow_private_addresses=settings.allow_private_addresses,
        pages=settings.web_pages,
        delay=settings.web_delay,
        timeout=settings.web_timeout,
        minutes=settings.web_minutes,
    )


def write_summary(summary: Summary, index: str | None = None) -> None:
    """Print what a rebuild did.

    Args:
        index: The index folder, if the line is to name it.
    """
    from qabot.render.rebuild import left_out_line, skipped_line, summary_parts, warning_lines

    bold, rest = summary_parts(summary, index)
    if bold:
        write_bold(bold, rest)
    else:
        write_line(rest)
    if summary.resumed:
        write_line(
            f"Went on from a killed rebuild, which had encoded {counted(passages=summary.resumed)}"
        )
    if summary.leftovers:
        write_line(f"Removed {counted(leftovers=summary.leftovers)} of killed rebuilds")
    if line := left_out_line(summary):
        write_line(line)
    for item in summary.skipped:
        complain(skipped_line(item))
    for line in warning_lines(summary):
        complain(line)
