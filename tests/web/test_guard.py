"""Which servers are connected to: those of the public internet, unless others are allowed."""

from __future__ import annotations

import socket
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qabot.errors import SourceError
from qabot.web.guard import PrivateAddressError, is_public, open_public_socket
from tests.support import write_article
from tests.web.support import OPTIONS, build, reasons

GUARDED = replace(OPTIONS, allow_private_addresses=False)
PRIVATE_NETWORKS = (
    (0x00000000, 8),  # this network
    (0x0A000000, 8),  # private
    (0x64400000, 10),  # shared by a provider's customers
    (0x7F000000, 8),  # this machine
    (0xA9FE0000, 16),  # this link, where clouds tell secrets
    (0xAC100000, 12),  # private
    (0xC0000200, 24),  # documentation
    (0xC0A80000, 16),  # private
    (0xC6120000, 15),  # benchmarks
    (0xE0000000, 4),  # many machines
    (0xF0000000, 4),  # reserved, all machines
)


@st.composite
def private_addresses(draw) -> IPv4Address:
    base, length = draw(st.sampled_from(PRIVATE_NETWORKS))
    return IPv4Address(base + draw(st.integers(0, 2 ** (32 - length) - 1)))


@given(private_addresses())
def test_private_addresses_are_seen_in_every_form_that_carries_them(address):
    carried = int(address)
    assert not is_public(str(address))
    for prefix in (0xFFFF << 32, 0x64FF9B << 96, 0):  # Mapped, NAT64, "compatible".
        assert not is_public(str(IPv6Address(prefix + carried)))
    assert not is_public(str(IPv6Address((0x2002 << 112) + (carried << 80) + 1)))  # 6to4.
    assert not is_public(str(IPv6Address((0x20010000 << 96) + (carried ^ 0xFFFFFFFF))))  # Teredo.


@pytest.mark.parametrize(
    "address",
    [
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "2001:db8::1",
        "64:ff9b:1::a00:1",
        "100::1",
        "::ffff:127.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_of_ipv6_that_are_not_public(address):
    assert not is_public(address)
    with pytest.raises(PrivateAddressError):
        open_public_socket((socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 80, 0, 0)))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_public_addresses(address):
    assert is_public(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    open_public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80))).close()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "127.1",
        "017700000001",
        "127.0.0.1.",
        "localhost.",
    ],
)
def test_no_form_of_this_machines_address_gets_an_answer(index, site, tmp_path, host):
    write_article(tmp_path / "files", "volcano", "The volcano erupted in 2021.")
    site.put_story("/secret", "The secret")
    address = f"http://{host}:{site.url.rpartition(':')[2]}/secret"
    summary = build(index, tmp_path / "files", address, web=GUARDED)
    assert summary.articles == 1
    (problem,) = summary.skipped
    assert not problem.kept
    assert site.seen == []


def test_the_reason_names_the_setting(index, site):
    told = "is in a private network or on this machine; set allow_private_addresses = true"
    with pytest.raises(SourceError, match=told):
        build(index, site.put_story("/secret", "The secret"), web=GUARDED)
    with pytest.raises(SourceError, match=told):
        build(index, site.url.replace("127.0.0.1", "localhost"), web=GUARDED)


@pytest.fixture
def public(site, monkeypatch):
    """The server under a name that resolves to a public address; others are what they are."""
    real, open_socket = socket.getaddrinfo, open_public_socket

    def resolve(host, port, *args, **kwargs):
        if host == "public.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))]
        if host == "private.example":
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        if host == "both.example":
            addresses = ("10.0.0.1", "127.0.0.1")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]
        return real(host, port, *args, **kwargs)

    class Rerouted(socket.socket):
        """A socket that comes out at the server, whatever public address it is told."""

        def connect(self, address):
            super().connect(("127.0.0.1", address[1]))

    def reroute(target):
        # The check is the real one; only the way to a public address is a short one.
        made = open_socket(target)
        made.close()
        return Rerouted(*target[:3])

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("qabot.web.fetcher.open_public_socket", reroute)
    return site.url.replace("127.0.0.1", "public.example")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "private.example", "both.example", "[::1]", "10.0.0.1", "169.254.169.254"],
)
def test_a_redirect_into_the_private_network_is_not_followed(index, site, public, host):
    site.put_story("/open", "The bridge")
    site.put_story("/secret", "The secret")
    target = f"{public.replace('public.example', host)}/secret"
    moved = site.redirect("/moved", target).replace(site.url, public)
    summary = build(index, f"{public}/open", moved, web=GUARDED)
    assert summary.articles == 1
    assert reasons(summary)[moved].startswith("is in a private network or on this machine; set")
    assert site.asked("/secret") == []


def test_a_redirect_among_public_servers_is_followed(index, site, public):
    site.put_story("/new", "The bridge")
    site.redirect("/old", "/new")
    assert build(index, f"{public}/old", web=GUARDED).skipped == ()


def test_proxies_of_the_environment_are_not_used(index, site, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert build(index, site.put_story("/bridge", "The bridge")).skipped == ()
