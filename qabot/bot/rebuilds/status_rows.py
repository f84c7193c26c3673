"""The rows about rebuilds in ``/status``; pure."""

from __future__ import annotations

from qabot.bot.rebuilds.automatic import Schedule
from qabot.bot.rebuilds.runner import SOMEBODY, Outcome
from qabot.errors import QabotError
from qabot.render.markup import one_line
from qabot.render.translations import translate

_LONGEST_REASON = 500


def rebuild_rows(
    last: Outcome | None, schedule: Schedule, locale: str, *, is_running: bool, manages: bool
) -> list[tuple[str, str]]:
    """Describe the last rebuild and the next one, if any: names and values.

    Args:
        is_running: True while a rebuild runs.
        manages: True if the person may rebuild; others see neither names nor reasons.
    """
    rows = []
    if last:
        rows.append((translate("Last rebuild", locale), _last(last, locale, manages=manages)))
    due = translate("running now", locale) if is_running else _next(schedule, locale)
    if due:
        rows.append((translate("Next rebuild", locale), due))
    return rows


def _last(last: Outcome, locale: str, *, manages: bool) -> str:
    # Discord shows a time in each reader's zone and language.
    when, outcome = f"<t:{int(last.ended)}:R>", _outcome(last, locale, manages=manages)
    if last.by is None:
        return translate("{when}, by myself: {outcome}", locale, when=when, outcome=outcome)
    if not manages or last.by == SOMEBODY:
        return translate(
            "{when}, asked for by a manager: {outcome}", locale, when=when, outcome=outcome
        )
    return translate(
        "{when}, asked for by {person}: {outcome}",
        locale,
        when=when,
        person=f"<@{last.by}>",
        outcome=outcome,
    )


def _outcome(last: Outcome, locale: str, *, manages: bool) -> str:
    if isinstance(last.error, QabotError) and manages:
        reason = one_line(str(last.error), _LONGEST_REASON)
        return translate("it failed ({reason})", locale, reason=reason)
    if last.summary is None:
        return translate("it failed; the articles are as they were", locale)
    if last.summary.changed:
        return translate("the articles were renewed", locale)
    return translate("nothing had changed", locale)


def _next(schedule: Schedule, locale: str) -> str:
    when = f"<t:{int(schedule.at)}:R>" if schedule.at else ""
    if schedule.on_change and when:
        return translate("when the articles change, at the latest {when}", locale, when=when)
    return translate("when the articles change", locale) if schedule.on_change else when
