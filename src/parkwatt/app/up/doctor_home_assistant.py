"""Whether Home Assistant is told of the site: looked for on the broker, where it would look itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from parkwatt.app.live_settings import LiveSettings
from parkwatt.app.up.doctor_check import Check, Seen
from parkwatt.app.up.home_assistant import devices
from parkwatt.io.mqtt.connection import BrokerError
from parkwatt.io.mqtt.home_assistant import Naming
from parkwatt.io.mqtt.home_assistant.looking import look_at_broker

_SUBJECT: Final = "Home Assistant"


def checks(settings: LiveSettings, seen: Seen) -> Iterator[Check]:
    """All about Home Assistant; nothing where it is not told anything."""
    shown, broker = settings.home_assistant, settings.metering.broker
    if shown is None or broker is None or not shown.enabled:
        return
    naming = Naming(shown.discovery_prefix, shown.topic_prefix)
    try:
        kept = asyncio.run(look_at_broker(broker, naming))
    except BrokerError as error:
        yield Check(
            "error", _SUBJECT, str(error), "check [mqtt] and the user's rights on the broker"
        )
        return
    if seen.site is None:
        yield Check("skipped", _SUBJECT, "the broker answers; it is told while the server runs")
        return
    wanted = {naming.config(one.path): len(one.entities) for one in devices(settings, shown)}
    missing = [topic for topic in wanted if kept.entities.get(topic) != wanted[topic]]
    if kept.online and not missing:
        message = f"{len(wanted)} devices with {sum(wanted.values())} entities are told"
        yield Check("ok", _SUBJECT, message)
    elif not kept.online:
        remedy = f"look for home_assistant among the sources; may it write {naming.topic_prefix}/#?"
        yield Check("error", _SUBJECT, "the broker knows of no Parkwatt that runs", remedy)
    else:
        remedy = "give Parkwatt the right to write there; after a change of the file start it anew"
        yield Check("error", _SUBJECT, f"not told as they are: {', '.join(missing)}", remedy)
