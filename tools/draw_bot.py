"""Draw ``docs/bot-*.webp``: the real bot, in a simulated Discord, seen by a real browser.

Needs Chromium and the extra ``pictures``:

    pip install -e '.[dev,pictures]' && python -m tools.draw_bot [FOLDER]

Everything runs on this machine; the browser opens one page of the loopback interface.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import discord
import simcord
from PIL import Image
from playwright.async_api import Browser, async_playwright

from qabot.answering.engine import Engine
from qabot.bot import create_bot
from qabot.encoders import open_encoder
from qabot.index import IndexStore
from qabot.indexing.plan import IndexPlan
from qabot.indexing.rebuild import rebuild as rebuild_index
from qabot.indexing.summary import Progress, Summary
from qabot.settings import Settings, load_settings
from tests.articles.documents import lines, pdf
from tests.bot.support import begin, components
from tests.support import write_article

PICTURES = Path(__file__).parent.parent / "docs"
WIDTHS = {"desktop": 760, "phone": 400}
HEIGHT = 1800
CHROMIUM = "/usr/bin/chromium"
# Nothing but the page: no updates, no account, no first-run pages.
FLAGS = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Chromium has no sandbox for root, as in containers; the page is the simulator's own.
    *(("--no-sandbox",) if os.getuid() == 0 else ()),
)
SECONDS_TO_DRAW = 300
QUESTION = "how many GitHub projects use PyTorch?"
SEVERAL = "How long is the warranty?"
ARABIC = "متى دخل مسبار الأمل مدار المريخ؟"
PAGE = "How long is the warranty of the pump?"
NOT_FOUND = "Which spices belong in a Thai green curry?"
UNANSWERED = (
    NOT_FOUND,
    "What spices are in green curry?",
    "How do I reset my password?",
    "I forgot my password, how can I change it?",
    "When does the library open on Sundays?",
)
MANUAL = (
    "The pump moves 40 litres a minute and weighs three kilograms.",
    "The warranty of the pump is three years from the day of purchase.",
)
# With the manual of the pump, three articles answer the question with several quotes.
DEVICES = {
    "Mixer M2": (
        "The mixer has two speeds and a bowl of three litres. Do not run it for longer than ten "
        "minutes.",
        "The warranty of the mixer is two years from the day of purchase.",
    ),
    "Kettle K1": (
        "The kettle boils one and a half litres in four minutes and then turns itself off.",
        "We give a warranty of five years on the kettle, but none on its filter.",
    ),
}
READY = "() => window.simcordPreview && window.simcordPreview.ready === true"


class HeldRebuild:
    """A rebuild that stops half-way until ``go`` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(
        self,
        sources: Sequence[str],
        report: Callable[[Progress], None],
        *,
        files_only: bool,  # noqa: ARG002 (the bot passes it)
    ) -> Summary:
        """Report the same progress for any ``sources``, and wait."""
        report(Progress("encoding", 58, 100, 1234 * len(sources)))
        self.go.wait()
        return Summary(
            1,
            changed=False,
            articles=0,
            passages=0,
            reused=0,
            encoded=0,
            removed=0,
            skipped=(),
            seconds=0.0,
        )

    def stop(self) -> None:
        """Let it go."""
        self.go.set()


class Pictures:
    """Takes pictures of one message at a time, and saves them in ``folder``."""

    def __init__(self, env: simcord.Env, browser: Browser, folder: Path) -> None:
        self._env = env
        self._browser = browser
        self._folder = folder

    async def take(self, name: str, channel: Any, viewer: Any, message_id: int) -> None:
        """Save ``bot-NAME-KIND.webp`` for each of ``WIDTHS``."""
        for kind, width in WIDTHS.items():
            async with self._page(channel, viewer, width) as page:
                message = page.locator(f'.channel-message[data-message-id="{message_id}"]')
                data = await message.screenshot(type="png")
            path = self._folder / f"bot-{name}-{kind}.webp"
            # Text keeps its edges without loss, in less space than as PNG.
            Image.open(io.BytesIO(data)).save(path, lossless=True, quality=100, method=6)
            sys.stdout.write(f"{path}: {path.stat().st_size // 1024} KiB\n")

    @asynccontextmanager
    async def _page(self, channel: Any, viewer: Any, width: int) -> AsyncIterator[Any]:
        preview = self._env.preview(
            channel, viewers=(viewer,), layout="channel", width=width, height=HEIGHT
        )
        async with preview as shown:
            context = await self._browser.new_context(
                viewport={"width": width, "height": HEIGHT}, device_scale_factor=2
            )
            page = await context.new_page()
            page.set_default_timeout(SECONDS_TO_DRAW * 1000)
            await page.goto(shown.url)
            await page.wait_for_function(READY)
            await page.evaluate("document.fonts.ready")
            yield page
            await context.close()


