"""An article's text in Discord: every character is visible, and none has an effect."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.render.markup import (
    inert,
    link,
    one_line,
    quote_block,
    text_fragment_url,
    web_address,
)
from qabot.text import printable
from tests.render.discord_markdown import shown, shown_quote

HOSTILE = [
    "@everyone",
    "@here",
    "<@1>",
    "<@!12>",
    "<@&3>",
    "<#4>",
    "</ask:5>",
    "<id:home>",
    "<t:1700000000:R>",
    "<a:wave:6>",
    ":smile:",
    "::smile:",
    "a:::// b",
    "||",
    "`",
    "```",
    "**",
    "*",
    "__",
    "_",
    "~~",
    "\\",
    "[x](http://y)",
    "https://example.org/a_b",
    "discord.gg/abc",
    "DISCORD.com/invite",
    "# ",
    "-# ",
    "- ",
    "+ ",
    "12. ",
    "1) ",
    "> ",
    ">>> ",
    "\n",
    "\n\n",
    "\u2028",
    " ",
    "\t",
    "10:30",
    "\u202e",
    "\x00",
    "\ud800",
    "👩‍🚀",
    "🇫🇷",
    "木星",
    "שלום",
    "é",
    "a",
    "7",
    "(",
    ")",
]
texts = st.lists(st.sampled_from(HOSTILE) | st.characters(), max_size=20).map("".join)


def visible(text: str) -> str:
    """The text that people should see: ``text`` without invisible characters."""
    return printable(text).replace("@\u200b", "@")


@given(texts)
def test_an_inert_text_is_seen_to_the_character_and_does_nothing(text):
    assert visible(shown(inert(text)).text) == visible(text)


@given(texts, st.data())
def test_a_quote_is_seen_to_the_character_with_its_highlights_in_bold(text, data):
    place = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(place, place).map(sorted).map(tuple), max_size=3))
    seen = shown_quote(quote_block(text, spans))
    assert visible(seen.text) == visible(text)
    # Blanks may be bold or not: nobody sees that.
    marked = {n for start, end in spans for n in range(start, end)}
    expected = "".join(text[n] for n in sorted(marked))
    assert _ink(seen.bold_text) == _ink(expected)


def _ink(text: str) -> str:
    return "".join(visible(text).replace("\u200b", "").split())


@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_do_something_alone_does_nothing(text):
    assert visible(shown(inert(text)).text) == visible(text)
    assert visible(shown_quote(quote_block(text, [(0, len(text))])).text) == visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "@\u202aeveryone",
        "@he\x00re",
        "<\ud800@1>",
        "http:\x00//a.b",
        "a\n\u2066- b",
        "discord.\u202egg/a",
        "1\x07. a",
    ],
)
def test_what_is_left_out_hides_nothing(text):
    assert visible(shown(inert(text)).text) == visible(text)
    assert visible(shown_quote(quote_block(text, [(1, len(text))])).text) == visible(text)


@pytest.mark.parametrize(
    "text",
    [
        "@everyone",
        "hi @here",
        "<@1>",
        "<@&3>",
        "<#4>",
        "</ask:5>",
        "<t:1700000000:R>",
        "<a:wave:6>",
        ":smile:",
        "||x||",
        "`x`",
        "_x_",
        "*x*",
        "__x__",
        "~~x~~",
        "[x](y)",
        "https://a.b",
        "discord.gg/abc",
        "# x",
        "a\n-# x",
        "- x",
        "1. x",
        "> x",
    ],
)
def test_without_escapes_each_would_do_something(text):
    with pytest.raises(AssertionError):
        shown(text)


def test_bold_ends_with_each_line_and_leaves_blanks_outside():
    text = "Before. *It flew*  \n\n  on `Monday` _. After."
    start, end = text.index("*"), text.index(" After")
    assert quote_block(text, [(start - 1, end)]) == (
        "> Before. **\\*It flew\\***  \n> \n>   **on \\`Monday\\` \\_.** After."
    )


def test_highlights_that_touch_or_overlap_are_one():
    assert quote_block("abcdef", [(2, 4), (0, 2), (3, 5)]) == "> **abcde**f"
    assert quote_block("a\x94b", [(0, 1), (2, 3)]) == "> **ab**"


def test_a_highlight_between_colons_names_no_emoji():
    assert shown_quote(quote_block("a::b", [(2, 4)])).text == "a::b"


def test_a_highlight_of_blanks_marks_nothing():
    assert quote_block("a \n b", [(1, 4)]) == "> a \n>  b"


def test_a_list_in_an_article_stays_text():
    assert inert("1. one\n  - two\n3) three\n2022.") == "1\\. one\n  \\- two\n3\\) three\n2022\\."
    assert inert("a - b, 1. c") == "a - b, 1. c"


@given(texts, st.integers(2, 60))
def test_a_line_is_one_line_inert_and_no_longer_than_asked(text, longest):
    line = one_line(text, longest)
    assert len(line) <= longest
    assert "\n" not in line
    seen = visible(shown(line).text)
    whole = visible(" ".join(printable(text).split()))
    assert seen == whole or (seen.endswith("…") and whole.startswith(seen[:-1]))


def test_a_link_has_only_a_web_address():
    assert link("Source", "https://example.org/a (b)>x[1]") == (
        "[Source](<https://example.org/a%20%28b%29%3Ex%5B1%5D>)"
    )
    for address in (
        *(None, "", "javascript:alert(1)", "notes/a.md", "file:///etc", "http://[x"),
        # What clients would not take for an address, and then refuse the whole message.
        *("h\tttps://a.org", "https:", "https://", "https:a.org", "http:///a"),
    ):
        assert link("Source", address) is None
    assert web_address("https://example.org/" + "a" * 600) is None
    assert web_address("https://例え.jp/木") == "https://%E4%BE%8B%E3%81%88.jp/%E6%9C%A8"


@given(texts)
def test_an_address_cannot_leave_its_link(text):
    shown_link = link("Source", f"https://example.org/{text}")
    if shown_link is not None:
        address = shown_link.removeprefix("[Source](<").removesuffix(">)")
        assert not set(address) & set('<>()[]\\"` \n')
        assert address.isascii()


def test_a_fragment_names_a_short_text_whole():
    assert text_fragment_url("https://example.org/a", "It flew on 3 May, re-used.") == (
        "https://example.org/a#:~:text=It%20flew%20on%203%20May%2C%20re%2Dused."
    )


def test_a_fragment_names_how_a_long_text_begins_and_ends():
    text = (
        "The observatory left the ground in Kourou on Christmas Day.\nIt will look at\nold light."
    )
    address = text_fragment_url("https://example.org/a#top", text)
    assert address is not None
    assert unquote(address) == (
        "https://example.org/a#top:~:text=The observatory left the ground,old light."
    )


def test_a_fragment_that_would_not_fit_is_left_out():
    url = "https://example.org/" + "a" * 450
    assert text_fragment_url(url, "木" * 100) == url
    assert text_fragment_url(None, "text") is None
    assert text_fragment_url("notes.md", "text") is None
