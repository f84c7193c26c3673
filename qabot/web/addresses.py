"""Web addresses: which sources are some, and their one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from qabot.articles import Found, find_sources
from qabot.errors import SourceError

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_LONGEST = 2048


def is_address(source: str) -> bool:
    """Whether a source is a web address, not a path."""
    return bool(_ADDRESS.match(source))


def find_all(
    sources: Sequence[str],
    collections: Mapping[str, Sequence[str]],
    exclude: Sequence[str] = (),
) -> tuple[Found, dict[str, tuple[str, ...]]]:
    """The files that sources name, and the addresses among them; no server is asked.

    Returns:
        What ``find_sources`` finds, and each address with the collections that name it.

    Raises:
        SourceError: As ``find_sources``; or an address is none that can be fetched.
    """
    paths, grouped = _paths(sources, collections)
    addresses = addresses_among(sources, collections)
    if addresses and not paths and not grouped:
        return Found([], ()), addresses
    return find_sources(paths, grouped, exclude), addresses


def server_of(address: str) -> str:
    """The host of an address in its one spelling, and its port if that is no standard one."""
    return address.split("/")[2]


def addresses_among(
    sources: Iterable[str], collections: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    """Each address among sources, in its one spelling, with the collections that name it.

    Raises:
        SourceError: An address is none that can be fetched.
    """
    named = [("", source) for source in sources]
    named += [(name, source) for name, group in collections.items() for source in group]
    addresses: dict[str, set[str]] = {}
    for name, source in named:
        if is_address(source):
            addresses.setdefault(checked(source), set()).update({name} - {""})
    return {key: tuple(sorted(names)) for key, names in addresses.items()}


def _paths(
    sources: Iterable[str], collections: Mapping[str, Iterable[str]]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """The paths in no collection, and those of each collection that has some."""
    grouped = {
        name: tuple(source for source in group if not is_address(source))
        for name, group in collections.items()
    }
    paths = tuple(source for source in sources if not is_address(source))
    return paths, {name: own for name, own in grouped.items() if own}


def checked(source: str) -> str:
    """The one spelling of an address that a person wrote.

    Raises:
        SourceError: It is none that can be fetched.
    """
    try:
        return spelled(source)
    except ValueError as error:
        # Not the address itself: it may hold a password.
        shown = _ADDRESS.match(source)
        name = f"{shown[0] if shown else ''}{source.rpartition('@')[2][:_LONGEST]}"
        name = source if "@" not in source else name
        raise SourceError(f"{name}: {error}; correct the address") from error


def spelled(address: str) -> str:
    """The one spelling of ``address``: host in lower case, no fragment, no standard port.

    Raises:
        ValueError: It is no http address with a host, or holds a password.
    """
    from yarl import URL

    url = URL(address.strip()).with_fragment(None)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("not an http or https address with a host")
    if url.user is not None or url.password is not None:
        raise ValueError("holds a name or password, which would be shown beside quotes")
    if url.is_default_port():
        url = url.with_port(None)
    if len(text := str(url)) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    # https://example.org and https://example.org/ are one page.
    return text if url.raw_path != "/" or url.query_string else f"{url.origin()}/"
