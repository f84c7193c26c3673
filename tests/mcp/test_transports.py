"""The server over both transports, by the SDK's own client, as an assistant uses it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys

import pytest
from mcp import MCPError
from mcp.types import TextResourceContents

from tests.mcp.support import asked, clients, started, text_of, until_asked
from tests.support import TELESCOPE, Result, build_index, clean_environment, write_article

QUESTION = "How wide is the mirror?"
BOTH = pytest.mark.parametrize("transport", ["http", "stdio"])


@BOTH
async def test_a_whole_conversation(transport, index, tmp_path, call):
    async with clients(transport, index, tmp_path) as [client]:
        assert "verbatim" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["ask", "search", "read_article", "list_articles"]

        listed = (await client.call_tool("list_articles", {})).structured_content
        assert [article["id"] for article in listed["articles"]] == ["telescope", "volcano"]

        result = await client.call_tool("ask", {"question": QUESTION, "limit": 1})
        answer = result.structured_content
        assert json.loads(text_of(result)) == answer
        assert answer["status"] == "answered"
        [quote] = answer["quotes"]
        assert "6.5 metres" in quote["text"]

        place = {"article": "telescope", "start": quote["start"], "end": quote["end"]}
        part = (await client.call_tool("read_article", place)).structured_content
        assert part["text"] == quote["text"]

        [resource, _] = (await client.list_resources()).resources
        [contents] = (await client.read_resource(resource.uri)).contents
        assert isinstance(contents, TextResourceContents)
        assert contents.text == TELESCOPE.strip()

        found = (await client.call_tool("search", {"question": "lava"})).structured_content
        assert found["passages"][0]["article"]["id"] == "volcano"

    # The answer is one that `qabot ask --json` could have printed.
    (tmp_path / "answer.json").write_text(text_of(result), "utf-8")
    verified: Result = call("verify", tmp_path / "answer.json", "--index", index)
    assert (verified.code, verified.out) == (0, "1 of 1 quotes are verbatim\n")


@BOTH
async def test_bad_arguments_are_told_and_the_conversation_goes_on(transport, index, tmp_path):
    async with clients(transport, index, tmp_path) as [client]:
        for name, arguments, message in (
            ("ask", {}, "ask: Object missing required field `question`"),
            ("ask", {"question": 7}, "ask: Expected `str`, got `int` - at `$.question`"),
            ("ask", {"question": " "}, "the question is empty; type one"),
            (
                "ask",
                {"question": QUESTION, "limit": 11},
                "ask: Expected `int` <= 10 - at `$.limit`",
            ),
            (
                "ask",
                {"question": QUESTION, "from": "x"},
                "ask: Object contains unknown field `from`",
            ),
            (
                "ask",
                {"question": QUESTION, "since": "May"},
                "since 'May': not a date; write YYYY, YYYY-MM or YYYY-MM-DD",
            ),
            (
                "search",
                {"question": QUESTION, "language": "ja"},
                "language 'ja': not in the index; it holds en",
            ),
            (
                "read_article",
                {"article": "telescope", "section": "Mirror"},
                "no section 'Mirror' in the article; read_article without section lists them",
            ),
            (
                "read_article",
                {"article": "telescope", "start": 900},
                f"no text from 900 to {len(TELESCOPE.strip())}; the article has "
                f"{len(TELESCOPE.strip())} characters",
            ),
        ):
            result = await client.call_tool(name, arguments)
            assert (result.is_error, text_of(result)) == (True, message)
        with pytest.raises(MCPError, match="no tool 'delete_article'"):
            await client.call_tool("delete_article", {})
        with pytest.raises(MCPError, match="no article qabot://articles/tele"):
            await client.read_resource("qabot://articles/tele")
        assert not (await client.call_tool("ask", {"question": QUESTION})).is_error


@BOTH
async def test_a_replaced_index_is_followed_and_a_missing_one_outlived(transport, index, tmp_path):
    async with clients(transport, index, tmp_path) as [client]:

        async def quoted() -> tuple[int, list[str]]:
            result = await client.call_tool("ask", {"question": QUESTION, "limit": 1})
            answer = result.structured_content
            return answer["index"]["generation"], [quote["text"] for quote in answer["quotes"]]

        generation, before = await quoted()
        assert generation == 1
        write_article(tmp_path / "articles", "telescope", "Its mirror is 9 metres wide.")
        build_index(index, tmp_path / "articles")
        assert await quoted() == (2, ["Its mirror is 9 metres wide."])
        assert before != ["Its mirror is 9 metres wide."]
        # As the bot does: what is open goes on answering.
        index.rename(tmp_path / "moved")
        assert await quoted() == (2, ["Its mirror is 9 metres wide."])


@BOTH
async def test_what_is_cancelled_while_it_waits_is_never_asked(transport, index, tmp_path):
    async with clients(transport, index, tmp_path) as [client]:
        (tmp_path / "hold").touch()
        first = asyncio.create_task(client.call_tool("ask", {"question": QUESTION}))
        await until_asked(tmp_path, QUESTION)
        second = asyncio.create_task(client.call_tool("ask", {"question": "And the lava?"}))
        # Whatever comes after it on the wire has been taken in after it.
        await client.list_tools()
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await client.list_tools()
        (tmp_path / "hold").unlink()
        assert "6.5 metres" in text_of(await first)
        assert "6.5 metres" in text_of(await client.call_tool("ask", {"question": QUESTION}))
    assert "And the lava?" not in asked(tmp_path)


@BOTH
async def test_many_at_once_each_get_their_own_answer(transport, index, tmp_path):
    # Over standard streams, each client has a server of its own, and may ask several things.
    count = 10 if transport == "http" else 2
    questions = [QUESTION + "?" * number for number in range(10)]
    async with clients(transport, index, tmp_path, count) as made:
        results = await asyncio.gather(
            *(
                made[number % count].call_tool("ask", {"question": question})
                for number, question in enumerate(questions)
            )
        )
    answers = [json.loads(text_of(result)) for result in results]
    assert [answer["question"] for answer in answers] == questions
    assert all("6.5 metres" in answer["quotes"][0]["text"] for answer in answers)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_though_the_client_stays(number, index, tmp_path):
    parameters = started(index, tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *parameters.args,
        env=clean_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    hello = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{json.dumps(message)}\n".encode())
    assert b'"serverInfo"' in await asyncio.wait_for(process.stdout.readline(), 60)
    process.send_signal(number)
    # Standard input is still open.
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert process.stderr
    assert await process.stderr.read() == b""
