"""Links in the documentation lead to files and headings that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.support import PAGES, name_of
from tests.support import ROOT

MORE = (ROOT / "benchmarks" / "README.md", ROOT / "training" / "README.md", ROOT / "CHANGELOG.md")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*PAGES, *MORE], ids=name_of)
def test_links_lead_somewhere(path: Path):
    text = path.read_text("utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    for target in targets:
        if target.startswith(("http://", "https://")):
            continue
        file, _, anchor = target.partition("#")
        place = path.parent / file if file else path
        assert place.exists(), target
        assert not anchor or anchor in anchors(place.read_text("utf-8")), target


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text("utf-8")
    for path in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{path.name})" in text


def test_every_picture_is_shown():
    texts = "".join(path.read_text("utf-8") for path in PAGES)
    for path in (ROOT / "docs").iterdir():
        assert path.suffix == ".md" or path.name in texts, path.name
