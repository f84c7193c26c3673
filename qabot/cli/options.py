"""Options that several commands share, or that take several lines to declare.

typer reads annotations at run time, so commands must import these for real.
"""

from __future__ import annotations

from typing import Annotated

import typer

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
        help="Folder of a question-answering model, or cross-encoder:FOLDER.",
        show_default="qabot-reader",
    ),
]


NoReader = Annotated[
    bool, typer.Option("--no-reader", help="Quote by similarity alone: faster, less reliable.")
]


Collection = Annotated[
    str | None,
    typer.Option("--collection", metavar="NAME", help="Only articles of this collection."),
]


Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DATE", help="Only published since: YYYY[-MM[-DD]]."),
]


Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Only published until: YYYY[-MM[-DD]]."),
]


Language = Annotated[
    str | None,
    typer.Option("--language", metavar="CODE", help="Only articles in this language, such as de."),
]


Source = Annotated[
    str | None,
    typer.Option("--source", metavar="PATH", help="Only from this file, folder or address."),
]


Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


Minimum = Annotated[
    list[str] | None,
    typer.Option("--min", metavar="METRIC=VALUE", help="Fail below this bound; repeatable."),
]


Compare = Annotated[
    str | None,
    typer.Option("--compare", metavar="INDEX", help="Another index folder, or a settings file."),
]


Calibrate = Annotated[
    bool,
    typer.Option("--calibrate", help="First fit the confidence for the index's models."),
]


Plot = Annotated[
    str | None,
    typer.Option("--plot", metavar="FILE.png", help="Draw risk–coverage and calibration."),
]


Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders, patterns, addresses, or collections of qabot.toml; else seeds.",
    ),
]


Exclude = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="PATTERN",
        help="Leave out what matches, as in .gitignore; may be given several times.",
    ),
]


Full = Annotated[bool, typer.Option("--full", help="Read and encode everything again.")]


Watch = Annotated[
    bool, typer.Option("--watch", help="Rebuild again whenever files change, until stopped.")
]


Every = Annotated[
    str | None,
    typer.Option("--every", metavar="TIME", help="Rebuild again at an interval: 90s, 15m, 2h."),
]


Ray = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Encode on a Ray cluster: HOST:PORT, or auto."),
]


FilesOnly = Annotated[
    bool, typer.Option("--files-only", help="Ask web servers only if an address is new.")
]


Progress = Annotated[
    bool, typer.Option("--progress", help="Print progress as JSON on standard error.")
]
