"""The table `[home_assistant]`: whether and how Home Assistant is told of the site, over the broker in `[mqtt]`.

[home_assistant]
enabled = true                      false: what was told before is taken away again
discovery_prefix = "homeassistant"  as set in Home Assistant's MQTT integration
topic_prefix = "parkwatt"           of our own topics and of all entities' ids; another one for each site on a broker
language = "en"                     of the entities' names: en or de
commands = true                     false: Home Assistant sees everything and changes nothing
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from parkwatt.domain.record import Record

Language = Literal["en", "de"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "de")
_PREFIX: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistantSettings:
    """``topic_prefix``: begins all topics of the site and, with `_` for what is no letter or digit, all ids."""

    enabled: bool = True
    discovery_prefix: str = "homeassistant"
    topic_prefix: str = "parkwatt"
    language: Language = "en"
    commands: bool = True


def read_home_assistant(record: Record) -> HomeAssistantSettings:
    """The table. After faults it must not be used."""
    language = record.text("language", "en", choices=LANGUAGES)
    settings = HomeAssistantSettings(
        enabled=record.boolean("enabled", default=True),
        discovery_prefix=_prefix(record, "discovery_prefix", "homeassistant"),
        topic_prefix=_prefix(record, "topic_prefix", "parkwatt"),
        language="de" if language == "de" else "en",
        commands=record.boolean("commands", default=True),
    )
    if settings.topic_prefix == settings.discovery_prefix:
        record.fault("topic_prefix", "must not be the discovery_prefix", settings.topic_prefix)
    record.finish()
    return settings


def _prefix(record: Record, name: str, default: str) -> str:
    prefix = record.text(name, default)
    if not _PREFIX.fullmatch(prefix):
        rule = "must be letters, digits, _ and -, with / between levels"
        record.fault(name, rule, prefix)
    return prefix
