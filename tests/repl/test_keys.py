"""The prompt, key by key: Ctrl-C, Ctrl-D, history, completion."""

from __future__ import annotations

import io
import stat
import threading
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from qabot.indexing.summary import Summary
from qabot.repl.prompt import CommandCompleter, open_history
from tests.repl.support import (
    CTRL_C,
    CTRL_D,
    ENTER,
    GOLD,
    LAVA,
    UP,
    Chat,
    lines,
    press_ctrl_c,
    quote,
    seen,
)
from tests.support import write_article

GREETING = ("5 articles in 1 language (en)", "Ask in any language; /help lists the commands.", "")


def test_a_session_at_the_prompt(chat: Chat) -> None:
    expected = lines(
        *GREETING,
        "",
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        "",
        *quote(3, "ice"),
        "There is no command /foo; /help lists all.",
    )
    assert expected == chat.typed(GOLD, ENTER, "/more", ENTER, "/foo", ENTER, CTRL_D)


def test_the_greeting_names_the_languages(chat: Chat) -> None:
    write_article(chat.articles, "uno", "El queso es de leche.", language="es")
    chat.rebuild()
    expected = lines(
        "6 articles in 2 languages (en, es)", "Ask in any language; /help lists the commands.", ""
    )
    assert expected == chat.typed(CTRL_D)


