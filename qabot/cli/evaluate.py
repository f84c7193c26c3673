"""The command ``eval``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qabot.cli.exits import NOT_FOUND
from qabot.cli.inputs import lines_of, named_reader, opened_engine, settings_with
from qabot.cli.options import (
    Calibrate,
    Compare,
    Encoder,
    Index,
    Json,
    Minimum,
    NoReader,
    Plot,
    Reader,
)
from qabot.cli.output import complain, write_line

if TYPE_CHECKING:
    from qabot.evaluation import Labelled
    from qabot.evaluation.reports import Run
    from qabot.settings import Settings


def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled questions, JSON lines.")],
    *,
    minimum: Minimum = None,
    compare: Compare = None,
    plot: Plot = None,
    calibrate: Calibrate = False,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
    json: Json = False,
) -> None:
    """Measure how well an index answers labelled questions. Exits with 1 if a bound is missed.

    Each line of FILE is {"question": …, "article": ID or null, "answers": [texts of the article],
    "language": "de"}. Without article and answers, the right answer is "not found"; "why" may then
    name a kind of such questions, to get figures for each kind. The first column of the report has
    the names of metrics for --min. --compare also takes a settings file (.toml).

    Example: qabot eval seeds/questions.jsonl --min quote_hit@3=0.8 --min auroc=0.85
    """
    from qabot.evaluation import plots, read_bounds, read_questions

    bounds = read_bounds(minimum or [])
    questions = read_questions(lines_of(file), file)
    if plot:
        plots.check_plot(plot)
    models = {"encoder": encoder, "reader": named_reader(reader, no_reader)}
    settings = settings_with(index=index, **models)
    if calibrate:
        _calibrate(questions, file, settings)
    runs = [_measure(questions, file, settings, settings.index)]
    if compare:
        runs.append(_measure(questions, file, _other_settings(compare, models), compare))
    missed = [bound.problem(runs[0].measurement.figures) for bound in bounds]
    if plot:
        plots.plot(runs, plot)
    _print_runs(runs, json=json)
    for problem in filter(None, missed):
        complain(problem)
    if any(missed):
        raise typer.Exit(NOT_FOUND)


def _calibrate(questions: list[Labelled], file: str, settings: Settings) -> None:
    from qabot.answering.fitted import save
    from qabot.cli.output import note
    from qabot.errors import StorageError
    from qabot.evaluation import calibrate
    from qabot.index_address import folder_of

    with opened_engine(settings) as engine:
        models = calibrate(engine, questions, where=settings.index)
        try:
            path = save(folder_of(settings.index), engine.encoder, engine.reader, models)
        except OSError as error:
            raise StorageError(
                f"{settings.index}: the confidence cannot be written ({error.strerror})"
            ) from error
    note(
        f"{path}: the confidence is fitted on the {len(questions)} questions of {file}; the "
        "figures are of the same questions, so others will do a little worse"
    )


def _measure(questions: list[Labelled], file: str, settings: Settings, name: str) -> Run:
    from msgspec.structs import replace

    from qabot.evaluation import ask_all, measure
    from qabot.evaluation.reports import Run

    # Quotes are judged at any confidence; the threshold is applied to the figures.
    with opened_engine(replace(settings, threshold=0.0)) as engine:
        outcomes = list(ask_all(engine, questions, where=settings.index))
        manifest = engine.manifest()
    measured = measure(outcomes, settings.threshold)
    return Run(file, name, manifest.generation, manifest.encoder.name, measured)


def _other_settings(compare: str, models: Mapping[str, str | None]) -> Settings:
    """Load the settings for ``--compare``: a file's, or those in force with another index."""
    from qabot.settings import load_settings

    if compare.endswith(".toml"):
        return load_settings(file=Path(compare))
    return settings_with(index=compare, **models)


def _print_runs(runs: list[Run], *, json: bool) -> None:
    from qabot.evaluation import compare, reports
    from qabot.render.json import dumps
    from qabot.render.terminal import open_console

    if len(runs) == 1:
        if json:
            write_line(dumps(reports.run_object(runs[0])))
        else:
            open_console().print(reports.render_run(runs[0]))
        return
    first, second = runs
    differences = compare(first.measurement, second.measurement)
    if json:
        write_line(dumps(reports.comparison_object(first, second, differences)))
    else:
        open_console().print(reports.render_comparison(first, second, differences))
