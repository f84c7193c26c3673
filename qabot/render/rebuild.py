"""A rebuild's progress and result, for the terminal, as JSON and for Discord."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING

from qabot.articles import is_expected
from qabot.render.json import dumps
from qabot.render.translations import mark, number_text, percent_text, plural, translate
from qabot.types import counted

if TYPE_CHECKING:
    from qabot.articles import Skipped
    from qabot.indexing.summary import Progress, Summary
    from qabot.render.discord import View

STAGES = {
    "fetching": mark("Fetching pages"),
    "reading": mark("Reading articles"),
    "preparing": mark("Preparing the model (first time only)"),
    "encoding": mark("Encoding passages"),
    "indexing": mark("Waiting for the server to index"),
    "writing": mark("Writing the index"),
}
_BAR = 12
_SKIPPED = 5
_REASONS = 5
_WARNINGS = 20
# Two lists of five fit an embed.
_LONGEST_SOURCE, _LONGEST_REASON = 80, 150

# --- JSON -----------------------------------------------------------------------------------------


def summary_json(summary: Summary) -> str:
    """Return what a rebuild did as one JSON object."""
    return dumps({**asdict(summary), "seconds": round(summary.seconds, 3)})


def progress_json(progress: Progress) -> str:
    """Return a rebuild's progress as one JSON object."""
    return dumps(asdict(progress))


# --- The terminal ---------------------------------------------------------------------------------


def summary_parts(summary: Summary, index: str | None = None) -> tuple[str, str]:
    """Return the line that says what a rebuild did: its beginning, in bold, and the rest.

    Args:
        index: The index folder, if the line is to name it.
    """
    where = f" → {index}, generation {summary.generation}" if index else ""
    if summary.changed:
        return _held(summary), f"{_done(summary)}{where}"
    return "", f"Nothing changed: {_held(summary)} ({summary.seconds:.1f} s){where}"


def summary_line(summary: Summary) -> str:
    """Return what a rebuild did, for a log."""
    if not summary.changed:
        return f"nothing new, generation {summary.generation}"
    return f"{_held(summary)}{_done(summary)}, generation {summary.generation}"


def left_out_line(summary: Summary) -> str:
    """Count the files that were left out and may be missed, by reason; empty if there are none."""
    reasons = [item.reason for item in summary.left_out if is_expected(item)]
    return reasons_line(reasons) if reasons else ""


def reasons_line(reasons: Iterable[str]) -> str:
    """Count the files that were left out by reason, most frequent first, on one line."""
    counts = Counter(reasons).most_common()
    shown = [f"{count} {reason}" for reason, count in counts[:_REASONS]]
    others = sum(count for _, count in counts[_REASONS:])
    return f"Left out: {', '.join([*shown, *([f'{others} others'] if others else [])])}"


def skipped_line(item: Skipped) -> str:
    """Return what became of a document that could not be read."""
    return f"{'kept' if item.kept else 'skipped'} {item.source}: {item.reason}"


def warning_lines(summary: Summary) -> list[str]:
    """Return the first warnings, and the number of others."""
    lines = [f"warning: {warning}" for warning in summary.warnings[:_WARNINGS]]
    more = len(summary.warnings) - _WARNINGS
    return [
        *lines,
        *([f"{counted(warnings=more)} more; --json lists them all"] if more > 0 else []),
    ]


def _held(summary: Summary) -> str:
    return counted(articles=summary.articles, passages=summary.passages)


def _done(summary: Summary) -> str:
    gone = f", {counted(articles=summary.removed)} removed" if summary.removed else ""
    done = f"{summary.encoded} encoded, {summary.reused} reused{gone}"
    return f" ({done}) in {summary.seconds:.1f} s"


# --- Discord --------------------------------------------------------------------------------------


def progress_view(progress: Progress | None, locale: str) -> View:
    """Show how far a rebuild is; ``None`` before it has begun."""
    from qabot.render.discord import View

    title = translate("The articles are being renewed", locale)
    footer = translate("Questions are answered meanwhile.", locale)
    if progress is None:
        return View(title, (translate("Starting …", locale),), footer)
    share = _share(progress)
    full = round(share * _BAR)
    stage = translate(STAGES[progress.stage], locale)
    lines = [f"**{stage}**", f"{'▰' * full}{'▱' * (_BAR - full)} {percent_text(share, locale)}"]
    if progress.stage == "encoding" and progress.passages:
        n = progress.passages
        count = number_text(n, locale)
        lines.append(
            plural("{count} passage so far", "{count} passages so far", n, locale, count=count)
        )
    return View(title, ("\n".join(lines),), footer)


def finished_view(summary: Summary, locale: str) -> View:
    """Show what a rebuild did."""
    from qabot.render.discord import View

    title = (
        translate("The articles are renewed", locale)
        if summary.changed
        else translate("Nothing has changed in the articles", locale)
    )
    rows = [
        (translate("Articles", locale), summary.articles),
        (translate("Passages", locale), summary.passages),
        (translate("Generation", locale), summary.generation),
    ]
    if summary.changed:
        rows += [
            (translate("New passages", locale), summary.encoded),
            (translate("Unchanged passages", locale), summary.reused),
            (translate("Articles removed", locale), summary.removed),
        ]
    lines = [f"**{name}:** {number_text(number, locale)}" for name, number in rows]
    return View(title, ("\n".join(lines), *_problems(summary, locale)))


def running_text(progress: Progress | None, locale: str, *, offered: bool = True) -> str:
    """Say that a rebuild is running and how far it is, or that rebuilds are not offered."""
    if not offered:
        return translate("The articles cannot be renewed from Discord.", locale)
    if progress is None:
        return translate("The articles are being renewed already. Please wait until then.", locale)
    return translate(
        "The articles are being renewed already: {stage}, {share}. Please wait until then.",
        locale,
        stage=translate(STAGES[progress.stage], locale),
        share=percent_text(_share(progress), locale),
    )


def _problems(summary: Summary, locale: str) -> list[str]:
    """List the documents that could not be read: first those left out, then those kept."""
    kept = [item for item in summary.skipped if item.kept]
    left_out = [item for item in summary.skipped if not item.kept]
    n, m = len(left_out), len(kept)
    headings = (
        (plural("{n} document was left out:", "{n} documents were left out:", n, locale), left_out),
        (
            plural(
                "{n} address could not be read; what it held is kept:",
                "{n} addresses could not be read; what they held is kept:",
                m,
                locale,
            ),
            kept,
        ),
    )
    return [_listed(heading, items) for heading, items in headings if items]


def _listed(heading: str, skipped: Sequence[Skipped]) -> str:
    from qabot.render.markup import one_line

    lines = [
        f"- {one_line(_name(item.source), _LONGEST_SOURCE)}: "
        f"{one_line(item.reason, _LONGEST_REASON)}"
        for item in skipped[:_SKIPPED]
    ]
    return "\n".join([heading, *lines, *(["…"] if len(skipped) > _SKIPPED else [])])


def _name(source: str) -> str:
    """Return a source as everybody may read it: not where this machine keeps it."""
    return source if "://" in source else PurePath(source).name


def _share(progress: Progress) -> float:
    return min(progress.done / max(progress.total, 1), 1.0)
