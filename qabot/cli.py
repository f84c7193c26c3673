"""The command line: parsing, wiring, exit codes; the one module that knows all others.

Everything heavy is imported by the command that needs it, so that ``--help`` is instant.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from qabot.errors import FilterError, QabotError, QuestionError, UnusableIndexError, UsageError

if TYPE_CHECKING:
    from qabot.encoders import Encoder as LoadedEncoder
    from qabot.engine import Engine
    from qabot.evaluation import Labelled
    from qabot.evaluation.reporting import Run
    from qabot.rebuild import Summary
    from qabot.settings import Settings
    from qabot.types import Filters
    from qabot.web import Options

NOT_FOUND, BAD_INPUT = 1, 2

app = typer.Typer(
    name="qabot",
    help="Answers questions about your articles with verbatim quotes, offline.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Index = Annotated[
    str | None, typer.Option("--index", metavar="DIR", help="Index folder.", show_default="index")
]
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        metavar="MODEL",
        help="Model folder, or sentence-transformers:NAME.",
        show_default="multilingual-e5-small",
    ),
]
Reader = Annotated[
    str | None,
    typer.Option(
        "--reader",
        metavar="MODEL",
        help="Folder of a transformers question-answering model.",
        show_default="qabot-reader",
    ),
]
NoReader = Annotated[
    bool, typer.Option("--no-reader", help="Quote by similarity alone: faster, less sure.")
]
Collection = Annotated[
    str | None, typer.Option("--collection", metavar="NAME", help="Only from this collection.")
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="DATE", help="Only from then on: YYYY[-MM[-DD]].")
]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DATE", help="Only up to then: YYYY[-MM[-DD]].")
]
Language = Annotated[
    str | None, typer.Option("--language", metavar="CODE", help="Only in this language: de.")
]
Source = Annotated[
    str | None, typer.Option("--source", metavar="PATH", help="Only from this file or folder.")
]
Minimum = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="METRIC=VALUE", help="A bound; may be given several times."),
]
Compare = Annotated[
    str | None,
    typer.Option("--compare", metavar="INDEX", help="Another index folder, or a settings file."),
]
Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE.png", help="Draw risk–coverage and calibration."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def main() -> NoReturn:
    """The ``qabot`` command: runs it, and turns every error into one line and an exit code."""
    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    code: object = 0
    _prepare_output()
    try:
        code = app(arguments or ["--help"], standalone_mode=False)
        sys.stdout.flush()
        if not arguments:
            code = BAD_INPUT
    except typer.Exit as stop:
        code = stop.exit_code
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe (`| head`) has seen enough; click and rich make that a SystemExit.
        code = 0
    except (KeyboardInterrupt, typer.Abort):
        _complain("interrupted")
        code = 130
    except Exception as error:
        if debug:
            raise
        code = _explain(error)
    _flush()
    sys.exit(code if isinstance(code, int) else 0)


def _prepare_output() -> None:
    """Streams that exist and take every character: UTF-8 where programs read them."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # Closed by the caller (`>&-`).
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def _flush() -> None:
    """Write what is left to be written, or drop it where that cannot be."""
    try:
        sys.stdout.flush()
    except OSError:
        # Else the interpreter tries again when it ends, and prints a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explain(error: Exception) -> int:
    """Print one line about ``error``; its exit code."""
    if isinstance(error, QabotError):
        # A filter's message begins with its name, which is a flag's here.
        _complain(f"--{error}" if isinstance(error, FilterError) else str(error))
        return error.exit_code
    usage = getattr(error, "format_message", None)
    if usage is not None:  # click's usage errors: an unknown option, a missing argument.
        _complain(f"{usage().rstrip('.')}; see `qabot --help`")
        return BAD_INPUT
    line = str(error).strip().splitlines()[0] if str(error).strip() else "no message"
    _complain(f"unexpected {type(error).__name__}: {line}; run it with --debug for the details")
    return BAD_INPUT


def _complain(line: str) -> None:
    # Names of files and folders may hold anything, a message is one line.
    printable = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    sys.stderr.write(f"qabot: {printable}\n")


