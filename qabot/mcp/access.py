"""Who may connect over HTTP: the address, the token, and web pages kept out."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from qabot.errors import UsageError
from qabot.processes import MCP_VARIABLE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_HERE = "127.0.0.1"
_TOKEN = re.compile(r"[!-~]{16,}")
_WHERE = (
    f"put one of 16 characters or more into the variable {MCP_VARIABLE}, or into a file that the "
    "setting mcp_token_file names"
)
_LOCAL_ORIGIN = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``HOST:PORT``; without a host, it is this machine alone.

        Raises:
            UsageError: It is something else.
        """
        host, _, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") or _HERE
        if not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
            raise UsageError(f"--http {text!r}: write HOST:PORT, such as {_HERE}:8765")
        return cls(host, int(port))

    @property
    def local(self) -> bool:
        """True if only this machine can connect."""
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def url(self) -> str:
        """The address to give to an assistant."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/mcp"


def read_token(address: Address, file: str, environment: Mapping[str, str]) -> str | None:
    """Read the token that clients must send; ``None`` if they need none.

    Args:
        file: Read if no variable is set; may be empty.
        environment: The process's variables.

    Raises:
        UsageError: It cannot be read or is too short; or there is none, and others can connect.
    """
    text, name = environment.get(MCP_VARIABLE), f"the variable {MCP_VARIABLE}"
    if not text and file:
        name = file
        try:
            text = Path(file).expanduser().read_text("utf-8")
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or "not text"
            raise UsageError(f"{file}: the token cannot be read ({reason}); {_WHERE}") from error
    if not text:
        if address.local:
            return None
        raise UsageError(f"--http {address.host}: others could connect without a token; {_WHERE}")
    if not _TOKEN.fullmatch(text.strip()):
        raise UsageError(f"{name} holds no token; {_WHERE}")
    return text.strip()


class Guard:
    """Lets requests with the token pass, and none of a web page.

    Args:
        app: Gets the requests that pass.
        token: Without one, every request has it.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._expected = None if token is None else f"bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        from starlette.datastructures import Headers
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":  # The start and end of the server.
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not _LOCAL_ORIGIN.fullmatch(origin):
            refusal = PlainTextResponse("web pages may not connect", 403)
        elif not self._has_token(headers.get("authorization", "")):
            refusal = PlainTextResponse("a token is needed", 401, {"WWW-Authenticate": "Bearer"})
        else:
            await self._app(scope, receive, send)
            return
        await refusal(scope, receive, send)

    def _has_token(self, text: str) -> bool:
        if self._expected is None:
            return True
        scheme, _, token = text.partition(" ")
        given = f"{scheme.lower()} {token.strip()}".encode()
        return hmac.compare_digest(given, self._expected)
