"""Commands to inspect an index and its answers."""

from __future__ import annotations

from typing import Annotated

import typer

from qabot.cli.exits import NOT_FOUND
from qabot.cli.inputs import lines_of, opened_generation, settings_with
from qabot.cli.options import Index, Json
from qabot.cli.output import write_line
from qabot.errors import UsageError


def articles(index: Index = None, json: Json = False) -> None:
    """List the articles of the index.

    Example: qabot articles --json
    """
    settings = settings_with(index=index)
    with opened_generation(settings) as generation:
        infos = generation.database.infos()
        counts = generation.database.passage_counts()
    if json:
        from qabot.render.json import as_dict, dumps, listed_object

        for info in infos:
            write_line(dumps({**as_dict(listed_object(info)), "passages": counts[info.id]}))
        return
    from qabot.render.terminal import open_console, render_articles

    open_console().print(render_articles(infos, counts))


def show(
    article: Annotated[
        str,
        typer.Argument(
            metavar="ARTICLE", help="Its id, path or address, or the beginning of its id or title."
        ),
    ],
    index: Index = None,
    json: Json = False,
) -> None:
    """Print an article as indexed: the text that all offsets refer to.

    Example: qabot show log4shell.en
    """
    from qabot.answering.lookup import find_article

    with opened_generation(settings_with(index=index)) as generation:
        found = find_article(generation.database, article)
    if json:
        from qabot.render.json import article_json

        write_line(article_json(found))
        return
    from qabot.render.terminal import open_console, render_article

    open_console().print(render_article(found))


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The output of `qabot ask --json`.")],
    index: Index = None,
    json: Json = False,
) -> None:
    """Check that the quotes of saved answers are verbatim. The exit code is 1 if one is not.

    Each has to stand in its article, to the character, where it says.

    Example: qabot ask --json "who invented it?" > answer.json; qabot verify answer.json
    """
    from qabot.evaluation.verify import check_answers, read_answers

    answers = read_answers(lines_of(file), file)
    with opened_generation(settings_with(index=index)) as generation:
        checks = check_answers(answers, generation.database.article)
    wrong = [check for check in checks if check.problem]
    if json:
        from qabot.render.json import dumps

        for check in checks:
            write_line(dumps(check.as_object()))
    else:
        for check in wrong:
            write_line(f"{check.place}: {check.problem}")
        write_line(f"{len(checks) - len(wrong)} of {len(checks)} quotes are verbatim")
    if wrong:
        raise typer.Exit(NOT_FOUND)


def feedback(index: Index = None, json: Json = False) -> None:
    """Print how people in Discord rated the answers: helpful or not.

    Example: qabot feedback --json > feedback.jsonl
    """
    from qabot.bot.feedback import feedback_json, feedback_lines
    from qabot.bot.store.state import State, state_path

    path = state_path(settings_with(index=index).index)
    if not path.exists():
        raise UsageError(f"{path}: no bot has run with this index; start one with `qabot bot`")
    with State(path) as state:
        found = list(state.feedback())
    for line in map(feedback_json, found) if json else feedback_lines(found):
        write_line(line)
