"""The bot's words where there is no answer: why, and what to do."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable

from qabot.bot.messages import Outgoing, notice
from qabot.bot.question_detector import is_small_talk
from qabot.bot.queue import QueueFullError, StoppingError
from qabot.errors import FilterError, QabotError, QuestionError, UnusableIndexError
from qabot.render.translations import number_text, translate
from qabot.types import LONGEST_QUESTION

_log = logging.getLogger(__name__)


async def made(message: Callable[[], Outgoing], locale: str) -> Outgoing:
    """Call ``message`` in a thread; return an explanation if it fails."""
    try:
        return await asyncio.to_thread(message)
    except Exception as error:  # noqa: BLE001 (the person is told of every error)
        return notice(explanation(error, locale))


def question_problem(text: str, locale: str) -> str | None:
    """Tell the person what is wrong with a question; ``None`` if nothing is."""
    text = " ".join(text.split())
    if not text or is_small_talk(text):
        return no_question(locale)
    if len(text) > LONGEST_QUESTION:
        return translate(
            "Your question has {length} characters. Please shorten it to {longest}.",
            locale,
            length=number_text(len(text), locale),
            longest=number_text(LONGEST_QUESTION, locale),
        )
    return None


def no_question(locale: str) -> str:
    """Say that a command holds no question."""
    return translate("There is no question. Please type one.", locale)


def how_to_ask(locale: str) -> str:
    """Tell somebody who wrote to the bot how to ask it."""
    return translate("Mention me together with a question, or use `/ask`.", locale)


def explanation(error: Exception, locale: str) -> str:
    """Tell the person about an error, and log it for the operator."""
    if isinstance(error, QueueFullError):
        return translate(
            "Too many questions are waiting right now. Please ask again in a minute.", locale
        )
    if isinstance(error, StoppingError):
        return translate("I am being restarted. Please ask again in a minute.", locale)
    if isinstance(error, FilterError):
        return translate("There is no such collection of articles any more.", locale)
    if isinstance(error, QuestionError):
        return translate("I cannot look that up. Please put the question in other words.", locale)
    if isinstance(error, UnusableIndexError):
        _log.error("%s", error)
        return translate(
            "I cannot read the articles right now. Whoever runs me has to renew them.", locale
        )
    if isinstance(error, QabotError):
        _log.error("a question could not be answered: %s", error)
    else:
        _log.error("a question could not be answered: %s", without_text(error))
    return translate("Something went wrong on my side. Please ask again later.", locale)


def without_text(error: BaseException) -> str:
    """Describe an error for the log, without its text, which may hold a question."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{frames}"
