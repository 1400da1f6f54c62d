"""The table `[web]`: where the pages are served."""

from __future__ import annotations

from dataclasses import dataclass

from parkwatt.app.serve_settings import Address, read_address
from parkwatt.domain.record import Record
from parkwatt.io.ocpp.server.identity import is_loopback


@dataclass(frozen=True, slots=True)
class WebSettings:
    """``address``: where browsers come. ``enabled``: False serves no pages."""

    enabled: bool
    address: Address


def read_web(record: Record) -> WebSettings:
    """What the file says; by default pages are there for this machine alone."""
    address = read_address(record, "listen", "127.0.0.1:8088")
    if not (record.boolean("allow_unencrypted", False) or is_loopback(address.host)):
        rule = (
            "must be an address of this machine alone, since passwords would cross the network in the clear: "
            "put a proxy with TLS before it, or set allow_unencrypted = true if the network is trusted"
        )
        record.fault("listen", rule, f"{address.host}:{address.port}")
    settings = WebSettings(record.boolean("enabled", True), address)
    record.finish()
    return settings
