"""Renders answers, passages and articles for Discord messages; pure, without discord.py.

A view holds texts in Discord's markdown that fit an embed or Components V2; the bot decides how to
send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qabot.render.labels import likelihood, page_url
from qabot.render.markup import directed, inert, link, one_line, text_fragment_url, web_address
from qabot.render.paging import fitted, paged
from qabot.render.translations import (
    date_text,
    language_name,
    mark,
    translate,
)
from qabot.types import Answer, ArticleInfo, Passage, Quote

LONGEST_TITLE = 256
LONGEST_TEXT = 3_400
"""All parts of a view together: with title and footer they fit 4,000 characters, fewer than an
embed takes."""
LONGEST_FOOTER = 200
LONGEST_LEAD = 2_000

LONGEST_LABEL = 60
_TITLE, _HEADING, _ANSWER = 150, 100, 300
# More articles with the same statement would crowd out the quote.
_MOST_ALSO = 2
_WORDS = (mark("very likely"), mark("likely"), mark("possibly"), mark("unlikely"))
MOST_NEAR = 3


@dataclass(frozen=True, slots=True)
class View:
    """The content of a message.

    Attributes:
        title: Markdown on one line; at most ``LONGEST_TITLE`` characters.
        parts: Markdown; at most ``LONGEST_TEXT`` characters, joined by two line breaks.
        footer: Plain text without markup, on one line.
        page: From 0.
        pages: At least 1.
        places: Indexes of the answer's quotes that the parts show.
        lead: Markdown that stands before all else, also where embeds are turned off; at most
            ``LONGEST_LEAD`` characters.
    """

    title: str
    parts: tuple[str, ...]
    footer: str = ""
    page: int = 0
    pages: int = 1
    places: tuple[int, ...] = ()
    lead: str = ""

    @property
    def text(self) -> str:
        """The parts joined by blank lines."""
        return "\n\n".join(self.parts)


def answer_view(
    answer: Answer,
    page: int,
    locale: str,
    *,
    per_page: int = 3,
    near: Sequence[ArticleInfo] = (),
) -> View:
    """Render a page of an answer: the answer first, then its source and the quotes around it.

    The first page holds the best quote alone.

    Args:
        page: From 0; moved to the nearest page that exists.
        locale: The asker's language.
        per_page: The most quotes on a further page; long ones take more room.
        near: For "not found": articles about the question's subject.
    """
    title = one_line(answer.question, LONGEST_TITLE)
    if answer.status == "not_found":
        said = translate("The articles don't answer that.", locale)
        return View(title, _near(near, locale), lead=said)
    cards = [
        _card(number, quote, locale, numbered=len(answer.quotes) > 1)
        for number, quote in enumerate(answer.quotes)
    ]
    pages = paged([len(card) for card in cards], per_page, LONGEST_TEXT)
    page = min(max(page, 0), len(pages) - 1)
    places = pages[page]
    first = answer.quotes[places[0]]
    number = places[0] + 1 if len(answer.quotes) > 1 else None
    return View(
        title,
        # The lead names the source of the first one.
        (_block(first, LONGEST_TEXT), *(cards[place] for place in places[1:])),
        with_page("", page, len(pages), locale),
        page,
        len(pages),
        places,
        _lead(first, locale, number),
    )


def context_view(
    quote: Quote,
    before: Passage | None,
    passage: Passage,
    after: Passage | None,
    locale: str,
) -> View:
    """Render a quote in its passage, with the answer in bold; cut long passages around it."""
    marked = quote.highlights or ((quote.start, quote.end),)
    bold = [(start - passage.start, end - passage.start) for start, end in marked]
    middle = fitted(passage.text, LONGEST_TEXT * 2 // 3, bold=bold)
    details = _details(quote, locale)
    room = (LONGEST_TEXT - len(middle) - len(details) - 20) // 2
    parts = [middle]
    if before is not None:
        parts.insert(0, fitted(before.text, room, keep_end=True))
    if after is not None:
        parts.append(fitted(after.text, room))
    parts.insert(0, details)
    return View(one_line(quote.article.title, LONGEST_TITLE), tuple(parts))


def _near(near: Sequence[ArticleInfo], locale: str) -> tuple[str, ...]:
    if not near:
        return ()
    heading = translate("Articles on similar subjects:", locale)
    titles = [f"- {title_of(info, web_address(info.url))}" for info in near[:MOST_NEAR]]
    return ("\n".join([heading, *titles]),)


def _lead(quote: Quote, locale: str, number: int | None) -> str:
    """Render the marked words of a quote and its source: what a person wants to know first."""
    answer = f"**{directed(one_line(_marked(quote), _ANSWER) or '…')}**"
    lead = f"{answer}\n{_source(quote, locale, number, bold=False)}"
    if len(lead) <= LONGEST_LEAD:
        return lead
    return f"{answer}\n{_source(replace(quote, also=()), locale, number, bold=False)}"


def _card(number: int, quote: Quote, locale: str, *, numbered: bool) -> str:
    source = _source(quote, locale, number=number + 1 if numbered else None)
    # With the source below, some clients show it as a part of the quote.
    return f"{source}\n{_block(quote, LONGEST_TEXT - len(source) - 1)}"


def _block(quote: Quote, room: int) -> str:
    highlights = [(start - quote.start, end - quote.start) for start, end in quote.highlights]
    return fitted(quote.text, room, bold=highlights)


def _source(quote: Quote, locale: str, number: int | None = None, *, bold: bool = True) -> str:
    """Render a quote's source on two lines: the article's title, then the details."""
    place = f"{number} · " if number else ""
    title = title_of(quote.article, _address(quote), bold=bold)
    # A lead's details are small; embeds would show the marks of that.
    small = "" if bold else "-# "
    return f"{place}{title}\n{small}{_details(quote, locale)}"


def _details(quote: Quote, locale: str) -> str:
    """Render the details of a quote's source on one line, without the title."""
    info = quote.article
    named = quote.heading is None or quote.heading == info.title
    section = "" if named or quote.text.startswith(quote.heading or "") else quote.heading or ""
    return joined(
        [
            as_of(info, locale),
            "" if quote.same_language else in_language(info, locale),
            one_line(section, _HEADING),
            translate("page {page}", locale, page=quote.page) if quote.page else "",
            translate(likelihood(quote.score)[0], locale),
            *(_also(other, quote, locale) for other in quote.also[:_MOST_ALSO]),
        ]
    )


