"""Refuse connections to private networks, unless they are allowed.

The check is made with the address of each connection, so that no name, redirect or second look-up
of a name gets past it.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

# Networks without IPv4 reach IPv4 servers by these addresses (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


class PrivateAddressError(OSError):
    """A server that is not on the public internet."""

    def __init__(self, address: str) -> None:
        # One text for all addresses of a host: different ones become an error of another class.
        super().__init__(errno.EACCES, "a private address")
        self.address = address


def is_public(address: str) -> bool:
    """Tell whether an IP address is on the public internet and names one machine.

    Args:
        address: As from ``getaddrinfo``, with or without a zone (``fe80::1%eth0``).
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
    """Open a socket for ``target``, as from ``getaddrinfo``.

    Raises:
        PrivateAddressError: It is not public.
    """
    family, kind, protocol, _, address = target
    if not is_public(address[0]):
        raise PrivateAddressError(address[0])
    return socket.socket(family, kind, protocol)