@app.callback()
def _options(
    debug: Annotated[  # Taken out of the arguments in main(); here for the help page.
        bool, typer.Option("--debug", help="Show the details of an error.")
    ] = False,
) -> None:
    """Answers questions about your articles with verbatim quotes, offline."""


@app.command()
def rebuild(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE]...",
            help="Files, folders, patterns, addresses, or collections of qabot.toml; else seeds.",
        ),
    ] = None,
    index: Index = None,
    encoder: Encoder = None,
    *,
    full: Annotated[bool, typer.Option("--full", help="Encode everything again.")] = False,
    json: Json = False,
    progress: Annotated[
        bool, typer.Option("--progress", help="Print progress as JSON on standard error.")
    ] = False,
) -> None:
    """Build the index, or bring it up to date: only what changed is encoded.

    Without a SOURCE, the index holds what the settings name: sources and collections. With names of
    collections, only these are renewed; all others stay as they are. With files and folders, the
    index holds these and nothing else.

    Questions go on being answered meanwhile. Documents that cannot be read are named and left out;
    the exit code is then 2, and the rest is indexed.

    Example: qabot rebuild seeds ~/notes/meeting.md
    """
    settings = _settings(index=index, encoder=encoder, sources=tuple(sources) if sources else None)
    only = _named_collections(settings, sources or ())
    summary = _rebuild(
        settings,
        settings.sources,
        collections=settings.collections if only or not sources else {},
        only=only,
        full=full,
        quiet=json,
        progress=progress,
    )
    if json:
        _print(_summary_json(summary))
    else:
        _print_summary(summary, settings.index)
    if summary.skipped:
        raise typer.Exit(BAD_INPUT)