def _also(info: ArticleInfo, quote: Quote, locale: str) -> str:
    """Render another article with the same statement, with its date and link if known."""
    title = one_line(info.title, LONGEST_LABEL) or one_line(info.id, LONGEST_LABEL)
    date = f"({date})" if (date := as_of(info, locale)) else ""
    # The text around the answer may differ there.
    source = link(translate("Source", locale), text_fragment_url(info.url, _marked(quote)))
    return " ".join(filter(None, ["+", title, date, source]))


def _marked(quote: Quote) -> str:
    """Return the marked answer, or the whole quote if nothing is marked."""
    start, end = quote.highlights[0] if quote.highlights else (quote.start, quote.end)
    return quote.text[start - quote.start : end - quote.start]


def as_of(info: ArticleInfo, locale: str) -> str:
    """Say as of when an article is; empty if it has no date."""
    if info.published is None:
        return ""
    return translate("as of {date}", locale, date=inert(date_text(info.published, locale)))


def in_language(info: ArticleInfo, locale: str) -> str:
    """Name an article's language."""
    return translate("in {language}", locale, language=language_name(info.language, locale))


def _address(quote: Quote) -> str | None:
    """Return the web address of a quote's article, at the quote."""
    url = quote.article.url
    if quote.page:
        return web_address(page_url(url, quote.page)) if url else None
    return text_fragment_url(url, _marked(quote))


def title_of(info: ArticleInfo, address: str | None = None, *, bold: bool = True) -> str:
    """Render a title, linked to a checked address."""
    # Bold text that is empty would show its stars.
    title = one_line(info.title, _TITLE) or one_line(info.id, _TITLE) or "?"
    if address is not None:
        # Clients end the label of a link at brackets, escaped or not.
        label = title.replace("\\[", "(").replace("\\]", ")")
        title = f"[{label}](<{address}>)"
    return f"**{title}**" if bold else title


def joined(details: Sequence[str]) -> str:
    """Put details on one line; empty ones are left out."""
    return " · ".join(detail for detail in details if detail)


def with_page(footer: str, page: int, pages: int, locale: str) -> str:
    """Add the number of a page, from 0, to a footer, if there are several."""
    if pages == 1:
        return footer
    where = translate("Page {page} of {pages}", locale, page=page + 1, pages=pages)
    return joined([footer, where])
