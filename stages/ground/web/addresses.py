"""Which addresses may be asked for a page: none inside this machine or its network, whatever a name resolves to.

The check is made where the connection is made, so a name that resolves to another address the second time (DNS
rebinding) gains nothing: aiohttp connects to the very addresses that `Guard.resolve` let pass, and `Guard.socket` sees
the address of every connection once more, also of those whose URL names a number.
"""

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from typing import TYPE_CHECKING, Any

from stages.ground.web.failures import Refused

if TYPE_CHECKING:
    from yarl import URL

PORTS = (80, 443)  # of a page on the public web; another port is more often another service than a page
LONGEST = 2048  # characters of an address
Resolve = Callable[[str, int, socket.AddressFamily], Awaitable[list[Any]]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_SITE_LOCAL = ipaddress.ip_network("fec0::/10")  # RFC 3879: no longer given out, and still routed inside some networks
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last four bytes


class PrivateAddress(OSError):
    """A name or number that leads into this machine or its network."""


def is_public(address: str) -> bool:
    """Whether `address` is one of the public internet; what is no address is not."""
    try:
        number = _inner(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return number.is_global and not number.is_multicast and not number.is_reserved and number not in _SITE_LOCAL


def _inner(number: Address) -> Address:
    """The IPv4 address that an IPv6 address wraps, or the address itself."""
    if not isinstance(number, ipaddress.IPv6Address):
        return number
    if number in _TRANSLATED:
        return ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    teredo = number.teredo[1] if number.teredo else None
    return number.ipv4_mapped or number.sixtofour or teredo or number


def parsed(address: str) -> "URL":
    """`address` as a URL without its fragment. Raises Refused for what is no address of a page."""
    from yarl import URL

    try:
        url = URL(address).with_fragment(None)
        if url.scheme not in ("http", "https"):
            raise Refused("bad-scheme")
        url = url.with_host((url.raw_host or "").rstrip("."))  # a name with a final dot is the same host
        usable = (
            not _is_odd_number(url.raw_host or "")
            and url.port is not None
            and url.user is None
            and url.password is None
            and len(str(url)) <= LONGEST
        )
    except ValueError:
        usable = False
    if not usable:
        raise Refused("bad-address")
    return url


def checked(address: str, private_hosts: Collection[str]) -> "URL":
    """As `parsed`, and on the public web as far as the address shows it. Raises Refused."""
    url = parsed(address)
    host = url.raw_host or ""
    if host in private_hosts:
        return url
    if _is_number(host) and not is_public(host):
        raise Refused("private-address")
    if url.port not in PORTS:
        raise Refused("bad-port")
    return url


def _is_odd_number(host: str) -> bool:
    """`127.1` and `2130706433`: old resolvers take them for addresses, so they are no names."""
    return host.replace(".", "").isdigit() and not _is_number(host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Guard:
    """The resolver and the maker of sockets of an aiohttp connector; `private_hosts` may be private, nothing else."""

    def __init__(self, private_hosts: Collection[str], resolve: Resolve) -> None:
        self._hosts, self._resolve = private_hosts, resolve
        self._trusted = {host for host in private_hosts if _is_number(host)}

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[Any]:
        """As aiohttp's resolvers. Raises PrivateAddress if only one of a name's addresses is private."""
        found = await self._resolve(host, port, family)
        addresses = [str(one["host"]) for one in found]
        if host in self._hosts:
            self._trusted.update(addresses)
        elif not all(map(is_public, addresses)):
            raise PrivateAddress(f"{host} leads into a private network")
        return found

    async def close(self) -> None:
        """Nothing is held open."""

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for one address, as aiohttp's `socket_factory`. Raises PrivateAddress."""
        family, kind, protocol, _, address = info
        if not is_public(str(address[0])) and address[0] not in self._trusted:
            raise PrivateAddress("a private address")
        return socket.socket(family=family, type=kind, proto=protocol)
