"""What keeps one visitor, be it a crawler, from taking all of the processor: so much a minute for each address."""

import ipaddress
import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

MINUTE = 60  # seconds
IPV6_PREFIX = 64  # bits that a provider gives one customer


def is_within(request: HttpRequest, deed: str, cost: int, most: int) -> bool:
    """Whether an address has not spent more than `most` on a deed this minute, `cost` included."""
    key = f"{deed}:{_network(request)}:{int(time.time()) // MINUTE}"
    cache.add(key, 0, 2 * MINUTE)
    try:
        return cache.incr(key, cost) <= most
    except ValueError:  # forgotten just now, as a full cache does
        return True


def _network(request: HttpRequest) -> str:
    address = str(get_adapter().get_client_ip(request))
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False).network_address)
