"""Questions, follow-ups, and the commands about the last answer, from a pipe."""

from __future__ import annotations

from pathlib import Path

import pytest

from qabot.settings import Settings
from tests.repl.support import ARTICLES, CHEESE, GOLD, LAVA, Chat, lines, quote
from tests.support import index_files, write_article

FOLLOW_UP = "why?"
SMILE = "🙂"


def test_a_question_is_answered_with_numbered_quotes(chat: Chat) -> None:
    expected = lines(*quote(1, "gold"), *quote(2, "dust"), chat.sure(GOLD), "")
    assert expected == chat.piped(GOLD)


def test_each_answer_is_numbered_from_one(chat: Chat) -> None:
    expected = lines(
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
    )
    assert expected == chat.piped(GOLD, LAVA)


def test_a_copy_is_shown_once_with_both_sources_and_their_dates(chat: Chat) -> None:
    text = "GOLD covers the mirror of the telescope, in space!"
    write_article(chat.articles, "copy", text, title="Copy", published="2025-02")
    chat.rebuild()
    expected = lines(
        "1  Copy (as of 2025-02, en)",
        f"   {text}",
        f"   articles/copy.md:0–{len(text)}",
        "   also in Gold (as of 2024-05, en)",
        "",
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
    )
    assert expected == chat.piped(GOLD)


def test_a_question_that_the_articles_do_not_answer(chat: Chat) -> None:
    assert lines(chat.sure(CHEESE), "") == chat.piped(CHEESE)


def test_a_follow_up_is_read_with_the_question_before_it(chat: Chat) -> None:
    expected = lines(
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        f"Read as: {GOLD} {FOLLOW_UP}",
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(FOLLOW_UP, GOLD),
        "",
    )
    assert expected == chat.piped(GOLD, FOLLOW_UP)


def test_a_bad_question_is_one_line_and_the_chat_goes_on(chat: Chat) -> None:
    expected = lines(
        "the question has 2001 characters; shorten it to 2000",
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
    )
    assert expected == chat.piped("a" * 2001, LAVA)


@pytest.mark.parametrize("name", index_files())
def test_a_damaged_file_is_one_line_and_the_chat_goes_on(chat: Chat, name: str) -> None:
    path = Path("index", name)
    whole = path.read_bytes()
    said = chat.piped(LAVA)
    with path.open("r+b") as file:
        file.write(bytes(len(whole) // 2))
    told = f"{path.absolute()}: changed since it was written; run `qabot rebuild --full`"
    unread = lines(*[told] * 4)
    assert unread == chat.piped(LAVA, "/articles", "/show gold", LAVA)
    path.write_bytes(whole)
    assert said == chat.piped(LAVA)


def test_a_bad_question_is_no_context_for_a_follow_up(chat: Chat) -> None:
    said = chat.piped("a" * 2001, FOLLOW_UP)
    assert (
        lines("the question has 2001 characters; shorten it to 2000", chat.sure(FOLLOW_UP), "")
        == said
    )


def test_more_goes_on_numbering_until_there_are_no_more(chat: Chat) -> None:
    expected = lines(
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        *quote(3, "ice"),
        f"There are no more quotes for: {GOLD}",
        f"There are no more quotes for: {GOLD}",
    )
    assert expected == chat.piped(GOLD, "/more", "/more", "/more")


def test_a_follow_up_does_not_lean_on_small_talk(chat: Chat) -> None:
    expected = lines(
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        chat.sure(SMILE),
        "",
        f"Read as: {GOLD} {FOLLOW_UP}",
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(FOLLOW_UP, GOLD),
        "",
    )
    assert expected == chat.piped(GOLD, SMILE, FOLLOW_UP)


def test_more_reads_a_follow_up_as_before(chat: Chat) -> None:
    chat.engine.settings = Settings(quotes=1, threshold=0.15)
    expected = lines(
        *quote(1, "gold"),
        chat.sure(GOLD),
        "",
        f"Read as: {GOLD} {FOLLOW_UP}",
        *quote(1, "gold"),
        chat.sure(FOLLOW_UP, GOLD),
        "",
        *quote(2, "dust"),
        f"There are no more quotes for: {FOLLOW_UP}",
    )
    assert expected == chat.piped(GOLD, FOLLOW_UP, "/more", "/more")


def test_more_without_a_question_or_quotes(chat: Chat) -> None:
    expected = lines(
        "Ask a question first; /more then shows further quotes.",
        chat.sure(CHEESE),
        "",
        f"There are no more quotes for: {CHEESE}",
    )
    assert expected == chat.piped("/more", CHEESE, "/more")


def test_context_of_the_first_quote_and_of_one_that_more_brought(chat: Chat) -> None:
    expected = lines(
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        *quote(3, "ice"),
        "Gold (as of 2024-05, en)",
        "",
        "   Gold covers the mirror of the telescope in space.",
        "",
        "Ice (as of 2024-05, en)",
        "",
        f"   {ARTICLES['ice']}",
        "",
    )
    assert expected == chat.piped(GOLD, "/more", "/context", "/context 3")


def test_context_shows_the_passages_round_a_quote(chat: Chat) -> None:
    write_article(
        chat.articles,
        "cheese",
        "Milk is warmed.\n\n## Old times\n\nHerders invented cheese.\n\n## Now\n\nRobots stir.",
        title="Dairy",
    )
    chat.rebuild()
    expected = lines(
        "1  Dairy (en)",
        "   Herders invented cheese.",
        "   Old times · articles/cheese.md:28–52",
        "",
        chat.sure(CHEESE),
        "",
        "Dairy (en)",
        "",
        "   Milk is warmed.",
        "",
        "   Old times",
        "",
        "   Herders invented cheese.",
        "",
        "   Now",
        "",
        "   Robots stir.",
        "",
    )
    assert expected == chat.piped(CHEESE, "/context 1")


@pytest.mark.parametrize("number", ["0", "2", "-1", "one", "1 2"])
def test_context_of_a_quote_that_is_not_there(chat: Chat, number: str) -> None:
    expected = lines(
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
        f"There is no quote {number}; name one from 1 to 1.",
    )
    assert expected == chat.piped(LAVA, f"/context {number}")


def test_context_without_quotes(chat: Chat) -> None:
    nothing = "There is no quote yet; /context shows the text around one."
    expected = lines(nothing, chat.sure(CHEESE), "", nothing)
    assert expected == chat.piped("/context", CHEESE, "/context 1")


def test_context_of_an_article_that_has_changed_since(chat: Chat) -> None:
    write_article(chat.articles, "volcano", "The sea is calm.")
    expected = lines(
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
        "Answers come from the new index now.",
        "volcano: the article has changed since; ask again",
    )
    assert expected == chat.piped(LAVA, "/rebuild", "/context")
