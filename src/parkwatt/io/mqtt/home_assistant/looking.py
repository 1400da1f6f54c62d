"""What the broker keeps for Home Assistant: looked at once, for checking a set-up."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Final

from parkwatt.io.mqtt.connection import USUAL, connected
from parkwatt.io.mqtt.home_assistant.naming import Naming
from parkwatt.io.mqtt.home_assistant.payload import ONLINE, read_own
from parkwatt.io.mqtt.settings import MqttSettings

_KEPT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Kept:
    """``entities``: how many each device of this site has, by the topic on which it is told. ``online``: the program, as told
    last; None: it was never told.
    """

    entities: dict[str, int]
    online: bool | None = None


async def look_at_broker(broker: MqttSettings, naming: Naming) -> Kept:
    """What is kept of this site. Raises BrokerError, also where the broker does not allow to read it."""
    entities: dict[str, int] = {}
    online = None
    client_id = f"{broker.client_id or f'parkwatt-{secrets.token_hex(4)}'}-look"
    topics = [naming.every_config, *naming.births, naming.availability]
    async with connected(broker, topics, client_id, USUAL) as client:
        try:
            async with asyncio.timeout(_KEPT_S):
                async for message in client.messages:
                    topic, payload = str(message.topic), bytes(message.payload)
                    if topic == naming.availability:
                        online = payload == ONLINE.encode()
                    elif (config := read_own(payload, naming)) is not None:
                        entities[topic] = len(config["components"])
        except TimeoutError:
            pass
    return Kept(entities, online)
