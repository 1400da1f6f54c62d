"""Topics and ids. They are made of the prefix and of the names in the site's file, so that they stay while those do.

    <prefix>/availability                       online or offline: the program
    <prefix>/charger/<charger>/availability     a charger's link
    <prefix>/<device>/<key>                     an entity's state; <device> is site, backup or car/<car>
    <prefix>/<device>/<key>/attributes
    <prefix>/<device>/<key>/set                 what it is told

Discovery topics and ids take only letters, digits, `_` and `-` (Home Assistant's documentation, "Discovery topic").
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final

_BIRTH: Final = "homeassistant/status"
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str:
    """A name as a topic's level and a part of ids: lower case letters, digits and `_`; never empty.

    A name without any Latin letter or digit gets a checksum in its place.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("_", plain).strip("_") or f"x{zlib.crc32(name.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Naming:
    """All topics and ids of one site."""

    discovery_prefix: str
    topic_prefix: str

    @property
    def availability(self) -> str:
        """Where it is told whether the program runs."""
        return f"{self.topic_prefix}/availability"

    @property
    def births(self) -> tuple[str, ...]:
        """Where Home Assistant says that it is there: its default, which does not follow the prefix, and one that does."""
        return tuple(dict.fromkeys((_BIRTH, f"{self.discovery_prefix}/status")))

    @property
    def every_config(self) -> str:
        """All devices of anybody."""
        return f"{self.discovery_prefix}/device/+/config"

    def charger_availability(self, charger: str) -> str:
        """Where it is told whether a charger has a link."""
        return f"{self.topic_prefix}/charger/{charger}/availability"

    def device_id(self, device: str) -> str:
        """The device's identifier."""
        prefix = self.topic_prefix.replace("/", "_")
        return f"{prefix}_{device.replace('/', '_')}"

    def config(self, device: str) -> str:
        """Where a device is described."""
        return f"{self.discovery_prefix}/device/{self.device_id(device)}/config"

    def state(self, device: str, key: str) -> str:
        """Where an entity's state is told."""
        return f"{self.topic_prefix}/{device}/{key}"

    def attributes(self, device: str, key: str) -> str:
        """Where more of it is told, as JSON."""
        return f"{self.state(device, key)}/attributes"

    def command(self, device: str, key: str) -> str:
        """Where an entity is told what to do."""
        return f"{self.state(device, key)}/set"

    def unique_id(self, device: str, key: str) -> str:
        """The entity's identity."""
        return f"{self.device_id(device)}_{key}"
