"""Web addresses: tell them from paths, and give each one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from qabot.articles import Found, find_sources
from qabot.errors import SourceError

# Of any kind: an address that cannot be fetched is no path either, and may hold a password. So may
# one that was mistyped.
_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*://|(?:https?|ftp):[/\\])", re.IGNORECASE)
_LONGEST = 2048


def is_address(source: str) -> bool:
    """Tell a web address from a path."""
    return bool(_ADDRESS.match(source))


def find_all(
    sources: Sequence[str],
    collections: Mapping[str, Sequence[str]],
    exclude: Sequence[str] = (),
) -> tuple[Found, dict[str, tuple[str, ...]]]:
    """Find the files that sources name, and the addresses among them; ask no server.

    Returns:
        The files, and each address with the collections that name it.

    Raises:
        SourceError: A source is missing or unreadable, or an address cannot be fetched.
    """
    paths, grouped = _paths(sources, collections)
    addresses = addresses_among(sources, collections)
    if addresses and not paths and not grouped:
        return Found([], ()), addresses
    return find_sources(paths, grouped, exclude), addresses


def server_of(address: str) -> str:
    """Return the host of an address in its one spelling, with the port unless it is the default."""
    return address.split("/")[2]


def addresses_among(
    sources: Iterable[str], collections: Mapping[str, Iterable[str]]
) -> dict[str, tuple[str, ...]]:
    """Return the addresses among sources, in one spelling, with the collections that name them.

    Raises:
        SourceError: An address cannot be fetched.
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
    """Return the paths outside collections, and those of each collection."""
    grouped = {
        name: tuple(source for source in group if not is_address(source))
        for name, group in collections.items()
    }
    paths = tuple(source for source in sources if not is_address(source))
    return paths, {name: own for name, own in grouped.items() if own}


def checked(source: str) -> str:
    """Return the one spelling of an address that a person wrote.

    Raises:
        SourceError: It cannot be fetched.
    """
    try:
        return spelled(source)
    except ValueError as error:
        # The address may hold a password, so the error leaves that out.
        shown = _ADDRESS.match(source)
        name = f"{shown[0] if shown else ''}{source.rpartition('@')[2][:_LONGEST]}"
        name = source if "@" not in source else name
        raise SourceError(f"{name}: {error}; correct the address") from error


def spelled(address: str) -> str:
    """Return the one spelling of an address: host in lower case, no fragment, no default port.

    Raises:
        ValueError: It is not an http address with a host, or contains a password.
    """
    from yarl import URL

    url = URL(address.strip()).with_fragment(None)
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("not an http or https address with a host")
    if url.user is not None or url.password is not None:
        raise ValueError("contains a name or password, which would be shown with quotes")
    # In a host with other letters, too, which yarl leaves as they are if IDNA 2008 refuses it.
    if (host := url.raw_host) and host != host.lower():
        url = url.with_host(host.lower())
    if url.is_default_port():
        url = url.with_port(None)
    if len(text := str(url)) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    # https://example.org and https://example.org/ are one page.
    return text if url.raw_path != "/" or url.query_string else f"{url.origin()}/"
