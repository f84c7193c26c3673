"""The server: hands the protocol's requests to the tools and articles, off the event loop."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, unquote

import anyio
import anyio.to_thread
import msgspec
from mcp import MCPError, types
from mcp.server.lowlevel import Server

from qabot import __version__
from qabot.errors import QabotError, SourceError, UsageError
from qabot.mcp.tools import INSTRUCTIONS, TOOLS, Tool
from qabot.render.json import object_json
from qabot.types import Article, ArticleInfo

if TYPE_CHECKING:
    from qabot.answering.engine import Engine

PREFIX = "qabot://articles/"
"""The beginning of an article's address; its id follows."""

_PAGE = 100
_TEXT = "text/plain"
_Result = TypeVar("_Result")
# Nothing is changed, and nothing but the articles is looked at.
_HINTS = types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def create_server(engine: Engine) -> Server[Any]:
    """Create a server of the articles, to be run over any transport.

    Args:
        engine: Answers; it stays the caller's, who closes it.
    """
    handlers = _Handlers(engine)
    # Not the library's higher-level server: its list of resources is fixed, an index's is not.
    return Server(
        "qabot",
        version=__version__,
        title="qabot",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
    )


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Make the JSON schema of a type, with the object itself outermost, as the protocol asks."""
    _, parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    schema = parts.pop(kind.__name__)
    return {**schema, "$defs": parts} if parts else schema


class _Handlers:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # One at a time: the model uses all cores for one question. Others wait in order, and can
        # be cancelled while they wait.
        self._turn = anyio.CapacityLimiter(1)
        self._admitted = 0
        self._tools = {tool.name: tool for tool in TOOLS}

    async def list_tools(self, _: object, __: object) -> types.ListToolsResult:
        """List the tools."""
        return types.ListToolsResult(tools=list(map(_described, TOOLS)))

    async def call_tool(
        self, _: object, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """Call a tool; an error that other arguments can avoid is a result, for the assistant."""
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"no tool {params.name!r}")
        try:
            given = msgspec.convert(params.arguments or {}, tool.arguments)
            text = object_json(await self._in_turn(partial(tool.call, self._engine, given)))
        except msgspec.ValidationError as error:
            return _failed(f"{tool.name}: {error}")
        except QabotError as error:
            return _failed(str(error))
        # Both are to be the same: assistants read one or the other.
        return types.CallToolResult(
            content=[types.TextContent(text=text)], structured_content=json.loads(text)
        )

    async def list_resources(
        self, _: object, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        """List the articles, some at a time; the cursor is the last id."""
        after = (params and params.cursor) or ""
        infos = await self._read(self._engine.articles)
        left = [info for info in infos if info.id > after]
        shown = left[:_PAGE]
        return types.ListResourcesResult(
            resources=list(map(_resource, shown)),
            next_cursor=shown[-1].id if len(shown) < len(left) else None,
        )

    async def list_templates(self, _: object, __: object) -> types.ListResourceTemplatesResult:
        """Describe the addresses of articles."""
        template = types.ResourceTemplate(
            name="article",
            title="Article",
            uri_template=f"{PREFIX}{{+id}}",
            description="The whole text of an article.",
            mime_type=_TEXT,
        )
        return types.ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(
        self, _: object, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Read an article."""
        uri = str(params.uri)
        article = await self._read(partial(self._article, uri))
        contents = types.TextResourceContents(uri=uri, mime_type=_TEXT, text=article.text)
        return types.ReadResourceResult(contents=[contents])

    def _article(self, uri: str) -> Article:
        name = unquote(uri.removeprefix(PREFIX))
        try:
            article = self._engine.article(name)
        except SourceError:
            article = None
        # An address names one article for good: the beginning of an id will not do.
        if article is None or not uri.startswith(PREFIX) or article.info.id != name:
            raise MCPError(types.INVALID_PARAMS, f"no article {uri}", {"uri": uri})
        return article

    async def _read(self, work: Callable[[], _Result]) -> _Result:
        try:
            return await self._in_turn(work)
        except QabotError as error:
            raise MCPError(types.INTERNAL_ERROR, str(error)) from error

    async def _in_turn(self, work: Callable[[], _Result]) -> _Result:
        if self._admitted > self._engine.settings.waiting:
            raise UsageError("too many questions are waiting; ask again in a minute")
        self._admitted += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._turn)
        finally:
            self._admitted -= 1


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=schema_of(tool.arguments),
        output_schema=schema_of(tool.result),
        annotations=_HINTS,
    )


def _failed(message: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=message)], is_error=True)


def _resource(info: ArticleInfo) -> types.Resource:
    return types.Resource(
        uri=PREFIX + quote(info.id), name=info.id, title=info.title, mime_type=_TEXT
    )
