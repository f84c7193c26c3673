"""The command line: parsing, wiring and exit codes; the only package that imports all others.

Each command imports its heavy libraries itself, so that ``--help`` is instant. ``options``
declares options, ``inputs`` opens what they name, ``output`` prints, ``exits`` maps errors to exit
codes, and ``rebuild_run`` runs one rebuild; every other module is a group of commands.
"""

from __future__ import annotations

import sys
import traceback
from typing import Annotated, NoReturn

import typer

from qabot.cli import ask, bot, evaluate, inspection, maintenance, mcp, rebuild
from qabot.cli.exits import BAD_INPUT, explain
from qabot.cli.output import complain, flush, prepare_output
from qabot.processes import hide_secrets
from qabot.signals import INTERRUPTED, TerminatedError, ignore_interrupts, was_interrupted

app = typer.Typer(
    name="qabot",
    help="Answers questions about your articles with verbatim quotes, offline.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    debug: Annotated[  # main() removes it from the arguments; it is here for the help page.
        bool, typer.Option("--debug", help="Show the details of an error.")
    ] = False,
) -> None:
    """Answers questions about your articles with verbatim quotes, offline."""


# In the order of the help page.
for command in (
    rebuild.rebuild,
    ask.ask,
    ask.repl,
    bot.bot,
    mcp.mcp,
    inspection.feedback,
    inspection.articles,
    inspection.show,
    inspection.verify,
    maintenance.doctor,
    maintenance.rollback,
):
    app.command()(command)
app.command("eval")(evaluate.evaluate)


def main() -> NoReturn:
    """Run the ``qabot`` command; every error becomes one line and an exit code."""
    debug = "--debug" in sys.argv[1:]
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    code: object = 0
    prepare_output()
    try:
        # As app() would, but without a blank line of its own when it is interrupted.
        with typer.main.get_command(app).make_context(
            "qabot", [*arguments] or ["--help"]
        ) as context:
            code = context.command.invoke(context)
        sys.stdout.flush()
    except typer.Exit as stop:
        # Without a command, the help page is printed.
        code = stop.exit_code if arguments else BAD_INPUT
    except TerminatedError:
        raise
    except (BrokenPipeError, SystemExit):
        # The reader of a pipe (`| head`) closed it; click and rich turn that into SystemExit.
        code = 0
    except (KeyboardInterrupt, typer.Abort):
        code = _interrupted()
    except Exception as error:  # noqa: BLE001 (every error becomes a line and an exit code)
        if was_interrupted():
            code = _interrupted()
        elif debug:
            sys.stderr.write(hide_secrets(traceback.format_exc()))
            code = 1
        else:
            code = explain(error)
    flush()
    sys.exit(code if isinstance(code, int) else 0)


def _interrupted() -> int:
    """Say so on one line, and return the exit code."""
    ignore_interrupts()
    complain("interrupted")
    return INTERRUPTED
