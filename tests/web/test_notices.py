"""Pages that are sent with status 200 although they are no articles."""

from __future__ import annotations

import pytest

from tests.web.support import build, page, reasons, story, titles

SHELL = (
    '<!doctype html><html lang="en"><head><title>{}</title><script src="/app.js"></script></head>'
    "<body>{}</body></html>"
)
NOT_FOUND = 'is a "page not found" notice, although the server does not say so'
NEEDS_JAVASCRIPT = "shows its text only with JavaScript, which is not run"


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Page not found - Example", "Sorry, we could not find what you were looking for."),
        ("404", "This address leads nowhere. Try the search, or go back to the start page."),
        ("Example", "Error 404. The page has moved or was never here at all."),
        (
            "Seite nicht gefunden – Beispiel",
            "Prüfen Sie die Adresse oder suchen Sie danach.",
        ),
        ("Page introuvable", "La page demandée est introuvable. Retournez à la page d'accueil."),
        ("お探しのページは見つかりません", "アドレスを確認してください。トップページへ戻る。"),
    ],
)
def test_a_notice_that_a_page_is_missing_is_no_article(index, site, title, text):
    other = site.put_story("/bridge", "The bridge")
    gone = site.put("/gone", page(text, title=title))
    summary = build(index, other, gone)
    assert reasons(summary) == {gone: NOT_FOUND}
    assert titles(index) == {"The bridge"}


@pytest.mark.parametrize(
    "body",
    [
        "<noscript>You need to enable JavaScript to run this app.</noscript><div id=root></div>",
        "<main><p>Bitte aktivieren Sie JavaScript in Ihrem Browser.</p></main>",
        "<main><h1>Just a moment…</h1><p>We check your browser.</p>"
        "<noscript><p>Enable JavaScript and cookies to continue.</p></noscript></main>",
    ],
)
def test_a_page_that_needs_javascript_is_no_article(index, site, body):
    other = site.put_story("/bridge", "The bridge")
    shell = site.put("/app", SHELL.format("App", body))
    summary = build(index, other, shell)
    assert list(reasons(summary)) == [shell]
    assert titles(index) == {"The bridge"}


def test_one_that_says_so_gives_the_reason(index, site):
    other = site.put_story("/bridge", "The bridge")
    shell = site.put(
        "/app", SHELL.format("App", "<main><p>Please enable JavaScript to go on.</p></main>")
    )
    assert reasons(build(index, other, shell)) == {shell: NEEDS_JAVASCRIPT}


def test_articles_about_these_subjects_are_articles(index, site):
    scripts = site.put(
        "/js",
        page(*story("JavaScript"), title="JavaScript", head="<script>1</script>"),
    )
    missing = site.put("/404", page(*story("The page"), title="Why a page is not found: error 404"))
    assert build(index, scripts, missing).articles == 2


def test_an_article_that_becomes_a_notice_is_kept_as_one_that_is_gone(index, site):
    bridge = site.put_story("/bridge", "The bridge")
    other = site.put_story("/tunnel", "The tunnel")
    build(index, bridge, other)
    site.put("/bridge", page("Sorry, there is nothing here.", title="Page not found"))
    counts = [build(index, bridge, other).articles for _ in range(4)]
    assert counts == [2, 2, 1, 1]
