"""Jupyter notebooks: their Markdown, their code, and what the code printed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from qabot.errors import ArticleError

_MOST_PRINTED = 2_000


def notebook_as_markdown(text: str) -> str:
    """The cells of a notebook as Markdown.

    Raises:
        ArticleError: It is no notebook.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArticleError("not a notebook (no valid JSON); save it again") from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise ArticleError("not a notebook (holds no cells); save it again")
    return "\n\n".join(_parts(cells))


def _parts(cells: list[object]) -> Iterator[str]:
    for cell in cells:
        if not isinstance(cell, dict):
            continue
        source = _text(cell.get("source"))
        if cell.get("cell_type") != "code":
            yield source
            continue
        yield _fenced(source)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            if isinstance(output, dict):
                yield _fenced(_printed(output)[:_MOST_PRINTED])


def _printed(output: dict[str, object]) -> str:
    data = output.get("data")
    shown = data.get("text/plain") if isinstance(data, dict) else output.get("text")
    return _text(shown)


def _text(value: object) -> str:
    if isinstance(value, list):
        return "".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


def _fenced(text: str) -> str:
    marks = "`" * max(
        3, 1 + max((len(run) for run in text.split() if set(run) == {"`"}), default=0)
    )
    return f"{marks}\n{text}\n{marks}" if text.strip() else ""
