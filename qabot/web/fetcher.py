"""Fetch addresses politely, within bounds, and only what has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qabot.web.bodies import BodyError, Limit
from qabot.web.guard import PrivateAddressError, open_public_socket
from qabot.web.policy import Options
from qabot.web.responses import Fetched, FinalError, TroubleError, Validators, read_answer
from qabot.web.robots import Rules

if TYPE_CHECKING:
    from aiohttp import ClientSession

PRIVATE = (
    "is in a private network or on this machine; set allow_private_addresses = true if it is meant"
)


@dataclass(slots=True)
class _Server:
    """One server: its rules, and its requests in this rebuild.

    Attributes:
        free: When the next request may be sent, in the event loop's time.
        failures: Consecutive failures up to now.
        reason: The last failure.
    """

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    reading_rules: asyncio.Lock = field(default_factory=asyncio.Lock)
    rules: Rules | None = None
    delay: float = 0.0
    free: float = 0.0
    failures: int = 0
    reason: str = ""


@contextlib.asynccontextmanager
async def fetching(options: Options) -> AsyncIterator[Fetcher]:
    """Open a fetcher; its connections are closed at the end of the block."""
    from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

    factory = None if options.allow_private_addresses else open_public_socket
    async with ClientSession(
        connector=TCPConnector(limit=2 * options.hosts, socket_factory=factory),
        timeout=ClientTimeout(
            total=options.timeout,
            sock_connect=options.connect_timeout,
            sock_read=options.read_timeout,
        ),
        headers={"User-Agent": options.user_agent, "Accept-Encoding": "gzip"},
        cookie_jar=DummyCookieJar(),
        # Unpacked in bodies, which watches the size.
        auto_decompress=False,
        # No proxies or passwords from the environment: a proxy would connect for us, to addresses
        # that nobody checks.
        trust_env=False,
    ) as session:
        yield Fetcher(session, options)


class Fetcher:
    """Sends requests, one at a time to each server, and follows the servers' rules."""

    def __init__(self, session: ClientSession, options: Options) -> None:
        self._session = session
        self._options = options
        self._servers: dict[str, _Server] = {}
        self._slots = asyncio.Semaphore(options.hosts)

    async def fetch(
        self, address: str, *, limit: Limit, known: Validators | None = None
    ) -> Fetched:
        """Fetch an address; raises nothing that a server could cause.

        Args:
            limit: The most bytes of the body.
            known: Validators of the known content, which is not sent again if it is unchanged.
        """
        try:
            return await self._follow(address, limit, known, obey=True)
        except FinalError as failure:
            return failure.fetched
        except TroubleError as trouble:
            return Fetched("failed", str(trouble))

    async def _follow(
        self, address: str, limit: Limit, known: Validators | None, *, obey: bool
    ) -> Fetched:
        for _ in range(self._options.redirects + 1):
            server = self._server(address)
            if obey:
                await self._check_rules(server, address)
            validators = known if known and known.final == address else None
            answer = await self._ask(server, address, limit, validators)
            if isinstance(answer, Fetched):
                return answer
            address = answer
        raise FinalError("failed", f"redirects more than {self._options.redirects} times")

    def _server(self, address: str) -> _Server:
        return self._servers.setdefault(_origin(address), _Server())

    async def _check_rules(self, server: _Server, address: str) -> None:
        async with server.reading_rules:
            if server.rules is None:
                server.rules = await self._rules(_origin(address))
                asked = server.rules.delay(self._options.user_agent)
                server.delay = min(asked, self._options.longest_delay)
        if server.rules.problem:
            raise FinalError("failed", server.rules.problem)
        if not server.rules.allow(address, self._options.user_agent):
            raise FinalError("gone", f"must not be read: {_origin(address)}/robots.txt forbids it")

    async def _rules(self, origin: str) -> Rules:
        limit = Limit(self._options.robots_bytes)
        try:
            found = await self._follow(f"{origin}/robots.txt", limit, None, obey=False)
        except FinalError as failure:
            # A server without rules allows everything; one whose rules cannot be read, nothing.
            if 400 <= failure.fetched.status < 500:
                return Rules()
            return Rules(problem=_of_robots(origin, failure.fetched.reason))
        except TroubleError as trouble:
            return Rules(problem=_of_robots(origin, str(trouble)))
        return Rules.read(found.body)

    async def _ask(
        self, server: _Server, address: str, limit: Limit, known: Validators | None
    ) -> Fetched | str:
        """Send a request; return the response, or the address of a redirect."""
        async with server.turn:
            if server.failures >= self._options.failures:
                raise TroubleError(server.reason)
            try:
                answer = await self._patiently(server, address, limit, known)
            except TroubleError as trouble:
                server.failures += 1
                server.reason = str(trouble)
                raise
            server.failures = 0
            return answer

    async def _patiently(
        self, server: _Server, address: str, limit: Limit, known: Validators | None
    ) -> Fetched | str:
        """Send a request when the server allows it, and again if it says when."""
        await self._wait(server)
        try:
            return await self._once(address, limit, known)
        except TroubleError as trouble:
            if trouble.wait is None or trouble.wait > self._options.longest_delay:
                raise
            server.free += trouble.wait
        await self._wait(server)
        return await self._once(address, limit, known)

    async def _wait(self, server: _Server) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, server.free - loop.time()))
        server.free = loop.time() + max(self._options.delay, server.delay)

    async def _once(self, address: str, limit: Limit, known: Validators | None) -> Fetched | str:
        from aiohttp import ClientError, ClientPayloadError, ClientResponseError, InvalidURL
        from yarl import URL

        try:
            async with (
                self._slots,
                self._session.get(
                    URL(address, encoded=True),
                    headers=known.headers() if known else {},
                    allow_redirects=False,
                ) as response,
            ):
                return await read_answer(response, address, limit, known)
        except TimeoutError as error:
            raise TroubleError(f"took longer than {self._options.timeout:g} seconds") from error
        except BodyError as error:
            raise FinalError("failed", str(error)) from error
        except ClientPayloadError as error:
            raise TroubleError("cannot be reached (the response broke off)") from error
        except ClientResponseError as error:
            raise TroubleError("cannot be reached (its response is not HTTP)") from error
        except InvalidURL as error:
            raise FinalError("failed", "is not a valid address") from error
        except (ClientError, OSError, ValueError) as error:
            if isinstance(getattr(error, "os_error", None), PrivateAddressError):
                raise FinalError("failed", PRIVATE) from error
            raise TroubleError(f"cannot be reached ({_reason(error)})") from error


def _origin(address: str) -> str:
    from yarl import URL

    return str(URL(address, encoded=True).origin())


def _of_robots(origin: str, reason: str) -> str:
    # A server that cannot be reached is the same fault for all of its addresses.
    known = reason == PRIVATE or reason.startswith(("cannot be reached", "took longer"))
    return reason if known else f"cannot be read, because {origin}/robots.txt {reason}"


def _reason(error: Exception) -> str:
    """Return what a library says about a connection, on one line."""
    reason = getattr(error, "os_error", error)
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(str(text).split())[:200]
