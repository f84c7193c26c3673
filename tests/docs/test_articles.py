"""The pages on articles and on Discord name every format, limit and language."""

from __future__ import annotations

import re

from qabot.articles import DOCUMENTS, Limits
from qabot.articles.formats import FORMATS
from qabot.articles.formats.pdf import MAX_PAGES
from qabot.render.translations import LANGUAGES, language_name
from qabot.web import Options
from tests.docs.support import code, page, rows
from tests.support import ROOT

ARTICLES = " ".join(page("articles").split())


def test_every_format_is_listed_with_its_endings():
    listed = [ending for cells in rows(page("articles"), "format") for ending in code(cells[1])]
    assert sorted(listed) == sorted(FORMATS)


def test_limits_are_those_that_hold():
    limits = Limits()
    plain = limits.most_bytes("plain")
    assert limits.most_bytes("html") * 2 == limits.most_bytes("markdown") * 10 == plain
    [document] = {limits.most_bytes(name) for name in FORMATS.values() if name in DOCUMENTS}
    assert (
        f"A text file may have {plain / 1e6:g} MB (`max_article_mb`), HTML half of that, Markdown "
        f"a tenth. A document may have {document / 1e6:g} MB and {MAX_PAGES:,} pages, and take "
        f"{limits.seconds:g} seconds."
    ) in ARTICLES


def test_manners_on_the_web_are_those_that_hold():
    manners = Options()
    assert manners.failures == 3
    assert "After three failures in a row it leaves a server alone" in ARTICLES
    assert f"Rebuilds less than {manners.gone_hours:g} hours apart count as one" in ARTICLES


def test_the_languages_of_the_bot_are_those_it_has():
    names = [language_name(language, "en") for language in LANGUAGES]
    for text in (page("discord"), (ROOT / "README.md").read_text("utf-8")):
        [listed] = re.findall(r"speaks ([^.]+?)(?:, as|\.)", " ".join(text.split()))
        assert sorted(re.split(", | and ", listed)) == sorted(names)
