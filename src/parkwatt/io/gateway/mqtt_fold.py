"""From messages to what a device tells now, without a connection.

Home Assistant publishes what changes, and nothing else: how fresh a value is that was told an hour ago only the device can say.
A value is as old as its message; of a device with an ``alive_topic`` all values are as old as its newest sign of life there,
also where the same value is said again and again. A retained value has no time of its own: only a sign of life gives it one.
With each new connection everything is forgotten: what changed while nobody listened must not be taken for what is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Final

from parkwatt.domain.home.circuit import CircuitReading
from parkwatt.domain.home.gateway import GatewayReading
from parkwatt.domain.site.event import SourceChanged
from parkwatt.io.gateway.link import BatteryReading
from parkwatt.io.gateway.mqtt_settings import MqttBattery, MqttCircuit, MqttGateway, Presence
from parkwatt.io.gateway.points import Flag, Quantity, circuit_reading, gateway_reading, share
from parkwatt.io.mqtt.fold import Health, Message
from parkwatt.io.mqtt.payload import PayloadError, number, text, word
from parkwatt.io.mqtt.settings import Place

# A gateway is told to be silent after this long; what it told is unknown much sooner.
SILENCE_S: Final = 30.0
_SHOWN_MAX: Final = 40


class DeviceFold:
    """What one device told since the connection began.

    ``flags``, ``numbers``, ``words``: where it tells what. ``source``: what it is called where its health is told.
    """

    def __init__(
        self,
        source: str,
        presence: Presence,
        *,
        flags: Sequence[Flag[Place]] = (),
        numbers: Sequence[Quantity[Place]] = (),
        words: Sequence[Place] = (),
    ) -> None:
        self._flags, self._numbers = flags, numbers
        self._presence = presence
        places = [*(flag.where for flag in flags), *(one.where for one in numbers), *words]
        self._topics = {place.topic for place in places}
        self.health = Health(source)
        self.forget()

    @property
    def topics(self) -> set[str]:
        """All topics that it is told on."""
        more = {self._presence.alive_topic}
        if self._presence.availability is not None:
            more.add(self._presence.availability.topic)
        return self._topics | {topic for topic in more if topic is not None}

    def forget(self) -> None:
        """Begin anew, with a new connection."""
        self._told: dict[str, Message] = {}
        self._alive_unix_us = 0
        self._offline_unix_us: int | None = None

    def take(self, message: Message) -> bool:
        """Take in a message; whether it was one of its own."""
        if message.topic not in self.topics:
            return False
        availability = self._presence.availability
        if availability is not None and message.topic == availability.topic:
            self._take_availability(message)
        if message.topic in self._topics and not self._is_late(message):
            self._told[message.topic] = message
        if message.topic == self._presence.alive_topic and not message.retained:
            self._alive_unix_us = message.at_unix_us
        return True

    def news(self) -> list[SourceChanged]:
        """What to tell of its health."""
        return self.health.now(self._trouble())

    def word(self, place: Place) -> str | None:
        """The word there; None where it is unknown, or the device away."""
        message = self._told.get(place.topic)
        if message is None:
            return None
        with contextlib.suppress(PayloadError):
            return word(message.payload, place.path)
        return None

    def number(self, place: Place) -> float | None:
        """The number there; None where it is unknown, or the device away."""
        message = self._told.get(place.topic)
        if message is None:
            return None
        with contextlib.suppress(PayloadError):
            return number(message.payload, place.path)
        return None

    def measured_unix_us(self, places: Iterable[Place]) -> int:
        """When the oldest of these was told; 0 where one has not been, or nobody knows when. Away: since when."""
        if self._offline_unix_us is not None:
            return self._offline_unix_us
        return min((self._told_unix_us(place.topic) for place in places), default=0)

    def _told_unix_us(self, topic: str) -> int:
        message = self._told.get(topic)
        if message is None:
            return 0
        if self._presence.alive_topic is not None:
            return self._alive_unix_us
        return 0 if message.retained else message.at_unix_us

    def _is_late(self, message: Message) -> bool:
        """What the broker had kept is older than what was told."""
        return message.retained and message.topic in self._told

    def _take_availability(self, message: Message) -> None:
        availability = self._presence.availability
        with contextlib.suppress(PayloadError):
            said = text(message.payload)
            if availability is not None and said == availability.not_available:
                self.forget()
                self._offline_unix_us = message.at_unix_us
            elif availability is not None and said == availability.available:
                self._offline_unix_us = None

    def _trouble(self) -> str:
        """What is wrong, in words; "" for nothing."""
        availability = self._presence.availability
        if self._offline_unix_us is not None and availability is not None:
            return f"it says that it is {availability.not_available} on {availability.topic}"
        faults = [self._flag_fault(flag) for flag in self._flags]
        faults += [self._number_fault(quantity.where) for quantity in self._numbers]
        return next((fault for fault in faults if fault), "")

    def _flag_fault(self, flag: Flag[Place]) -> str:
        message = self._told.get(flag.where.topic)
        try:
            said = None if message is None else word(message.payload, flag.where.path)
        except PayloadError as error:
            return f"on {flag.where.topic}: {error}"
        if said is None or flag.read(said) is not None:
            return ""
        return (
            f"on {flag.where.topic}: {said[:_SHOWN_MAX]!r} is neither {flag.yes!r} nor {flag.no!r}"
        )

    def _number_fault(self, place: Place) -> str:
        message = self._told.get(place.topic)
        try:
            if message is not None:
                number(message.payload, place.path)
        except PayloadError as error:
            return f"on {place.topic}: {error}"
        return ""


class GatewayFold(DeviceFold):
    """What a gateway told."""

    def __init__(self, gateway: MqttGateway) -> None:
        self._points = points = gateway.points
        super().__init__(
            "gateway",
            gateway.presence,
            flags=tuple(points.flags.values()),
            numbers=[*points.quantities(), *(one for one in (points.measured_at,) if one)],
            words=() if points.fault is None else (points.fault,),
        )

    def reading(self) -> GatewayReading:
        """What it tells now."""
        at_unix_us = self.measured_unix_us(self._points.places())
        return gateway_reading(self._points, self.word, self.number, at_unix_us)


class CircuitFold(DeviceFold):
    """What a circuit told."""

    def __init__(self, circuit: MqttCircuit) -> None:
        self._points = points = circuit.points
        super().__init__(
            f"circuit.{points.circuit_id}",
            circuit.presence,
            flags=() if points.state is None else (points.state,),
            numbers=[one for one in (points.power, points.energy) if one is not None],
        )

    def reading(self) -> CircuitReading:
        """What it tells now."""
        at_unix_us = self.measured_unix_us(self._points.places())
        return circuit_reading(self._points, self.word, self.number, at_unix_us)


class BatteryFold(DeviceFold):
    """What a battery told."""

    def __init__(self, battery: MqttBattery) -> None:
        self._soc = battery.soc
        super().__init__("home battery", battery.presence, numbers=(battery.soc,))

    def reading(self) -> BatteryReading:
        """What it tells now."""
        soc = share(self.number(self._soc.where), self._soc.scale)
        return BatteryReading(self.measured_unix_us((self._soc.where,)), soc)
