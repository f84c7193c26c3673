"""The other commands, and what the input may hold."""

from __future__ import annotations

from tests.repl.support import CHEESE, LAVA, Chat, lines, quote
from tests.support import write_article


def test_help(chat: Chat) -> None:
    expected = lines(
        "/more              the next quotes for the last question",
        "/context [N]       the text around quote N, or 1",
        "/articles [TEXT]   the articles, or those with TEXT",
        "/show ARTICLE      a whole article",
        "/rebuild           bring the index up to date",
        "/help              this list",
        "/quit              leave (or Ctrl-D)",
        "",
        "Anything else is a question. Ctrl-C cancels a search or rebuild. "
        "Lines that begin with a blank are not kept in the history.",
        "",
    )
    assert expected == chat.piped("/help")


def test_articles(chat: Chat) -> None:
    expected = lines(
        "id       language  published  passages  title",
        "dust     en        2024-05           1  Dust",
        "gold     en        2024-05           1  Gold",
        "ice      en        2024-05           1  Ice",
        "volcano  en        2024-05           1  Volcano",
        "wind     en        2024-05           1  Wind",
        "",
    )
    assert expected == chat.piped("/articles")


def test_articles_with_a_text_in_id_title_or_language(chat: Chat) -> None:
    write_article(chat.articles, "uno", "El queso es de leche.", title="Queso", language="es")
    chat.rebuild()
    row = (
        "id   language  published  passages  title",
        "uno  es                          1  Queso",
        "",
    )
    nothing = "No article has 'xyz' in its id, title or language."
    expected = lines(*row, *row, *row, nothing)
    assert expected == chat.piped(
        "/articles UNO", "/articles queso", "/articles es", "/articles xyz"
    )


def test_show(chat: Chat) -> None:
    page = (
        "Volcano (as of 2024-05, en)",
        "articles/volcano.md",
        "",
        "Lava from the volcano reached the sea.",
        "",
    )
    assert lines(*page, *page) == chat.piped("/show volcano", "/show volc")


def test_show_what_is_not_there(chat: Chat) -> None:
    write_article(chat.articles, "goldfish", "It swims.")
    chat.rebuild()
    expected = lines(
        "Name an article by its id, or by the beginning of its id or title.",
        "no article 'moon'; `qabot articles` lists them",
        "several articles begin with 'gol': gold, goldfish; name one",
    )
    assert expected == chat.piped("/show", "/show moon", "/show gol")


def test_rebuild_brings_new_articles_into_the_answers(chat: Chat) -> None:
    write_article(chat.articles, "cheese", "Herders made cheese.", title="Cheese")
    unknown = chat.sure(CHEESE)
    said = chat.piped(CHEESE, "/rebuild", CHEESE)
    expected = lines(
        unknown,
        "",
        "Answers come from the new index now.",
        "1  Cheese (en)",
        "   Herders made cheese.",
        "   articles/cheese.md:0–20",
        "",
        chat.sure(CHEESE),
        "",
    )
    assert expected == said


def test_a_rebuild_that_changes_nothing_promises_nothing(chat: Chat) -> None:
    assert lines(*quote(1, "volcano"), chat.sure(LAVA), "") == chat.piped("/rebuild", LAVA)


def test_a_failed_rebuild_is_one_line_and_the_chat_goes_on(chat: Chat) -> None:
    chat.articles.rename("gone")
    said = chat.piped("/rebuild", LAVA)
    first, rest = said.split("\n", 1)
    assert first.startswith("articles: ")
    assert lines(*quote(1, "volcano"), chat.sure(LAVA), "") == rest


def test_an_unknown_command_names_the_nearest(chat: Chat) -> None:
    expected = lines(
        "There is no command /hlep; did you mean /help?",
        "There is no command /artikel; did you mean /articles?",
        "There is no command /xyz; /help lists all.",
        "There is no command /; /help lists all.",
    )
    assert expected == chat.piped("/hlep", "/ARTIKEL", "/xyz", "/")


def test_commands_in_any_case(chat: Chat) -> None:
    expected = lines("Ask a question first; /more then shows further quotes.")
    assert expected == chat.piped("  /MoRe  ", "/QUIT", LAVA)


def test_quit_and_exit_leave(chat: Chat) -> None:
    expected = ""
    assert expected == chat.piped("/quit", LAVA)
    assert expected == chat.piped("/exit", LAVA)


def test_blank_lines_are_passed_over(chat: Chat) -> None:
    expected = ""
    assert expected == chat.piped("", "   ", "\t")


def test_the_last_line_needs_no_end(chat: Chat) -> None:
    expected = lines(*quote(1, "volcano"), chat.sure(LAVA), "")
    assert expected == chat.piped(LAVA.encode())


def test_lines_as_windows_writes_them(chat: Chat) -> None:
    expected = lines("Ask a question first; /more then shows further quotes.")
    assert expected == chat.piped(b"\xef\xbb\xbf/more\r\n/quit\r\n")


def test_bytes_that_are_no_text_spoil_only_their_line(chat: Chat) -> None:
    expected = lines(
        "the question is not valid UTF-8 text; check the terminal",
        "There is no command /caf; /help lists all.",
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
    )
    assert expected == chat.piped(b"caf\xe9?\n", b"/caf\xe9\n", LAVA)


def test_what_articles_hold_is_no_markup_and_steers_no_terminal(chat: Chat) -> None:
    write_article(chat.articles, "cheese", "Herders [bold]made[/bold] cheese \x1b[31m.")
    chat.rebuild()
    expected = lines(
        "1  cheese (en)",
        "   Herders [bold]made[/bold] cheese [31m.",
        "   articles/cheese.md:0–38",
        "",
        chat.sure(CHEESE),
        "",
    )
    assert expected == chat.piped(CHEESE)


def test_piped_lines_stay_whole(chat: Chat) -> None:
    text = "Herders made cheese" + ", herders made cheese" * 15 + "."
    write_article(chat.articles, "cheese", text)
    chat.rebuild()
    expected = lines(
        "1  cheese (en)",
        f"   {text}",
        f"   articles/cheese.md:0–{len(text)}",
        "",
        chat.sure(CHEESE),
        "",
    )
    assert expected == chat.piped(CHEESE)
