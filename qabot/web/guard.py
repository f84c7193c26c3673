"""Which servers may be connected to: none in private networks, unless that is allowed.

Asked with the very address that is connected to, for each connection, so that no name, redirect or
second look-up of a name leads past it.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

# Networks that have no IPv4 any more reach its servers by these addresses (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A server that is not on the public internet."""

    def __init__(self, address: str) -> None:
        # The same for all addresses of a host: errors that differ become one of another class.
        super().__init__(errno.EACCES, "a private address")
        self.address = address


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and of one machine.

    Args:
        address: As ``getaddrinfo`` gives it, with or without a zone (``fe80::1%eth0``).
    """
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        carried = ip.ipv4_mapped
        if ip in _NAT64:
            carried = IPv4Address(int(ip) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
        if ip.is_site_local or (ip.sixtofour and not is_public(str(ip.sixtofour))):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def open_public_socket(target: tuple[Any, ...]) -> socket.socket:
    """A socket for ``target``, as ``getaddrinfo`` gives it.

    Raises:
        PrivateAddressError: It is not public.
    """
    family, kind, protocol, _, address = target
    if not is_public(address[0]):
        raise PrivateAddressError(address[0])
    return socket.socket(family, kind, protocol)
