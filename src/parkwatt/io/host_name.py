"""Reading the name of a machine in the network from settings."""

from __future__ import annotations

from typing import Final

from parkwatt.domain.record import Record

_LABEL_LENGTH_MAX: Final = 63
_FOREIGN: Final = frozenset("/@?#[]")


def read_host(record: Record, name: str = "host") -> str:
    """A host's name or address, without scheme, port or path. After faults it must not be used."""
    host = record.text(name)
    if host.strip() and not _is_host(host):
        rule = "must be a name or an address alone, such as meter.local or 192.168.1.20"
        record.fault(name, rule, host)
    return host


def _is_host(host: str) -> bool:
    if not _FOREIGN.isdisjoint(host) or any(map(str.isspace, host)):
        return False
    if host.count(":") > 1:
        return True  # IPv6
    labels = host.removesuffix(".").split(".")
    return ":" not in host and all(0 < len(label) <= _LABEL_LENGTH_MAX for label in labels)
