"""One rebuild with what the settings say, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.cli.output import complain, note, write_bold, write_line
from qabot.errors import UsageError
from qabot.types import counted

if TYPE_CHECKING:
    from qabot.articles import Skipped
    from qabot.encoders import Encoder
    from qabot.indexing.rebuild import Summary
    from qabot.settings import Settings
    from qabot.web import Options


_MOST_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class Content:
    """What an index is to hold.

    Attributes:
        sources: Files, folders, patterns and addresses that are in no collection.
        collections: Name → the sources of that collection.
        only: Collections to renew, the rest staying as it is; all is renewed where none is named.
    """

    sources: tuple[str, ...]
    collections: Mapping[str, tuple[str, ...]]
    only: tuple[str, ...] = ()

    def read(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """The sources and collections of which a rebuild reads the files."""
        if self.only:
            return (), {name: self.collections[name] for name in self.only}
        return self.sources, dict(self.collections)


def content_of(settings: Settings, named: Sequence[str]) -> Content:
    """What the arguments of ``rebuild`` ask for.

    Args:
        settings: With the arguments as their sources, if there are any.
        named: The arguments: all of them collections, or none.

    Raises:
        UsageError: Some are collections and others are not.
    """
    only = tuple(dict.fromkeys(name for name in named if name in settings.collections))
    others = [name for name in named if name not in settings.collections]
    if only and others:
        raise UsageError(
            f"{only[0]} is a collection and {others[0]} is none; name collections "
            f"({', '.join(settings.collections)}) or files and folders (./{only[0]})"
        )
    return Content(settings.sources, settings.collections if only or not named else {}, only)


def build(
    settings: Settings,
    content: Content,
    *,
    encoder: Encoder | None = None,
    full: bool = False,
    files_only: bool = False,
    quiet: bool = False,
    progress: bool = False,
) -> Summary:
    """Make the index of the settings hold this.

    Args:
        encoder: The settings' own where not given.
        full: Encode everything again.
        files_only: Leave articles of the web as they are, unless other addresses are named.
        quiet: Show no progress.
        progress: Show it as JSON.

    Raises:
        QabotError: Any that a rebuild can end with.
    """
    from qabot.articles import Limits
    from qabot.encoders import open_encoder_later
    from qabot.index import IndexStore
    from qabot.indexing.rebuild import rebuild as run
    from qabot.render.progress import reporting
    from qabot.web import find_all

    # A missing source is the likelier mistake: say so before loading a model.
    find_all(*content.read(), settings.exclude)
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
            content.sources,
            collections=content.collections,
            only=content.only,
            exclude=settings.exclude,
            cache=settings.cache_folder,
            full=full,
            files_only=files_only,
            web=_web_options(settings),
            limits=Limits(settings.max_article_mb),
            drafts=settings.drafts,
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
    where = f" → {index}, generation {summary.generation}" if index else ""
    if summary.changed:
        write_bold(_held(summary), f"{_done(summary)}{where}")
    else:
        write_line(f"Nothing changed: {_held(summary)} ({summary.seconds:.1f} s){where}")
    if line := left_out_line(summary):
        write_line(line)
    for item in summary.skipped:
        complain(skipped_line(item))
    for line in summary.warnings[:_MOST_WARNINGS]:
        complain(f"warning: {line}")
    if more := summary.warnings[_MOST_WARNINGS:]:
        complain(f"{counted(warnings=len(more))} more; --json lists them all")


def left_out_line(summary: Summary) -> str:
    """How many of the files that people may miss were left out, and why; empty if none was."""
    if not summary.left_out:
        return ""
    from qabot.articles import is_expected
    from qabot.render.progress import reasons_line

    reasons = [item.reason for item in summary.left_out if is_expected(item)]
    return reasons_line(reasons) if reasons else ""


def changed_line(summary: Summary) -> str:
    """What a rebuild changed, in one line."""
    return f"{_held(summary)}{_done(summary)}, generation {summary.generation}"


def skipped_line(item: Skipped) -> str:
    """What became of a document that could not be read, in one line."""
    return f"{'kept' if item.kept else 'skipped'} {item.source}: {item.reason}"


def _held(summary: Summary) -> str:
    return counted(articles=summary.articles, passages=summary.passages)


def _done(summary: Summary) -> str:
    gone = f", {counted(articles=summary.removed)} removed" if summary.removed else ""
    done = f"{summary.encoded} encoded, {summary.reused} reused{gone}"
    return f" ({done}) in {summary.seconds:.1f} s"


def summary_json(summary: Summary) -> str:
    """The one JSON object that says what a rebuild did."""
    from qabot.render.json import dumps

    return dumps({**asdict(summary), "seconds": round(summary.seconds, 3)})
