"""Check the crawl state against the sources and articles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from qabot.doctor.check import Check
from qabot.errors import QabotError, UnusableIndexError
from qabot.index import Manifest, Store
from qabot.settings import Settings
from qabot.web import CrawlStateError, addresses_among, crawl_state_path, crawl_status, is_address

_NAME = "web"
_AGAIN = "`qabot rebuild` makes it again and fetches every page in full; no article is lost"


def web_checks(store: Store, settings: Settings) -> Iterator[Check]:
    """Check the crawl state; yield nothing if there are no web addresses."""
    path = crawl_state_path(store.folder)
    wanted = _addresses(settings)
    articles, built_from = _indexed(store)
    if not (wanted or articles or path.exists()):
        return
    if store.busy():
        yield Check(_NAME, "ok", "a rebuild is running")
        return
    try:
        state = crawl_status(store.folder)
    except CrawlStateError as error:
        remedy = f"move it away; {_AGAIN}" if error.lasting else _AGAIN
        yield Check(_NAME, "fault" if error.lasting else "warning", f"{path}: {error}", remedy)
        return
    if state is None:
        yield Check(_NAME, "warning", f"{path}: not there", _AGAIN)
        return
    held = f"{len(state.addresses)} addresses remembered in {state.size / 1e6:.1f} MB"
    for addresses, what, remedy in (
        (wanted - state.addresses, "never fetched", "run `qabot rebuild`"),
        (
            state.lists - wanted - built_from,
            "remembered, but in no source",
            "name them among the sources again, or let `qabot rebuild` forget them",
        ),
        (articles - state.addresses, "in the index, but not remembered", _AGAIN),
    ):
        if addresses:
            yield Check(_NAME, "warning", f"{path}: {_listed(addresses)} {what}", remedy)
            return
    yield Check(_NAME, "ok", held)


def _addresses(settings: Settings) -> set[str]:
    with contextlib.suppress(QabotError):
        return set(addresses_among(settings.sources, settings.collections))
    return set()


def _indexed(store: Store) -> tuple[set[str], set[str]]:
    """Return the addresses of the live generation's articles and of its sources."""
    try:
        with contextlib.closing(store.open(whole=False)) as generation:
            articles = {info.source for info in generation.database.infos()}
            return set(filter(is_address, articles)), _sources(generation.manifest)
    except UnusableIndexError:
        return set(), set()


def _sources(manifest: Manifest) -> set[str]:
    with contextlib.suppress(QabotError):
        return set(addresses_among(manifest.sources, manifest.collections))
    return set()


def _listed(addresses: Iterable[str]) -> str:
    first, *others = sorted(addresses)
    return f"{first} (and {len(others)} more)" if others else first
