"""The web: pages, sitemaps and feeds → articles, politely, and only what has changed.

Data flows one way: ``addresses`` tells addresses from paths; ``fetcher`` asks servers, within the
bounds of ``policy``, through ``guard`` (no private networks), ``robots`` (their rules) and
``bodies`` (no endless answers); ``content_types`` tells what came, ``listings`` reads sitemaps and
feeds, ``freshness`` their dates; ``crawler`` joins these to the pages of all sources; ``pages``
makes articles of them, of which ``canonical`` leaves one each; ``visit`` is all of that for one
rebuild. ``crawl_state`` is what is known from rebuild to rebuild, and ``crawl_status`` looks at it.
Nothing here knows of generations or a model.
"""

from qabot.web.addresses import addresses_among, checked, find_all, is_address
from qabot.web.crawl_status import MemoryFaultError, MemoryState, look, memory_path
from qabot.web.pages import in_place
from qabot.web.policy import Options
from qabot.web.visit import Visit, visit

__all__ = [
    "MemoryFaultError",
    "MemoryState",
    "Options",
    "Visit",
    "addresses_among",
    "checked",
    "find_all",
    "in_place",
    "is_address",
    "look",
    "memory_path",
    "visit",
]
