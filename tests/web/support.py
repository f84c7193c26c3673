"""A web server on this machine, whose pages a test changes as it goes."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from qabot.index import IndexStore
from qabot.indexing.summary import Summary
from qabot.types import Article
from qabot.web import Options
from tests.support import build_index

OPTIONS = Options(
    allow_private_addresses=True,
    delay=0,
    timeout=20,
    user_agent="qabot/1 (tests)",
    failures=3,
    gone_hours=0,
)
Raw = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Reply:
    """The content at a path."""

    body: bytes
    type: str | None = "text/html; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: bool = True


@dataclass
class Site:
    """A running server.

    Attributes:
        url: Its address, without a slash at the end.
        replies: Path → what is there.
        seen: Each request: path, headers in lower case, status that it got.
    """

    url: str
    replies: dict[str, Reply | Raw] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str], int]] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, media: str | None = None, **more: Any) -> str:
        """Have something at a path; its address."""
        data = body.encode() if isinstance(body, str) else body
        self.replies[path] = Reply(data, media or "text/html; charset=utf-8", **more)
        return self.url + path

    def put_story(self, path: str, subject: str, head: str = "", **more: Any) -> str:
        """Have an article on a subject at a path; its address."""
        return self.put(path, page(*story(subject), title=subject, head=head), **more)

    def redirect(self, path: str, to: str, status: int = 301) -> str:
        """Have a path lead on."""
        self.replies[path] = Reply(b"", None, status, {"Location": to})
        return self.url + path

    def raw(self, path: str, answer: Raw) -> str:
        """Have a path answered by a function that writes to the connection."""
        self.replies[path] = answer
        return self.url + path

    def asked(self, path: str) -> list[int]:
        """The statuses that requests for a path got, since ``forget``."""
        return [status for seen, _, status in self.seen if seen == path]

    def forget(self) -> None:
        """Count anew."""
        self.seen.clear()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        reply = self.site.replies.get(self.path, Reply(b"nothing here", "text/plain", 404))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not isinstance(reply, Reply):
            self.site.seen.append((self.path, headers, 0))
            self.close_connection = True
            with suppress(OSError):
                reply(self)
            return
        tag = f'"{hashlib.sha256(reply.body).hexdigest()[:12]}"'
        same = reply.etag and reply.status == 200 and headers.get("if-none-match") == tag
        status = 304 if same else reply.status
        self.site.seen.append((self.path, headers, status))
        self.send_response(status)
        if reply.type:
            self.send_header("Content-Type", reply.type)
        if reply.etag:
            self.send_header("ETag", tag)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        body = b"" if same else reply.body
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[Site]:
    """A server without pages, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_port}")
    handler.site = site  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def page(*paragraphs: str, title: str = "A page", head: str = "") -> str:
    """A page as sites have them: an article among other things."""
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title>{head}</head><body>'
        "<nav><a href='/'>Home</a> <a href='/about'>About</a></nav>"
        f"<article><h1>{title}</h1>{text}</article>"
        "<footer>All rights reserved.</footer></body></html>"
    )


def sitemap(*addresses: str, changed: str = "") -> str:
    """A sitemap of pages, all with that date of change."""
    places = "".join(f"<url><loc>{a}</loc>{_lastmod(changed)}</url>" for a in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</urlset>'
    )


def sitemap_index(*addresses: str, changed: str = "") -> str:
    """A sitemap of sitemaps, all with that date of change."""
    places = "".join(f"<sitemap><loc>{a}</loc>{_lastmod(changed)}</sitemap>" for a in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{places}</sitemapindex>'
    )


def _lastmod(changed: str) -> str:
    return f"<lastmod>{changed}</lastmod>" if changed else ""


def set_memory(index: Path, column: str, seconds: int) -> None:
    """Have what is remembered of all addresses be of another time: so many seconds from now."""
    with closing(sqlite3.connect(index / "web.sqlite")) as memory, memory:
        memory.execute(f"UPDATE page SET {column} = ?", (int(time.time()) + seconds,))


def rss(*items: tuple[str, str]) -> str:
    """A feed of addresses and what it holds of their text."""
    entries = "".join(
        f"<item><title>About {link.rpartition('/')[2]}</title><link>{link}</link>"
        f"<pubDate>Tue, 02 Jan 2024 03:04:05 GMT</pubDate>"
        f"<description><![CDATA[{text}]]></description></item>"
        for link, text in items
    )
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>'
        f"<language>en</language>{entries}</channel></rss>"
    )


def packed(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def build(index: Path, *sources: str | Path, web: Options = OPTIONS, **more: Any) -> Summary:
    """Build an index from the web, or bring it up to date."""
    return build_index(index, *sources, web=web, **more)


def held(index: Path) -> dict[str, Article]:
    """The articles of an index, by source."""
    generation = IndexStore(index).open()
    try:
        infos = generation.database.infos()
        articles = [generation.database.article(info.id) for info in infos]
    finally:
        generation.close()
    return {article.info.source: article for article in articles if article}


def titles(index: Path) -> set[str]:
    """The names of an index's articles."""
    return {article.info.title for article in held(index).values()}


def reasons(summary: Summary) -> dict[str, str]:
    """The skipped and kept sources, with reasons."""
    return {item.source: item.reason for item in summary.skipped}


def story(subject: str) -> tuple[str, str, str]:
    """Three paragraphs, long enough to be told from what stands around them."""
    return (
        f"{subject} was opened in 1907 by the mayor, in front of some two thousand people who had "
        "come from all over the county to see it.",
        f"{subject} is three hundred metres long. It took four years and nine hundred workers to "
        "build it, and it cost twice as much as had been planned.",
        "In the year that followed, newspapers called it the most useful thing that was ever built "
        "in this part of the country.",
    )
