"""One rebuild with what the settings say, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.cli.output import complain, note, write_bold, write_line

if TYPE_CHECKING:
    from qabot.encoders import Encoder
    from qabot.rebuild import Summary
    from qabot.settings import Settings
    from qabot.web import Options


def build(
    settings: Settings,
    sources: tuple[str, ...],
    *,
    collections: Mapping[str, tuple[str, ...]],
    only: tuple[str, ...] = (),
    encoder: Encoder | None = None,
    full: bool = False,
    quiet: bool = False,
    progress: bool = False,
) -> Summary:
    """Make the index of the settings hold what ``sources`` and ``collections`` hold.

    Args:
        only: Names of collections; only these are renewed, where some are named.
        encoder: The settings' own where not given.
        full: Encode everything again.
        quiet: Show no progress.
        progress: Show it as JSON.

    Raises:
        QabotError: Any that a rebuild can end with.
    """
    from qabot.articles import Limits
    from qabot.encoders import open_encoder_later
    from qabot.index import IndexStore
    from qabot.progress import reporting
    from qabot.rebuild import rebuild as run
    from qabot.web import find_all

    # A missing source is the likelier mistake: say so before loading a model.
    if only:
        find_all((), {name: collections[name] for name in only}, settings.exclude)
    else:
        find_all(sources, collections, settings.exclude)
    encoder = encoder or open_encoder_later(
        settings.encoder,
        cache=settings.cache_folder,
        threads=settings.threads,
        notify=(lambda line: None) if quiet else note,
    )
    with reporting(quiet=quiet, json=progress) as report:
        return run(
            IndexStore(Path(settings.index), keep=settings.keep),
            encoder,
            sources,
            collections=collections,
            only=only,
            exclude=settings.exclude,
            cache=settings.cache_folder,
            full=full,
            web=_web_options(settings),
            limits=Limits(settings.max_article_mb),
            report=report,
        )


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
    """Say what a rebuild did, and where the index is if that is asked for."""
    held = f"{summary.articles} articles, {summary.passages} passages"
    seconds = f"{summary.seconds:.1f} s"
    where = f" → {index}, generation {summary.generation}" if index else ""
    if summary.changed:
        done = f"{summary.encoded} encoded, {summary.reused} reused"
        gone = f", {summary.removed} articles removed" if summary.removed else ""
        write_bold(held, f" ({done}{gone}) in {seconds}{where}")
    else:
        write_line(f"Nothing changed: {held} ({seconds}){where}")
    if summary.left_out:
        from qabot.articles import is_expected
        from qabot.progress import left_out_line

        if reasons := [item.reason for item in summary.left_out if is_expected(item)]:
            write_line(left_out_line(reasons))
    for item in summary.skipped:
        complain(f"{'kept' if item.kept else 'skipped'} {item.source}: {item.reason}")


def summary_json(summary: Summary) -> str:
    """The one JSON object that says what a rebuild did."""
    from dataclasses import asdict

    from qabot.render.json import dumps

    return dumps({**asdict(summary), "seconds": round(summary.seconds, 3)})
