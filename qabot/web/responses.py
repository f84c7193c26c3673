"""Read one response of a server: its meaning and its body."""

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
    """Headers of the last response of an address, for a conditional request.

    Attributes:
        final: The address at the end of all redirects.
        etag, modified: The headers ``ETag`` and ``Last-Modified``.
    """

    final: str
    etag: str | None = None
    modified: str | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers of a conditional request."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in headers.items() if value}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome of a request.

    Attributes:
        outcome: ``same`` if nothing changed; ``gone`` if there is nothing that may be read;
            ``failed`` if that is unknown.
        reason: Why it is gone or failed; the text follows the address.
        status: The HTTP status, if there was one.
        body: Unpacked; converted to UTF-8 if the server named another encoding.
        type: The declared media type, in lower case.
        validators: For the next request.
    """

    outcome: Outcome
    reason: str = ""
    status: int = 0
    body: bytes = b""
    type: str = ""
    validators: Validators = field(default_factory=lambda: Validators(""))


class FinalError(Exception):
    """An address that cannot be read, which is final or not the server's fault."""

    def __init__(self, outcome: Outcome, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.fetched = Fetched(outcome, reason, status)


class TroubleError(Exception):
    """A server that does not work at present.

    Attributes:
        wait: Seconds until the next try, if the server says so.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


async def read_answer(
    response: ClientResponse, address: str, limit: Limit, known: Validators | None
) -> Fetched | str:
    """Return the response of a server, or the address of a redirect.

    Args:
        limit: The most bytes of the body.
        known: The validators that were sent.

    Raises:
        FinalError: There is nothing that can be read.
        TroubleError: There may be something later.
        BodyError: The body is too large, damaged or compressed in an unknown way.
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
        raise BodyError(f"is compressed by {packing[:20]}, which was not asked for")
    body = Body(limit, packed=_PACKED[packing], length=response.content_length or 0)
    async for chunk in response.content.iter_chunked(_CHUNK):
        body.add(chunk)
    return body.whole()


def _joined(address: str, location: str) -> str:
    """Return the address of a redirect."""
    from yarl import URL

    try:
        return spelled(str(URL(address, encoded=True).join(URL(location))))
    except ValueError as error:
        raise FinalError("failed", f"redirects to an invalid address ({error})") from error


def _refusal(status: int, retry_after: str) -> Exception:
    """Return the exception for a status without a body."""
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
    """Convert a body to UTF-8 from the encoding that the server names, if any."""
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
