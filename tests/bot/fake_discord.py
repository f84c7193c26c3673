"""As much of Discord, on loopback, as a process that runs the bot needs to start and to answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tests.support import PATIENCE, clean_environment

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GfakeX.abcdefghijklmnopqrstuvwxyz0123456789AB"
_APPLICATION = "123456789012345678"
_MESSAGE_CONTENT = 1 << 15
_START = """
import sys, discord, discord.gateway, discord.http, yarl
base = sys.argv.pop(1)
discord.http.Route.BASE = base + "/api"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(base.replace("http", "ws") + "/ws")
from qabot.cli import main
exec(sys.argv.pop(1))
main()
"""


class FakeDiscord:
    """Knows one token and grants no privileged intent.

    Attributes:
        url: Where it is.
        synced: The commands that were registered, each time.
        edits: What interactions were answered with, by their token.
        failures: Logging in fails so many times.
        closing_code: Closes the gateway with it as soon as the bot has said its token.
        shards: As which shard the bot logged in, ``[number, count]``, each time that it said so.
        times: When interactions were acknowledged and answered (``answered TOKEN``).
        ready: Set once the bot has logged in.
    """

    def __init__(self) -> None:
        self.url = ""
        self.synced: list[Any] = []
        self.edits: dict[str, Any] = {}
        self.times: dict[str, float] = {}
        self.shards: list[list[int]] = []
        self.closing_code: int | None = None
        self.failures = 0
        self.ready = asyncio.Event()
        self.acknowledged = asyncio.Event()
        self._edited = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._sequence = 1

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/ws", self._gateway)
        app.router.add_route("*", "/api/{path:.*}", self._rest)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def ask(self, number: int, question: str, user_id: int = 5) -> None:
        """Use ``/ask``; the interaction's token is ``interaction-NUMBER``."""
        option = {"name": "question", "type": 3, "value": question}
        data = {"name": "ask", "options": [option]}
        user = {"id": str(user_id), "username": "ann", "discriminator": "0", "avatar": None}
        channel = {"id": "7", "type": 1, "recipients": [user], "last_message_id": None}
        payload = {
            "id": str(number),
            "application_id": _APPLICATION,
            "type": 2,
            "token": f"interaction-{number}",
            "version": 1,
            "data": {"id": "9", "type": 1, **data},
            "channel_id": "7",
            "channel": channel,
            "user": user,
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 1,
            "app_permissions": "0",
            "attachment_size_limit": 1,
        }
        await self._dispatch("INTERACTION_CREATE", payload)

    async def drop(self) -> None:
        """Break the gateway's connection, as Discord does now and then."""
        assert self._socket is not None
        self.ready.clear()
        await self._socket.close(code=4000)

    async def answers(self, number: int) -> None:
        """Wait until so many interactions are answered."""
        while len(self.edits) < number:
            self._edited.clear()
            await asyncio.wait_for(self._edited.wait(), PATIENCE)

    async def _dispatch(self, event: str, data: dict[str, Any]) -> None:
        assert self._socket is not None
        self._sequence += 1
        await self._socket.send_json({"op": 0, "t": event, "s": self._sequence, "d": data})

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40000}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            received = json.loads(message.data)
            if received["op"] == 2:
                wants_content = received["d"]["intents"] & _MESSAGE_CONTENT
                code = self.closing_code or (4014 if wants_content else None)
                if code:
                    await socket.close(code=code)
                    break
                hello = self._hello()
                if shard := received["d"].get("shard"):
                    self.shards.append(shard)
                    hello["shard"] = shard
                await self._dispatch("READY", hello)
                self.ready.set()
            elif received["op"] == 6:
                await self._dispatch("RESUMED", {})
                self.ready.set()
        return socket

    def _hello(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": _user(),
            "guilds": [],
            "session_id": "session",
            "resume_gateway_url": self.url.replace("http", "ws") + "/ws",
            "application": {"id": _APPLICATION, "flags": 0},
        }

    async def _rest(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        if path.startswith("interactions/"):
            self.times[f"acknowledged {path.split('/')[2]}"] = time.perf_counter()
            self.acknowledged.set()
            return _json({"interaction": {"id": path.split("/")[1], "type": 2}})
        if path.startswith("webhooks/"):
            token = path.split("/")[2]
            self.edits[token] = await request.json()
            self._edited.set()
            self.times[f"answered {token}"] = time.perf_counter()
            return _json(_message())
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        if path == "users/@me" and self.failures:
            self.failures -= 1
            return _json({"message": "503: Service Unavailable", "code": 0}, status=503)
        if path == "users/@me":
            return _json(_user())
        if path == "oauth2/applications/@me":
            return _json(_application())
        if path.endswith("/commands"):
            self.synced.append(await request.json())
            return _json([])
        return _json({"message": "404: Not Found", "code": 0}, status=404)


@contextlib.asynccontextmanager
async def fake_discord() -> AsyncIterator[FakeDiscord]:
    """Runs while the block does."""
    server = FakeDiscord()
    runner = await server.start()
    try:
        yield server
    finally:
        await runner.cleanup()


async def start_bot(
    server: FakeDiscord, cwd: Path, *arguments: str, first: str = "", **environment: str
) -> asyncio.subprocess.Process:
    """Run ``qabot bot`` in a process of its own, with ``server`` for Discord.

    Args:
        first: Python that runs there before.
    """
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START,
        server.url,
        first,
        "bot",
        *arguments,
        cwd=cwd,
        env={**clean_environment(**environment), "HOME": os.environ.get("HOME", "/")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def outcome(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    """The exit code and all that was printed, once the process has ended."""
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    return process.returncode, (out + err).decode()


def _json(content: Any, status: int = 200) -> web.Response:
    # To discord.py, a type with a charset is no JSON.
    body = json.dumps(content).encode()
    return web.Response(body=body, status=status, content_type="application/json")


def _user() -> dict[str, Any]:
    return {"id": _APPLICATION, "username": "qabot", "discriminator": "0", "avatar": None}


def _application() -> dict[str, Any]:
    return {
        "id": _APPLICATION,
        "name": "qabot",
        "icon": None,
        "description": "",
        "summary": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "",
        "flags": 0,
        "owner": _user(),
        "team": None,
    }


def _message() -> dict[str, Any]:
    return {
        "id": "11",
        "channel_id": "7",
        "author": _user(),
        "content": "",
        "timestamp": "2026-01-01T00:00:00+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 20,
        "components": [],
        "flags": 0,
    }
