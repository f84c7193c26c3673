"""Answers for a terminal, with rich; plain text if the output is not a terminal.

Article text is never parsed as markup: it goes into ``Text`` objects unchanged but for control
characters, which could steer a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from qabot.render.labels import likelihood, page_url
from qabot.text import printable
from qabot.types import Answer, Article, ArticleInfo, Passage, Quote

NOT_FOUND = "The articles don't answer that."
# The room for a number to the left of its quote.
_INDENT = 3
# Wider than any table, so that piped lines stay whole.
_PIPE_WIDTH = 10_000


def open_console() -> Console:
    """Open a console on standard output.

    Piped lines stay whole: programs and editors wrap them themselves.
    """
    piped = not sys.stdout.isatty()
    return Console(soft_wrap=piped, width=_PIPE_WIDTH if piped else None)


def confidence_words(confidence: float) -> str:
    """Put a confidence into words: "likely (82 %)"."""
    words, shown = likelihood(confidence)
    return f"{words} ({shown:.0%})".replace("%", " %")


def render_answer(answer: Answer, first: int = 1) -> RenderableType:
    """Render the quotes of an answer, numbered from ``first``, or "not found"."""
    if answer.status == "not_found":
        return Text.assemble(
            (NOT_FOUND, "bold"), (f"  confidence {answer.confidence:.0%}".replace("%", " %"), "dim")
        )
    parts: list[RenderableType] = []
    for number, quote in enumerate(answer.quotes, first):
        parts += [render_quote(quote, number), Text()]
    parts.append(Text(f"Answered here: {confidence_words(answer.confidence)}", "dim"))
    return Group(*parts)


def render_quote(quote: Quote, number: int) -> RenderableType:
    """Render a quote: its article, its text with the highlights in bold, its place."""
    text = Text()
    at = quote.start
    for start, end in quote.highlights:
        text.append(printable(quote.text[at - quote.start : start - quote.start]))
        text.append(printable(quote.text[start - quote.start : end - quote.start]), "bold green")
        at = end
    text.append(printable(quote.text[at - quote.start :]))
    title = Text.assemble((printable(quote.article.title), "bold"), " ", _date(quote.article))
    place = _Indented(title, Text(f"{number:<{_INDENT}}", "bold cyan"))
    # A quote may begin with its section's heading.
    shown = quote.heading is None or quote.text.startswith(quote.heading)
    section = "" if shown else f"{printable(quote.heading or '')} · "
    # Terminals open addresses on a click if no other character touches them.
    url = page_url(quote.article.url, quote.page) if quote.article.url else ""
    source = f"{url} · " if url else f"{quote.article.source}:"
    page = f"page {quote.page} · " if quote.page else ""
    where = Text(f"{section}{page}{printable(source)}{quote.start}–{quote.end}", "dim")
    also = [
        Text.assemble(("also in ", "dim"), printable(info.title), " ", _date(info))
        for info in quote.also
    ]
    return Group(place, _Indented(text), _Indented(where), *map(_Indented, also))


def _date(info: ArticleInfo) -> Text:
    return Text(
        f"(as of {info.published}, {info.language})" if info.published else f"({info.language})",
        "dim",
    )


def render_articles(infos: Sequence[ArticleInfo], counts: dict[str, int]) -> RenderableType:
    """Render the articles of an index as a table, in the given order."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("language")
    table.add_column("published", no_wrap=True)
    table.add_column("passages", justify="right")
    # Scripts without spaces can break anywhere.
    table.add_column("title", overflow="fold")
    for info in infos:
        table.add_row(
            Text(printable(info.id)),
            info.language,
            info.published or "",
            str(counts.get(info.id, 0)),
            Text(printable(info.title)),
        )
    return table


def render_article(article: Article) -> RenderableType:
    """Render an article: title, source and whole text, with headings in bold."""
    info = article.info
    text, at = Text(), 0
    for heading in article.headings:
        text.append(printable(article.text[at : heading.start]))
        text.append(printable(article.text[heading.start : heading.end]), "bold")
        at = heading.end
    text.append(printable(article.text[at:]))
    head = Text.assemble((printable(info.title), "bold underline"), " ", _date(info))
    author = f"{info.author} · " if info.author else ""
    source = Text(printable(f"{author}{info.url or info.source}"), "dim")
    return Group(head, source, Text(), _Indented(text, indent=0))


def render_context(
    quote: Quote, before: Passage | None, passage: Passage, after: Passage | None
) -> RenderableType:
    """Render a quote between the passages around it, with the quote in bold."""
    start, end = quote.start - passage.start, quote.end - passage.start
    middle = Text.assemble(
        printable(passage.text[:start]),
        (printable(passage.text[start:end]), "bold green"),
        printable(passage.text[end:]),
    )
    parts: list[RenderableType] = [
        Text.assemble((printable(quote.article.title), "bold"), " ", _date(quote.article))
    ]
    for part in (before, passage, after):
        if part is not None:
            text = middle if part is passage else Text(printable(part.text), "dim")
            parts += [Text(), _Indented(text)]
    return Group(*parts)


class _Indented:
    """An indented text, wrapped if the console wraps.

    rich's Padding would crop lines longer than the console, and printing a Text would turn tabs
    into blanks, even in pipes.

    Args:
        text: The text.
        mark: Replaces the first line's indent.
        indent: Blanks before each line.
    """

    def __init__(self, text: Text, mark: Text | None = None, indent: int = _INDENT) -> None:
        self._text = text
        self._mark = mark
        self._indent = indent

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if options.no_wrap:
            lines = self._text.split(allow_blank=True)
        else:
            lines = self._text.wrap(console, max(options.max_width - self._indent, 1))
        for number, line in enumerate(lines):
            if self._mark and number == 0:
                yield from self._mark.render(console)
            elif line:
                line.pad_left(self._indent)
            yield from line.render(console, "\n")
