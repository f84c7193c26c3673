"""Questions: ``ask``, one or a batch of them, and ``repl``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from qabot.cli.exits import BAD_INPUT, NOT_FOUND
from qabot.cli.inputs import lines_of, named_reader, opened_engine, settings_with
from qabot.cli.options import (
    Collection,
    Encoder,
    Index,
    Json,
    Language,
    NoReader,
    Reader,
    Since,
    Source,
    Until,
)
from qabot.cli.output import complain, note, write_line
from qabot.cli.rebuild_run import build, plan_of, write_summary
from qabot.errors import QuestionError, UsageError

if TYPE_CHECKING:
    from qabot.answering.engine import Engine
    from qabot.indexing.summary import Summary
    from qabot.settings import Settings
    from qabot.types import Filters


def ask(
    question: Annotated[
        list[str] | None, typer.Argument(metavar="QUESTION", help="In any language.")
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE", help="One question per line; - is standard input."),
    ] = None,
    *,
    collection: Collection = None,
    since: Since = None,
    until: Until = None,
    language: Language = None,
    source: Source = None,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
    json: Json = False,
) -> None:
    """Answer a question with quotes. The exit code is 1 if the articles don't answer it.

    With --batch, each line of a file is a question, and each answer is one line of JSON. --since
    and --until leave out articles without a date.

    Example: qabot ask "how many GitHub projects use PyTorch?" --since 2022-09
    """
    from qabot.answering.question import checked_question
    from qabot.types import Filters

    filters = Filters(collection, since, until, language, source)
    settings = settings_with(index=index, encoder=encoder, reader=named_reader(reader, no_reader))
    if batch is not None:
        if question:
            raise UsageError("a question and --batch were given; give one of them")
        _ask_batch(settings, batch, filters)
        return
    text = checked_question(" ".join(question or []))
    with opened_engine(settings) as engine:
        _tell_uncalibrated(engine)
        answer = engine.ask(text, filters=filters)
    if json:
        from qabot.render.json import answer_json

        write_line(answer_json(answer))
    else:
        from qabot.render.terminal import open_console, render_answer

        open_console().print(render_answer(answer))
    if answer.status == "not_found":
        raise typer.Exit(NOT_FOUND)


def _tell_uncalibrated(engine: Engine) -> None:
    if not engine.calibrated():
        note(
            "The confidence was not fitted for these models and is a rough guide; "
            "`qabot eval FILE --calibrate` fits it."
        )


def _ask_batch(settings: Settings, file: str, filters: Filters) -> None:
    from qabot.render.json import answer_json, dumps

    lines = [line for line in lines_of(file) if line.strip()]
    if not lines:
        raise QuestionError(f"{file}: no question in it; put one on each line")
    bad = 0
    with opened_engine(settings) as engine:
        _tell_uncalibrated(engine)
        for number, line in enumerate(lines, 1):
            try:
                write_line(answer_json(engine.ask(line, filters=filters)))
            except QuestionError as error:
                bad += 1
                complain(f"{file}, question {number}: {error}")
                failed = {"question": line[:80], "status": "error", "quotes": []}
                write_line(dumps({**failed, "error": str(error)}))
    if bad:
        raise typer.Exit(BAD_INPUT)


def repl(
    *,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
) -> None:
    """Chat, with history and follow-up questions. /help lists what else it can do.

    Example: qabot repl --index index
    """
    from qabot.repl import Repl

    settings = settings_with(index=index, encoder=encoder, reader=named_reader(reader, no_reader))

    with opened_engine(settings) as engine:
        _tell_uncalibrated(engine)

        def renew() -> Summary:
            built = engine.manifest()
            plan = replace(plan_of(settings), sources=built.sources, collections=built.collections)
            summary = build(settings, plan, encoder=engine.encoder)
            write_summary(summary)
            return summary

        Repl(engine, rebuild=renew).run()