def test_the_greeting_counts_the_languages_where_they_are_many(chat: Chat) -> None:
    for language in ["ar", "bg", "cs", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt"]:
        write_article(chat.articles, language, "La la la.", language=language)
    chat.rebuild()
    expected = lines(
        "17 articles in 13 languages", "Ask in any language; /help lists the commands.", ""
    )
    assert expected == chat.typed(CTRL_D)


def test_ctrl_c_clears_what_was_typed(chat: Chat) -> None:
    expected = lines(*GREETING, "", *quote(1, "volcano"), chat.sure(LAVA), "")
    assert expected == chat.typed("cheese", CTRL_C, LAVA, ENTER, CTRL_D)


def test_ctrl_c_on_an_empty_line_says_how_to_leave(chat: Chat) -> None:
    expected = lines(*GREETING, "Ctrl-D leaves.", "Ctrl-D leaves.")
    assert expected == chat.typed("a", CTRL_C, CTRL_C, CTRL_C, CTRL_D)


def test_ctrl_c_cancels_a_question_and_drops_its_answer(chat: Chat) -> None:
    expected = lines(*GREETING, "Cancelled.", "", *quote(1, "volcano"), chat.sure(LAVA), "")
    assert expected == chat.typed("stall gold", ENTER, LAVA, ENTER, CTRL_D)


class PressedWhileDrawn(io.StringIO):
    """A screen on which Ctrl-C comes while a search is announced."""

    pressed = False

    def write(self, text: str) -> int:
        if not self.pressed and "Searching" in text:
            self.press()
        return super().write(text)

    def press(self) -> None:
        self.pressed = True
        raise KeyboardInterrupt


def test_ctrl_c_while_the_search_is_announced_leaves_no_announcement(
    chat: Chat, monkeypatch
) -> None:
    said = PressedWhileDrawn()

    def started(thread: threading.Thread) -> None:
        start(thread)
        # What moves is drawn by a thread, once the cursor is hidden.
        if thread.daemon and "\x1b[?25l" in said.getvalue() and not said.pressed:
            said.press()

    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", started)
    shown = chat.typed("linger", ENTER, LAVA, ENTER, CTRL_D, said=said, terminal=True)
    assert said.pressed
    _, cancelled, after = shown.partition("Cancelled.")
    assert cancelled
    assert "Volcano" in after
    assert "Searching" not in after


@pytest.mark.parametrize("line", ["exit", "Quit", ":quit", ":exit", "/exit"])
def test_other_programs_words_for_leaving_are_understood(chat: Chat, line) -> None:
    assert lines(*GREETING) == chat.typed(line, ENTER, LAVA, ENTER)


def test_other_programs_words_for_help_are_understood(chat: Chat) -> None:
    shown = chat.typed("/help", ENTER, CTRL_D)
    for line in ("help", ":help"):
        assert shown == chat.typed(line, ENTER, CTRL_D)


def test_a_cancelled_question_leaves_the_last_answer(chat: Chat) -> None:
    expected = lines(
        *GREETING,
        "",
        *quote(1, "gold"),
        *quote(2, "dust"),
        chat.sure(GOLD),
        "",
        "Cancelled.",
        "",
        *quote(3, "ice"),
    )
    assert expected == chat.typed(GOLD, ENTER, "stall", ENTER, "/more", ENTER, CTRL_D)


def test_ctrl_c_cancels_a_rebuild_and_leaves_the_index(chat: Chat) -> None:
    write_article(chat.articles, "volcano", "The sea is calm.")
    chat.report = lambda progress: press_ctrl_c()
    expected = lines(
        *GREETING,
        "Rebuild cancelled; the index is unchanged.",
        "",
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
    )
    assert expected == chat.typed("/rebuild", ENTER, LAVA, ENTER, CTRL_D)


def test_ctrl_c_after_publishing_says_that_the_index_is_new(chat: Chat, monkeypatch) -> None:
    write_article(chat.articles, "volcano", "The sea is calm.")
    rebuild = chat.rebuild

    def rebuilt() -> Summary:
        rebuild()
        raise KeyboardInterrupt

    monkeypatch.setattr(chat, "rebuild", rebuilt)
    expected = lines(*GREETING, "Rebuild cancelled; answers come from the new index.")
    assert expected == chat.typed("/rebuild", ENTER, CTRL_D)


def test_a_cancelled_rebuild_can_be_started_again(chat: Chat) -> None:
    write_article(chat.articles, "wind", "The sea is calm.")
    presses = iter([press_ctrl_c])
    chat.report = lambda progress: next(presses, lambda: None)()
    expected = lines(
        *GREETING,
        "Rebuild cancelled; the index is unchanged.",
        "Answers come from the new index now.",
    )
    assert expected == chat.typed("/rebuild", ENTER, "/rebuild", ENTER, CTRL_D)


def test_ctrl_c_ends_the_program_where_nobody_types(chat: Chat) -> None:
    chat.report = lambda progress: press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        chat.piped("/rebuild", LAVA)
    with pytest.raises(KeyboardInterrupt):
        chat.piped("stall", LAVA)
    # A question that comes later ends the wait of the one that was left.
    assert lines(*quote(1, "volcano"), chat.sure(LAVA), "") == chat.piped(LAVA)


def test_a_long_text_says_how_long_it_was(chat: Chat) -> None:
    sentences = [f"This is number {number}." for number in range(1, 101)]
    write_article(chat.articles, "long", "\n\n".join(sentences))
    chat.rebuild()
    said = chat.typed("/show long", ENTER, CTRL_D)
    expected = lines(
        "6 articles in 1 language (en)",
        *GREETING[1:],
        "",
        "long (en)",
        "articles/long.md",
        *(line for sentence in sentences for line in ("", sentence)),
        "",
        "That was 202 lines; scroll up for its beginning.",
    )
    assert expected == said


def test_what_was_typed_is_there_the_next_time(chat: Chat) -> None:
    chat.typed(LAVA, ENTER, CTRL_D)
    expected = lines(*GREETING, "", *quote(1, "volcano"), chat.sure(LAVA), "")
    assert expected == chat.typed(UP, ENTER, CTRL_D)


def test_what_is_typed_after_a_blank_is_not_remembered(chat: Chat) -> None:
    chat.typed(LAVA, ENTER, f" {GOLD}", ENTER, CTRL_D)
    kept = [line for line in chat.history.read_text("utf-8").splitlines() if line[:1] == "+"]
    assert [f"+{LAVA}"] == kept


def test_only_the_user_can_read_the_history(chat: Chat) -> None:
    chat.typed(LAVA, ENTER, CTRL_D)
    expected = ["drwx------", "-rw-------"]
    assert expected == [
        stat.filemode(path.stat().st_mode) for path in (chat.history.parent, chat.history)
    ]


def test_the_history_is_kept_in_the_users_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    open_history().append_string("who?")
    expected = "+who?\n"
    assert (tmp_path / "qabot" / "history").read_text("utf-8").endswith(expected)


def test_a_history_that_cannot_be_written_lasts_as_long_as_the_chat(
    chat: Chat, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    chat.history = tmp_path / "file" / "history"
    expected = lines(*GREETING, "", *quote(1, "volcano"), chat.sure(LAVA), "")
    assert expected == chat.typed(LAVA, ENTER, CTRL_D)
    history = open_history(chat.history)
    history.append_string("who?")
    history.append_string(" when?")
    remembered = ["who?"]
    assert remembered == history.get_strings()


def test_a_disk_that_has_become_full_does_not_end_the_chat(tmp_path: Path) -> None:
    path = tmp_path / "history"
    history = open_history(path)
    path.unlink()
    path.symlink_to("/dev/full")
    history.append_string("who?")
    expected = ["who?"]
    assert expected == history.get_strings()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", []),
        ("what /s", []),
        ("/", ["/show", "/help"]),
        ("/SH", ["/show"]),
        ("  /h", ["/help"]),
        ("/show ", ["moon.en", "mars.de"]),
        ("/show  M", ["moon.en", "mars.de"]),
        ("/SHOW mo", ["moon.en"]),
        ("/show the r", ["mars.de"]),
        ("/help ", []),
    ],
)
def test_completion(typed: str, expected: list[str]) -> None:
    articles = [("moon.en", "Our neighbour"), ("mars.de", "The red planet")]
    completer = CommandCompleter(
        {"/show": "an article", "/help": "this list"},
        lambda command: articles if command == "/show" else [],
    )
    found = completer.get_completions(Document(typed), CompleteEvent())
    assert expected == [completion.text for completion in found]


def test_a_terminal_that_can_only_print_lines(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    from qabot.repl import Repl

    said = Terminal()
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdin", Terminal(f"{LAVA}\n/foo\n"))
    monkeypatch.setattr("sys.stdout", said)
    Repl(chat.engine, rebuild=chat.rebuild).run()
    expected = lines(
        *GREETING,
        ">",
        *quote(1, "volcano"),
        chat.sure(LAVA),
        "",
        "> There is no command /foo; /help lists all.",
        ">",
    )
    assert expected == seen(said)


def test_a_long_title_and_text_are_wrapped_beside_the_number(chat: Chat) -> None:
    title = "How herders of long ago invented cheese on a wandering and never came to like it"
    write_article(chat.articles, "cheese", f"{title}.", title=title, published="2024")
    chat.rebuild()
    expected = lines(
        "6 articles in 1 language (en)",
        *GREETING[1:],
        "",
        "1  How herders of long ago invented cheese on a wandering and never came to like",
        "   it (as of 2024, en)",
        "   How herders of long ago invented cheese on a wandering and never came to like",
        "   it.",
        "   articles/cheese.md:0–81",
        "",
        chat.sure(title),
        "",
    )
    assert expected == chat.typed(title, ENTER, CTRL_D)
