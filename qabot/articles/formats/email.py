"""E-mail (.eml): the text of a message; sender, date and subject apart from it."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import MIMEPart
from email.utils import getaddresses, parsedate_to_datetime

from qabot.articles.formats.draft import Draft, clean, one_line
from qabot.articles.formats.list_numbers import number_items
from qabot.errors import ArticleError

_HEADER = re.compile(
    rb"(?:From|To|Date|Subject|Received|Return-Path|Message-ID|MIME-Version):", re.IGNORECASE
)
_HEAD_WITHIN = 65_536
# What Python's parser trips over in hostile fields.
_TRIPS = (LookupError, ValueError, TypeError, AttributeError, MessageError)


def is_email(data: bytes) -> bool:
    """Tell whether ``data`` begins with the head of a message."""
    head, _, _ = data[:_HEAD_WITHIN].replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = [line for line in head.split(b"\n") if line[:1] not in (b" ", b"\t")]
    known = {line.partition(b":")[0].lower() for line in lines if _HEADER.match(line)}
    return {b"from", b"subject"} <= known and all(b":" in line for line in lines)


def read_email(data: bytes) -> Draft:
    """Make a draft of a message; attachments are left out.

    Raises:
        ArticleError: It is no message, or has no text.
    """
    message = message_from_bytes(data, policy=policy.default)
    if not message.keys():
        raise ArticleError("not an e-mail message; give it the ending that fits what it is")
    try:
        body = message.get_body(("plain", "html"))
        draft = Draft("") if body is None else _body(body)
    except _TRIPS as error:
        raise ArticleError("damaged: no e-mail message that can be read; save it again") from error
    if not draft.text:
        raise ArticleError("an e-mail message without text; remove it")
    return Draft(
        draft.text,
        draft.headings,
        title=one_line(_field(message, "subject")) or None,
        published=_day(_field(message, "date")),
        author=_sender(_field(message, "from")),
    )


def _field(message: MIMEPart, name: str) -> str:
    """A field of a message's head; as it is written where its form is wrong."""
    try:
        return str(message.get(name, ""))
    except _TRIPS:
        raw = (str(value) for key, value in message.raw_items() if key.lower() == name)
        return next(raw, "")


def _body(body: MIMEPart) -> Draft:
    try:
        text = str(body.get_content())
    except (LookupError, ValueError):
        # In an encoding that Python does not know.
        payload = body.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if body.get_content_subtype() == "html":
        from qabot.articles.formats.blocks import blocks_of
        from qabot.articles.formats.draft import compose
        from qabot.articles.formats.xhtml import XHTML
        from qabot.articles.formats.xml import parse_html

        page = parse_html(text)
        number_items(page)
        return Draft(*compose(blocks_of(page, XHTML)))
    return Draft(clean(text))


def _day(told: str) -> str | None:
    try:
        return parsedate_to_datetime(told).date().isoformat()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _sender(told: str) -> str | None:
    names = [name or address for name, address in getaddresses([told])]
    return one_line(", ".join(filter(None, names))) or None
