"""Files of every format after accidents: an article or one reason, and all others are read."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from qabot.articles import Skipped, read_sources
from qabot.indexing.passages import split_article
from qabot.types import Article
from tests.articles.documents import docx, epub, lines, odt, pdf, word_paragraph
from tests.articles.test_properties import check
from tests.mutations import mutated

PROSE = "The ferry did not run on Tuesday. Nobody was told why.\n\nIt ran again in May."
MARKDOWN = (
    "---\ntitle: Ferry\ndate: 2021-05-01\nlang: en\nurl: https://a.org\n---\n# Ferry\n\n"
    f"{PROSE}\n\n- one\n  1. *two*\n\n> `three`\n\n|a|b|\n|-|-|\n|c|d|\n\n```\nfour\n```\n"
)
HTML = (
    '<html lang="en"><head><title>Ferry</title><meta name="date" content="2021-05-01"></head>'
    "<body><article><h1>Ferry</h1><p>The ferry did not run on Tuesday.</p><ul><li>one</ul>"
    "<table><tr><td>a<td>b</table><pre>x\n y</pre><p>c<br>d &eacute;</p></article></body></html>"
)
WHOLES = {
    ".txt": [
        PROSE.encode(),
        PROSE.encode("utf-16"),
        "Die Fähre fährt über Öland.".encode("cp1252"),
    ],
    ".md": [MARKDOWN.encode(), PROSE.encode()],
    ".html": [HTML.encode(), HTML.encode("utf-16")],
    ".pdf": [pdf(lines("The ferry.", "It ran."), info={"Title": "Ferry"}, outline=[("Two", 0)])],
    ".docx": [docx(word_paragraph("The ferry."), "<dc:title>Ferry</dc:title>")],
    ".epub": [epub({"a": "<h1>Ferry</h1><p>The ferry.</p>"}, "<dc:title>Ferry</dc:title>")],
    ".odt": [odt("<text:h>Ferry</text:h><text:p>The ferry.</text:p>")],
}
# All are read by one process, which takes longer to start than they take.
FOLDERS = st.fixed_dictionaries(
    {ending: st.lists(mutated(wholes), min_size=3, max_size=6) for ending, wholes in WHOLES.items()}
)


@given(FOLDERS)
@settings(deadline=None, max_examples=12)
def test_each_file_is_an_article_to_be_quoted_or_has_one_reason(folder):
    with tempfile.TemporaryDirectory() as name:
        for ending, files in folder.items():
            for number, data in enumerate(files):
                (Path(name) / f"{number}{ending}").write_bytes(data)
        (Path(name) / "good.txt").write_text(PROSE)
        items = list(read_sources([name]))
    assert len(items) == 1 + sum(map(len, folder.values()))
    articles = [item for item in items if isinstance(item, Article)]
    assert PROSE in [article.text for article in articles]
    for article in articles:
        check(article)
        for passage in split_article(article, lambda texts: [len(text) for text in texts]):
            assert passage.text == article.text[passage.start : passage.end]
    for item in items:
        if isinstance(item, Skipped):
            assert item.reason
            assert item.reason.isprintable()
            assert len(item.reason) < 500
