"""The web: addresses → pages, politely, and only what has changed.

Data flows one way: ``addresses`` tells addresses from paths. ``fetcher`` asks servers within the
bounds of ``policy``, through ``guard`` (no private networks), ``robots`` (their rules) and
``bodies`` (no endless answers). ``content_types`` tells what was sent, ``listings`` reads sitemaps
and feeds, ``freshness`` their dates. ``crawler`` joins these to the pages of all sources, and
``crawl_state`` keeps what is known of them between rebuilds; ``crawl_status`` checks it. Nothing
here makes articles, or knows of generations or a model.
"""

from qabot.web.addresses import addresses_among, checked, find_all, is_address, server_of
from qabot.web.crawl_state import (
    CrawlOutcome,
    CrawlState,
    Gone,
    open_crawl_state,
    record_crawl,
)
from qabot.web.crawl_status import (
    CrawlStateError,
    CrawlStatus,
    crawl_state_path,
    crawl_status,
)
from qabot.web.crawler import Crawl, Page, crawl
from qabot.web.policy import Options

__all__ = [
    "Crawl",
    "CrawlOutcome",
    "CrawlState",
    "CrawlStateError",
    "CrawlStatus",
    "Gone",
    "Options",
    "Page",
    "addresses_among",
    "checked",
    "crawl",
    "crawl_state_path",
    "crawl_status",
    "find_all",
    "is_address",
    "open_crawl_state",
    "record_crawl",
    "server_of",
]
