"""Texts about rebuilds; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qabot.render.discord import View
from qabot.render.markup import one_line
from qabot.render.translations import mark, number_text, percent_text, plural, translate

if TYPE_CHECKING:
    from qabot.articles import Skipped
    from qabot.indexing.rebuild import Progress, Summary

_STAGES = {
    "fetching": mark("Fetching the pages"),
    "reading": mark("Reading the articles"),
    "preparing": mark("Learning languages (once a model)"),
    "encoding": mark("Encoding passages"),
    "writing": mark("Writing the index"),
}
_BAR = 12
_SKIPPED = 5


def progress_view(progress: Progress | None, locale: str) -> View:
    """Show the progress of a rebuild; ``None`` before it has begun."""
    title = translate("The articles are being renewed", locale)
    footer = translate("Questions are answered meanwhile.", locale)
    if progress is None:
        return View(title, (translate("Starting …", locale),), footer)
    share = _share(progress)
    full = round(share * _BAR)
    stage = translate(_STAGES.get(progress.stage, progress.stage), locale)
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
    kept = [item for item in summary.skipped if item.kept]
    left_out = [item for item in summary.skipped if not item.kept]
    n, m = len(left_out), len(kept)
    reasons = (
        _reasons(
            plural("{n} document was left out:", "{n} documents were left out:", n, locale),
            left_out,
        ),
        _reasons(
            plural(
                "{n} address could not be read; what it held is kept:",
                "{n} addresses could not be read; what they held is kept:",
                m,
                locale,
            ),
            kept,
        ),
    )
    return View(title, ("\n".join(lines), *filter(None, reasons)))


def running_text(progress: Progress | None, locale: str, *, offered: bool = True) -> str:
    """Say that a rebuild runs, with its progress, or that none is offered."""
    if not offered:
        return translate("The articles cannot be renewed from Discord.", locale)
    if progress is None:
        return translate("The articles are being renewed already. Please wait until then.", locale)
    return translate(
        "The articles are being renewed already: {stage}, {share}. Please wait until then.",
        locale,
        stage=translate(_STAGES.get(progress.stage, progress.stage), locale),
        share=percent_text(_share(progress), locale),
    )


def _reasons(heading: str, skipped: Sequence[Skipped]) -> str:
    """List the first documents that could not be read, with reasons; empty if there are none."""
    if not skipped:
        return ""
    lines = [
        f"- {one_line(item.source, 150)}: {one_line(item.reason, 250)}"
        for item in skipped[:_SKIPPED]
    ]
    return "\n".join([heading, *lines, *(["…"] if len(skipped) > _SKIPPED else [])])


def _share(progress: Progress) -> float:
    return min(progress.done / max(progress.total, 1), 1.0)