@app.command()
def ask(
    question: Annotated[
        list[str] | None, typer.Argument(metavar="[QUESTION]", help="In any language.")
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE", help="One question a line; - is standard input."),
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

    With --batch, each line of a file is a question and each answer one line of JSON. Articles
    without a date are left out where --since or --until is given.

    Example: qabot ask "who is on the PyTorch Foundation board?" --since 2022-09
    """
    from qabot.engine import checked_question
    from qabot.types import Filters

    filters = Filters(collection, since, until, language, source)
    settings = _settings(index=index, encoder=encoder, reader=_reader(reader, no_reader))
    if batch is not None:
        if question:
            raise UsageError("a question and --batch were given; give one of them")
        _ask_batch(settings, batch, filters)
        return
    text = checked_question(" ".join(question or []))
    with _engine(settings) as engine:
        answer = engine.ask(text, filters=filters)
    if json:
        from qabot.render.json import answer_json

        _print(answer_json(answer))
    else:
        from qabot.render.terminal import open_console, render_answer

        open_console().print(render_answer(answer))
    if answer.status == "not_found":
        raise typer.Exit(NOT_FOUND)


@app.command()
def repl(
    *,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
) -> None:
    """Ask in a chat: history, follow-up questions, and commands such as /more and /rebuild.

    Example: qabot repl --index index
    """
    from qabot.conversation import standalone
    from qabot.repl import Repl

    settings = _settings(index=index, encoder=encoder, reader=_reader(reader, no_reader))

    with _engine(settings) as engine:

        def renew() -> Summary:
            built = engine.manifest()
            summary = _rebuild(
                settings, built.sources, collections=built.collections, encoder=engine.encoder
            )
            _print_summary(summary)
            return summary

        Repl(engine, rebuild=renew, standalone=standalone).run()


@app.command()
def bot(
    *,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
    sync: Annotated[
        bool, typer.Option("--sync", help="Register the commands anew, changed or not.")
    ] = False,
) -> None:
    """Answer in Discord until stopped. The token is read from QABOT_TOKEN, or from a file.

    Example: QABOT_TOKEN=… qabot bot
    """
    from qabot.bot.tokens import read_token

    settings = _settings(index=index, encoder=encoder, reader=_reader(reader, no_reader))
    token = read_token(settings.token_file, os.environ)  # The likelier mistake comes first.
    from qabot.bot import create_bot
    from qabot.bot.running import run_bot
    from qabot.rebuild_process import RebuildProcess

    with _engine(settings) as engine:
        renew = RebuildProcess(
            settings.index,
            settings.encoder,
            settings.cache,
            has_collections=lambda: bool(engine.manifest().collections),
        )
        made = create_bot(engine, settings, rebuild=renew)
        made.sync_always = sync
        run_bot(made, token, notify=_note)


@app.command()
def feedback(index: Index = None, json: Json = False) -> None:
    """Print what people in Discord thought of the answers: helpful, or not helpful.

    Example: qabot feedback --json > feedback.jsonl
    """
    from qabot.bot.state import State, state_path
    from qabot.render.feedback import feedback_json, feedback_lines

    path = state_path(_settings(index=index).index)
    if not path.exists():
        raise UsageError(f"{path}: no bot has run with this index; start one with `qabot bot`")
    with State(path) as state:
        found = list(state.feedback())
    for line in map(feedback_json, found) if json else feedback_lines(found):
        _print(line)


@app.command()
def articles(index: Index = None, json: Json = False) -> None:
    """List the articles of the index.

    Example: qabot articles --json
    """
    settings = _settings(index=index)
    with _generation(settings) as generation:
        infos = generation.database.infos()
        counts = generation.database.passage_counts()
    if json:
        from qabot.render.json import dumps, listed_object

        for info in infos:
            _print(dumps({**listed_object(info), "passages": counts[info.id]}))
        return
    from qabot.render.terminal import open_console, render_articles

    open_console().print(render_articles(infos, counts))


@app.command()
def show(
    article: Annotated[str, typer.Argument(help="Its id, or how its id or title begins.")],
    index: Index = None,
    json: Json = False,
) -> None:
    """Print an article as it is indexed: the text that all offsets refer to.

    Example: qabot show log4shell.en
    """
    from qabot.engine import find_article

    with _generation(_settings(index=index)) as generation:
        found = find_article(generation.database, article)
    if json:
        from qabot.render.json import article_json

        _print(article_json(found))
        return
    from qabot.render.terminal import open_console, render_article

    open_console().print(render_article(found))


@app.command()
def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `qabot ask --json` printed.")],
    index: Index = None,
    json: Json = False,
) -> None:
    """Check saved answers: whether each quote stands, to the character, where it says.

    The exit code is 1 if one does not.

    Example: qabot ask --json "who invented it?" > answer.json; qabot verify answer.json
    """
    from qabot.verify import check_answers, read_answers

    answers = read_answers(_read_lines(file), file)
    with _generation(_settings(index=index)) as generation:
        checks = check_answers(answers, generation.database.article)
    wrong = [check for check in checks if check.problem]
    if json:
        from qabot.render.json import dumps

        for check in checks:
            _print(dumps(check.as_object()))
    else:
        for check in wrong:
            _print(f"{check.place}: {check.problem}")
        _print(f"{len(checks) - len(wrong)} of {len(checks)} quotes are verbatim")
    if wrong:
        raise typer.Exit(NOT_FOUND)


@app.command()
def doctor(index: Index = None, encoder: Encoder = None, json: Json = False) -> None:
    """Look at the settings, sources, model, index, disk and token, and say what to do about faults.

    Nothing is changed. The exit code is 3 if the index has a fault, 2 if anything else has.

    Example: qabot doctor --json
    """
    from dataclasses import asdict

    from qabot.doctor import examine, exit_code
    from qabot.render.json import dumps

    checks = []
    for check in examine({"index": index, "encoder": encoder}, os.environ):
        checks.append(check)
        if not json:
            remedy = f"; {check.remedy}" if check.remedy else ""
            _print(f"{check.status:8}{check.name:10}{check.detail}{remedy}")
    code = exit_code(checks)
    if json:
        _print(dumps({"healthy": code == 0, "checks": [asdict(check) for check in checks]}))
    if code:
        raise typer.Exit(code)


@app.command()
def rollback(
    number: Annotated[
        int | None, typer.Argument(metavar="[N]", help="Its number.", show_default="the one before")
    ] = None,
    index: Index = None,
    json: Json = False,
) -> None:
    """Return to an earlier generation of the index, in one step.

    The setting `keep` says how many there are. The next rebuild brings the index up to date again,
    under a new number.

    Example: qabot rollback 7
    """
    from qabot.index import IndexStore

    store = IndexStore(Path(_settings(index=index).index))
    before = None
    with suppress(UnusableIndexError):  # It may be damaged: all the more reason to go back.
        before = store.manifest().encoder
    manifest = store.rollback(number)
    if before and manifest.encoder != before:
        _complain(
            f"generation {manifest.generation} was made by {manifest.encoder.name}, and not as "
            f"{before.name} makes it now; ask it with that model by --encoder or the setting "
            "encoder, or run `qabot rebuild`"
        )
    if json:
        from qabot.render.json import dumps

        fields = ("generation", "created", "articles", "passages")
        _print(dumps({name: getattr(manifest, name) for name in fields}))
        return
    held = f"{manifest.articles} articles, {manifest.passages} passages"
    _print(f"Generation {manifest.generation} is live: {held}, built {manifest.created}")


@app.command("eval")
def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled questions, JSON lines.")],
    *,
    minimum: Minimum = None,
    compare: Compare = None,
    plot: Plot = None,
    index: Index = None,
    encoder: Encoder = None,
    reader: Reader = None,
    no_reader: NoReader = False,
    json: Json = False,
) -> None:
    """Measure how well an index answers labelled questions. Exits with 1 if a bound is missed.

    Each line of FILE is {"question": …, "article": ID or null, "answers": [texts of the article],
    "language": "de"}; without article and answers, "not found" is right. The first column of what
    is printed names the metrics for --min. --compare takes a settings file that ends in .toml, too.

    Example: qabot eval seeds/questions.jsonl --min quote_hit@3=0.8 --min auroc=0.85
    """
    from qabot.evaluation import plotting, read_bounds, read_questions

    bounds = read_bounds(minimum or [])
    questions = read_questions(_read_lines(file), file)
    if plot:
        plotting.check_plot(plot)
    models = {"encoder": encoder, "reader": _reader(reader, no_reader)}
    settings = _settings(index=index, **models)
    runs = [_measure(questions, file, settings, settings.index)]
    if compare:
        runs.append(_measure(questions, file, _other_settings(compare, models), compare))
    missed = [bound.problem(runs[0].measurement.figures) for bound in bounds]
    if plot:
        plotting.plot(runs, plot)
    _print_runs(runs, json=json)
    for problem in filter(None, missed):
        _complain(problem)
    if any(missed):
        raise typer.Exit(NOT_FOUND)


def _measure(questions: list[Labelled], file: str, settings: Settings, name: str) -> Run:
    from msgspec.structs import replace

    from qabot.evaluation import ask_all, measure
    from qabot.evaluation.reporting import Run

    # Quotes are judged whatever the confidence; the threshold is applied to the figures.
    with _engine(replace(settings, threshold=0.0)) as engine:
        outcomes = list(ask_all(engine, questions, where=settings.index))
        manifest = engine.manifest()
    measured = measure(outcomes, settings.threshold)
    return Run(file, name, manifest.generation, manifest.encoder.name, measured)


def _other_settings(compare: str, models: Mapping[str, str | None]) -> Settings:
    """The settings for ``--compare``: those in force with another index, or those of a file."""
    from qabot.settings import load_settings

    if compare.endswith(".toml"):
        return load_settings(file=Path(compare))
    return _settings(index=compare, **models)


def _print_runs(runs: list[Run], *, json: bool) -> None:
    from qabot.evaluation import compare, reporting
    from qabot.render.json import dumps
    from qabot.render.terminal import open_console

    if len(runs) == 1:
        if json:
            _print(dumps(reporting.run_object(runs[0])))
        else:
            open_console().print(reporting.render_run(runs[0]))
        return
    first, second = runs
    differences = compare(first.measurement, second.measurement)
    if json:
        _print(dumps(reporting.comparison_object(first, second, differences)))
    else:
        open_console().print(reporting.render_comparison(first, second, differences))


def _ask_batch(settings: Settings, file: str, filters: Filters) -> None:
    from qabot.render.json import answer_json, dumps

    lines = [line for line in _read_lines(file) if line.strip()]
    if not lines:
        raise QuestionError(f"{file}: holds no question; put one on each line")
    bad = 0
    with _engine(settings) as engine:
        for number, line in enumerate(lines, 1):
            try:
                _print(answer_json(engine.ask(line, filters=filters)))
            except QuestionError as error:
                bad += 1
                _complain(f"{file}, question {number}: {error}")
                failed = {"question": line[:80], "status": "error", "quotes": []}
                _print(dumps({**failed, "error": str(error)}))
    if bad:
        raise typer.Exit(BAD_INPUT)


def _read_lines(file: str) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        # Only what ends a line in files: splitlines() would cut at U+2028, which JSON may hold.
        return io.StringIO(data.decode("utf-8-sig"), newline=None).read().split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; name a file with text") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file}: not UTF-8 text; convert it") from error


def _reader(reader: str | None, no_reader: bool) -> str | None:
    """The reader that the flags name."""
    if reader and no_reader:
        raise UsageError("--reader and --no-reader were given; give one of them")
    return "none" if no_reader else reader


def _settings(**flags: Any) -> Settings:
    from qabot.settings import load_settings

    return load_settings(flags)


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    from qabot.engine import Engine

    with Engine.open(settings=settings, notify=_note) as engine:
        yield engine


@contextmanager
def _generation(settings: Settings) -> Iterator[Any]:
    from qabot.index import IndexStore

    generation = IndexStore(Path(settings.index)).open()
    try:
        yield generation
    finally:
        generation.close()


def _named_collections(settings: Settings, named: Sequence[str]) -> tuple[str, ...]:
    """The collections among the arguments of ``rebuild``: all of them are, or none."""
    only = tuple(dict.fromkeys(name for name in named if name in settings.collections))
    others = [name for name in named if name not in settings.collections]
    if only and others:
        raise UsageError(
            f"{only[0]} is a collection and {others[0]} is none; name collections "
            f"({', '.join(settings.collections)}) or files and folders (./{only[0]})"
        )
    return only


def _rebuild(
    settings: Settings,
    sources: tuple[str, ...],
    *,
    collections: Mapping[str, tuple[str, ...]],
    only: tuple[str, ...] = (),
    encoder: LoadedEncoder | None = None,
    full: bool = False,
    quiet: bool = False,
    progress: bool = False,
) -> Summary:
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
        notify=(lambda line: None) if quiet else _note,
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


def _print_summary(summary: Summary, index: str | None = None) -> None:
    """Say what a rebuild did, and where the index is if that is asked for."""
    held = f"{summary.articles} articles, {summary.passages} passages"
    seconds = f"{summary.seconds:.1f} s"
    where = f" → {index}, generation {summary.generation}" if index else ""
    if summary.changed:
        done = f"{summary.encoded} encoded, {summary.reused} reused"
        gone = f", {summary.removed} articles removed" if summary.removed else ""
        _print_bold(held, f" ({done}{gone}) in {seconds}{where}")
    else:
        _print(f"Nothing changed: {held} ({seconds}){where}")
    if summary.left_out:
        from qabot.progress import left_out_line

        _print(left_out_line(summary))
    for item in summary.skipped:
        _complain(f"{'kept' if item.kept else 'skipped'} {item.source}: {item.reason}")


def _print_bold(bold: str, rest: str) -> None:
    from rich.text import Text

    from qabot.render.terminal import open_console

    open_console().print(Text.assemble((bold, "bold"), rest))


def _summary_json(summary: Summary) -> str:
    from dataclasses import asdict

    from qabot.render.json import dumps

    return dumps({**asdict(summary), "seconds": round(summary.seconds, 3)})


def _note(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