async def draw(env: simcord.Env, browser: Browser, rebuild: HeldRebuild, folder: Path) -> None:
    """Use the bot as people do, and take a picture of each thing that it says."""
    pictures = Pictures(env, browser, folder)
    guild = env.create_guild("Science club")
    boss = guild.create_role("Team", permissions=discord.Permissions(manage_guild=True))
    ann = guild.add_member(env.create_user("Ann"), roles=[boss])
    channel = guild.create_text_channel("questions")
    for question in UNANSWERED:
        await ann.slash(channel, "ask", question=question)
    nothing = response(await ann.slash(channel, "ask", question=NOT_FOUND))
    await pictures.take("not-found", channel, ann, nothing.id)
    for name in ("unanswered", "settings"):
        shown = response(await ann.slash(channel, name))
        await pictures.take(name, channel, ann, shown.id)
    answers = {}
    for name, question in (("arabic", ARABIC), ("page", PAGE), ("answer", QUESTION)):
        answers[name] = response(await ann.slash(channel, "ask", question=question))
        await pictures.take(name, channel, ann, answers[name].id)
    answer = answers["answer"]
    context = await ann.click(answer, custom_id=named(answer, ":context:"))
    await pictures.take("context", channel, ann, response(context).id)
    answer = response(await ann.slash(channel, "ask", question=SEVERAL))
    await ann.click(answer, custom_id=named(answer, ":page:"))
    await pictures.take("quotes", channel, ann, answer.id)
    running = begin(env, ann, channel, "rebuild")
    try:
        for _ in range(200):
            if running.response and "58" in str(running.response.embeds[0].description):
                break
            await asyncio.sleep(0.05)
        await pictures.take("rebuild", channel, ann, response(running).id)
    finally:
        rebuild.go.set()


def named(message: Any, part: str) -> str:
    """Return the id of the button whose id holds ``part``."""
    for item in components(message):
        if part in item["custom_id"]:
            return str(item["custom_id"])
    raise LookupError(f"no button {part!r} below: {message.content}")


def response(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    """The message that the bot answered with."""
    if result.response is None:
        raise LookupError("the bot said nothing")
    return result.response


def make_index(folder: Path) -> Settings:
    """Index the seed articles and manuals; return the settings of a bot that keeps questions."""
    manuals = folder / "manuals"
    for title, paragraphs in DEVICES.items():
        write_article(manuals, title, "\n\n".join(paragraphs), title=title)
    pages = [lines(page) for page in MANUAL]
    (manuals / "pump.pdf").write_bytes(pdf(*pages, info={"Title": "Pump P3: manual"}))
    sources = ("seeds", str(manuals))
    settings = load_settings(
        {"index": str(folder / "index"), "sources": sources, "log_questions": True}
    )
    encoder = open_encoder(settings.encoder, cache=settings.cache_folder)
    rebuild_index(IndexStore(Path(settings.index)), encoder, IndexPlan(sources, folder))
    return settings


async def run(settings: Settings, rebuild: HeldRebuild, folder: Path) -> None:
    """Save all pictures of a bot with these settings in ``folder``."""
    with Engine.open(settings=settings) as engine:
        bot = create_bot(engine, settings, rebuild=rebuild)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            async with simcord.run(bot, settle_timeout=SECONDS_TO_DRAW) as env:
                if env.bot.user:
                    await env.bot.user.edit(username="qabot")
                await draw(env, browser, rebuild, folder)
            await browser.close()


def main() -> None:
    """Take all pictures."""
    pictures = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(make_index(Path(folder)), HeldRebuild(), pictures))


if __name__ == "__main__":
    main()
