"""Draw ``docs/ask.svg`` from what qabot really answers: ``python -m tools.draw_terminal``."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

from qabot.answering.engine import Engine
from qabot.render.terminal import render_answer

PICTURE = Path(__file__).parent.parent / "docs" / "ask.svg"
QUESTIONS = ("how many GitHub projects use PyTorch?", "who invented the telephone?")


def main() -> None:
    """Ask the index of the seed articles, and save what the terminal shows as an SVG."""
    console = Console(record=True, width=96, file=io.StringIO(), force_terminal=True)
    with Engine.open("index") as engine:
        for question in QUESTIONS:
            console.print(Text.assemble(("$ ", "bold green"), f'qabot ask "{question}"'))
            console.print(render_answer(engine.ask(question, limit=2)))
            console.print()
    # Rich would have the reader's browser fetch a font.
    svg = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="qabot"), flags=re.DOTALL)
    PICTURE.write_text(svg.replace("Fira Code, monospace", "monospace"), "utf-8")


if __name__ == "__main__":
    main()
