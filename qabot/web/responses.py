"""One answer of a server: what it means, and its body."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from qabot.web.addresses import spelled
from qabot.web.bodies import Body, BodyError, Limit, is_text

if TYPE_CHECKING:
    from aiohttp import ClientResponse

Outcome = Literal["read", "same", "gone", "failed"]

_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_REDIRECTS = (301, 302, 303, 307, 308)
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_PACKED = {"gzip": True, "x-gzip": True, "deflate": True, "identity": False, "": False}
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said last of an address, to ask whether that has changed.

    Attributes:
        final: The address that answered, at the end of all redirects.
        etag, modified: The headers ``ETag`` and ``Last-Modified``.
    """

    final: str
    etag: str | None = None
    modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Headers of a request for what has changed."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of asking for an address.

    Attributes:
        outcome: ``same`` where it has not changed; ``gone`` where there is nothing, or nothing that
            may be read; ``failed`` where that cannot be told now.
        reason: Why it is gone or failed, fit to stand after the address.
        status: The HTTP status, where there was one.
        body: Unpacked; in UTF-8 where the server named another encoding.
        type: Its media type in lower case, as the server declared it.
        validators: For asking again.
    """

    outcome: Outcome
    reason: str = ""
    status: int = 0
    body: bytes = b""
    type: str = ""
    validators: Validators = field(default_factory=lambda: Validators(""))


class FinalError(Exception):
    """An address that could not be read; the server is not to blame, or its answer is final."""

    def __init__(self, outcome: Outcome, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.fetched = Fetched(outcome, reason, status)


class TroubleError(Exception):
    """A server that does not answer as it should; perhaps it does later.

    Attributes:
        wait: Seconds after which to ask again, if it said so.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


async def read_answer(
    response: ClientResponse, address: str, limit: Limit, known: Validators | None
) -> Fetched | str:
    """What a server answered, or the address that it leads on to.

    Args:
        limit: What its body may have.
        known: What it was told is known.

    Raises:
        FinalError: There is nothing that could be read.
        TroubleError: There may be later.
        BodyError: The body is too large, damaged or packed in an unknown way.
    """
    status = response.status
    if status == HTTPStatus.NOT_MODIFIED and known:
        return Fetched("same", validators=known)
    if status in _REDIRECTS and "Location" in response.headers:
        return _joined(address, response.headers["Location"])
    if status != HTTPStatus.OK:
        raise _refusal(status, response.headers.get("Retry-After", ""))
    body = await _body(response, limit)
    headers = response.headers
    validators = Validators(address, headers.get("ETag"), headers.get("Last-Modified"))
    charset = _charset(response)
    return Fetched(
        "read", "", status, _in_utf8(body, charset), response.content_type.lower(), validators
    )


async def _body(response: ClientResponse, limit: Limit) -> bytes:
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in _PACKED:
        raise BodyError(f"is packed by {packing[:20]}, which was not asked for")
    body = Body(limit, packed=_PACKED[packing], length=response.content_length or 0)
    async for chunk in response.content.iter_chunked(_CHUNK):
        body.add(chunk)
    return body.whole()


def _joined(address: str, location: str) -> str:
    """The address that a redirect leads to."""
    from yarl import URL

    try:
        return spelled(str(URL(address, encoded=True).join(URL(location))))
    except ValueError as error:
        raise FinalError("failed", f"leads on to what is no address ({error})") from error


def _refusal(status: int, retry_after: str) -> Exception:
    """The exception for a status that brings no body."""
    try:
        name = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        name = str(status)
    if status in _GONE:
        return FinalError("gone", f"is not there ({name})", status)
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        wait = float(retry_after) if retry_after.isdecimal() and len(retry_after) < 9 else None
        return TroubleError(f"cannot be reached (the server answers {name})", wait)
    return FinalError("failed", f"cannot be read (the server answers {name})", status)


def _charset(response: ClientResponse) -> str | None:
    with contextlib.suppress(LookupError, ValueError):
        return response.charset
    return None


def _in_utf8(body: bytes, charset: str | None) -> bytes:
    """``body`` in UTF-8 if it is in another encoding that the server named; else as it came."""
    if charset is None or charset.lower() in ("utf-8", "utf8") or not is_text(body):
        return body
    try:
        body.decode("utf-8")
        return body
    except UnicodeDecodeError:
        pass
    try:
        return body.decode(charset).encode("utf-8")
    except (LookupError, ValueError):
        return body
