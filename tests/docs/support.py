"""The pages of documentation, and what stands in them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "index" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
)


def page(name: str) -> str:
    """The text of ``docs/NAME.md``."""
    return (ROOT / "docs" / f"{name}.md").read_text("utf-8")


def name_of(path: Path) -> str:
    """A page's name in the output of tests."""
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language; also those of a list, without its indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def rows(text: str, heading: str) -> list[tuple[str, ...]]:
    """The cells of the table rows below the table head that begins with ``heading``."""
    found: list[tuple[str, ...]] = []
    within = False
    for line in text.splitlines():
        if line.startswith(f"| {heading} |"):
            within = True
        elif within and line.startswith("| "):
            found.append(tuple(cell.strip() for cell in line.strip("|").split(" | ")))
        elif not line.startswith("|"):
            within = False
    return found


def code(cell: str) -> list[str]:
    """The texts in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)
