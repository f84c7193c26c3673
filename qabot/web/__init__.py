"""The web: pages, sitemaps and feeds → articles, politely, and only what has changed.

Data flows one way: ``addresses`` tells addresses from paths; ``fetching`` asks servers, within the
bounds of ``options``, through ``guard`` (no private networks), ``robots`` (their rules) and
``bodies`` (no endless answers); ``kinds`` tells what came, ``listings`` reads sitemaps and feeds,
``freshness`` their dates; ``crawling`` joins these to the pages of all sources; ``reading`` makes
articles of them, of which ``doubles`` leaves one each; ``visiting`` is all of that for one rebuild.
``memory`` is what is known from rebuild to rebuild, and ``looking`` looks at it. Nothing here knows
of generations or a model.
"""

from qabot.web.addresses import addresses_among, checked, find_all, is_address
from qabot.web.looking import MemoryFaultError, MemoryState, look, memory_path
from qabot.web.options import Options
from qabot.web.reading import in_place
from qabot.web.visiting import Visit, visit

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
