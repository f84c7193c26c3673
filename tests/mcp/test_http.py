"""Who may connect over HTTP, and how the command is started and stopped."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from qabot.errors import UsageError
from qabot.mcp.access import Address, read_token
from tests.mcp.support import served, text_of
from tests.support import PATIENCE, ROOT, clean_environment, run_python, run_qabot

TOKEN = "correct-horse-battery"
QUESTION = {"question": "How wide is the mirror?"}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


async def status(url: str, **headers: str) -> tuple[int, str]:
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        answer = await client.post(url, json=PING, headers={**ACCEPT, **headers})
        return answer.status_code, answer.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_clients_with_the_token_are_answered(mode, index, tmp_path):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        served(index, tmp_path, TOKEN) as url,
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        assert "6.5 metres" in text_of(await client.call_tool("ask", QUESTION))


async def test_clients_without_the_token_are_refused(index, tmp_path):
    async with served(index, tmp_path, TOKEN) as url:
        for headers in (
            {},
            {"Authorization": "Bearer"},
            {"Authorization": f"Bearer {TOKEN[:-1]}"},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": f"Basic {TOKEN}"},
            {"Authorization": TOKEN},
        ):
            assert await status(url, **headers) == (401, "a token is needed")
        assert (await status(url, Authorization=f"bearer {TOKEN}"))[0] != 401
        # Nor does another path tell anything.
        assert (await status(url.removesuffix("/mcp")))[0] == 401


async def test_web_pages_are_refused(index, tmp_path):
    async with served(index, tmp_path) as url:
        port = url.split(":")[2].removesuffix("/mcp")
        for origin in (
            "https://example.org",
            "null",
            f"http://127.0.0.1.example.org:{port}",
            f"https://127.0.0.1:{port}",
            "",
        ):
            assert await status(url, Origin=origin) == (403, "web pages may not connect")
        # A page whose name was made to point here.
        for host in ("example.org", f"example.org:{port}"):
            assert (await status(url, Host=host))[0] == 421
        for headers in (
            {"Origin": f"http://localhost:{port}"},
            {"Host": f"localhost:{port}"},
            {},
        ):
            assert (await status(url, **headers))[0] not in (401, 403, 421)


@pytest.mark.parametrize(
    ("text", "address", "local"),
    [
        ("127.0.0.1:8765", Address("127.0.0.1", 8765), True),
        ("8765", Address("127.0.0.1", 8765), True),
        (":8765", Address("127.0.0.1", 8765), True),
        ("localhost:0", Address("localhost", 0), True),
        ("[::1]:80", Address("::1", 80), True),
        ("0.0.0.0:80", Address("0.0.0.0", 80), False),
        ("[::]:80", Address("::", 80), False),
        ("192.168.1.2:80", Address("192.168.1.2", 80), False),
        ("localhost.example.org:80", Address("localhost.example.org", 80), False),
    ],
)
def test_addresses(text, address, local):
    assert (Address.parse(text), address.local) == (address, local)


@pytest.mark.parametrize(
    "text", ["", "localhost", "localhost:", "localhost:http", ":99999", "1:-1"]
)
def test_what_is_no_address_is_told(text):
    with pytest.raises(UsageError, match="write HOST:PORT, such as"):
        Address.parse(text)


def test_the_token_is_read_from_the_variable_then_the_file(tmp_path):
    here, anywhere = Address("127.0.0.1", 1), Address("0.0.0.0", 1)
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(here, "", {}) is None
    assert read_token(anywhere, str(file), {}) == TOKEN
    other = TOKEN[::-1]
    assert read_token(here, str(file), {"QABOT_MCP_TOKEN": other}) == other
    for address, name, environment, message in (
        (anywhere, "", {}, "--http 0.0.0.0: others could connect without a token; put one of 16"),
        (here, "", {"QABOT_MCP_TOKEN": "short"}, "the variable QABOT_MCP_TOKEN holds no token"),
        (here, "", {"QABOT_MCP_TOKEN": "two words are no token"}, "QABOT_MCP_TOKEN holds no token"),
        (here, str(tmp_path / "no"), {}, "cannot be read .No such file or directory.; put one"),
    ):
        with pytest.raises(UsageError, match=message) as caught:
            read_token(address, name, environment)
        assert not set(environment.values()) & set(str(caught.value).split())


@pytest.mark.parametrize("transport", [(), ("--http", ":0")], ids=["stdio", "http"])
def test_a_missing_index_is_told(transport, tmp_path):
    process = run_qabot("mcp", *transport, cwd=tmp_path)
    assert (process.returncode, process.stdout) == (3, "")
    assert process.stderr == "qabot: index: no index here; run `qabot rebuild`\n"


def test_a_missing_token_is_told_before_anything_is_loaded(tmp_path):
    process = run_qabot("mcp", "--http", "0.0.0.0:8765", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("qabot: --http 0.0.0.0: others could connect without a token")
    assert process.stderr.count("\n") == 1


def test_without_the_extra_it_says_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['mcp'] = None; from qabot.cli import main; main()"  # As if absent.
    )
    process = run_python("-c", program, "mcp", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        "qabot: qabot mcp needs the package mcp, which is not installed: pip install 'qabot[mcp]'\n"
    )


def test_other_commands_load_nothing_of_it(index, tmp_path):
    program = (
        "import sys; from qabot.cli import main\n"
        "try: main()\n"
        "finally: print([m for m in ('mcp', 'starlette', 'uvicorn') if m in sys.modules])"
    )
    for arguments in (("mcp", "--help"), ("articles", "--index", index)):
        process = run_python("-c", program, *arguments, cwd=tmp_path)
        assert process.stdout.splitlines()[-1] == "[]", arguments


@pytest.mark.slow
async def test_the_command_serves_the_real_index_over_both_transports(real_index, tmp_path):
    arguments = ["-m", "qabot", "mcp", "--no-reader", "--index", str(real_index.folder)]
    variables = {"QABOT_CACHE": str(real_index.cache), "QABOT_MCP_TOKEN": TOKEN}
    parameters = StdioServerParameters(
        command=sys.executable,
        args=arguments,
        env={**variables, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
    )
    async with Client(parameters) as client:
        over_stdio = json.loads(text_of(await client.call_tool("ask", QUESTION)))

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        "--http",
        ":0",
        cwd=tmp_path,
        env=clean_environment(**variables),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE)).decode()
    assert line.startswith("serving at http://127.0.0.1:")
    url = line.split()[-1]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False, timeout=PATIENCE) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        over_http = json.loads(text_of(await client.call_tool("ask", QUESTION)))
        assert "6.5 metres" in over_http["quotes"][0]["text"]
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    assert await process.stderr.read() == b""
    assert {**over_stdio, "elapsed_ms": 0} == {**over_http, "elapsed_ms": 0}


@pytest.mark.slow
def test_a_person_is_told_what_it_waits_for_and_can_end_it(real_index, tmp_path):
    # Not a fork of this large process, as pexpect makes: there may be no memory for that.
    leader, terminal = os.openpty()
    command = ["-m", "qabot", "mcp", "--no-reader", "--index", str(real_index.folder)]
    with subprocess.Popen(
        [sys.executable, *command],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=clean_environment(QABOT_CACHE=str(real_index.cache)),
    ) as process:
        assert process.stderr
        try:
            told = "waiting for an assistant, which starts this by itself; Ctrl-C ends it\n"
            assert process.stderr.readline() == told
            process.send_signal(signal.SIGINT)
            assert process.communicate() == ("", "")
        finally:
            process.kill()
    assert process.returncode == 0
    for end in (leader, terminal):
        os.close(end)


def test_an_address_that_is_taken_is_told(real_index, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run_qabot(
            "mcp", "--http", f":{port}", "--no-reader", "--index", real_index.folder,
            cwd=tmp_path, environment={"QABOT_CACHE": str(real_index.cache)},
        )  # fmt: skip
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == (
        f"qabot: --http 127.0.0.1:{port}: cannot be used (Address already in use); "
        "name another address\n"
    )
