"""From messages to readings, without a connection: what each topic told last, and when.

A retained message is one that the broker kept, from a time that nobody knows: it is a first hint, told with time 0, and takes
no effect once anything newer was heard. A value that stops being told keeps its time and so grows old; it never turns to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.meter_reading import MeterValues, Partial, Role, factor, partial
from parkwatt.io.mqtt.payload import PayloadError, number, text
from parkwatt.io.mqtt.settings import MqttMeter, Place, SocTopic

_US: Final = 1_000_000
# Currents told longer before the power than this are not those of the same moment.
_TOGETHER_US: Final = 30 * _US
# A house's power changes all the time; the sun's and a battery's may stay the same for a night.
SILENCE_S: Final[dict[Role, float]] = {
    "grid": 120.0,
    "load": 120.0,
    "solar": 86_400.0,
    "battery": 86_400.0,
}
# A state of charge is told again when it moved by so much, or after so long.
_SOC_STEP: Final = 0.005
_SOC_AGAIN_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``at_s``: by a clock that never jumps."""

    topic: str
    payload: bytes
    retained: bool
    at_unix_us: int
    at_s: float


@dataclass(slots=True)
class Health:
    """Whether a source gives what it should; says so once when that changes."""

    source: str
    reason: str = ""

    def now(self, reason: str) -> list[SourceChanged]:
        """What to tell now that its trouble is ``reason``, "" for none."""
        changed = bool(reason) != bool(self.reason)
        self.reason = reason
        return [SourceChanged(self.source, ok=not reason, reason=reason)] if changed else []


@dataclass(slots=True)
class Told:
    """What came of a message."""

    readings: list[Partial] = field(default_factory=list)
    socs: list[SocTold] = field(default_factory=list)
    states: list[SourceChanged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Known:
    """A value as it was told last. ``at_unix_us``: 0 for a hint."""

    value: float | None
    at_unix_us: int


_UNTOLD: Final = _Known(None, 0)


class MeterFold:
    """What one meter told so far."""

    def __init__(self, meter: MqttMeter) -> None:
        self.meter = meter
        self.heard_s: float | None = None
        self.health = Health(meter.source)
        self._known: dict[Place, _Known] = {}
        self._faults: dict[Place, str] = {}
        self._offline = ""
        self._places = {place for place in _places(meter) if place is not None}

    @property
    def topics(self) -> set[str]:
        """All topics that it is told on."""
        topics = {place.topic for place in self._places}
        return (
            topics if self.meter.availability is None else topics | {self.meter.availability.topic}
        )

    def take(self, message: Message) -> Told:
        """Take in a message on one of its topics."""
        told = Told()
        availability = self.meter.availability
        if availability is not None and message.topic == availability.topic:
            self._take_availability(message, told)
        places = [place for place in self._places if place.topic == message.topic]
        if not places or (message.retained and any(place in self._known for place in places)):
            return told
        if not message.retained and self.meter.power in places:
            self.heard_s = message.at_s
        at_unix_us = 0 if message.retained else message.at_unix_us
        for place in places:
            value, self._faults[place] = self._value(place, message.payload)
            self._known[place] = _Known(value, at_unix_us)
        if not message.retained:
            self._offline = ""
            told.states += self.health.now(self._trouble)
        told.readings.append(self._reading())
        return told

    def silent(self, now_s: float, since_s: float) -> list[SourceChanged]:
        """What to tell where nothing was heard for too long; ``since_s``: since when there was a connection."""
        silence_s = SILENCE_S[self.meter.role]
        if now_s < self.due_s(since_s) or self.health.reason:
            return []
        topic = self.meter.power.topic
        return self.health.now(f"nothing on {topic} for {silence_s / 60.0:g} minutes")

    def due_s(self, since_s: float) -> float:
        """When it will have been silent for too long."""
        heard_s = since_s if self.heard_s is None else max(self.heard_s, since_s)
        return heard_s + SILENCE_S[self.meter.role]

    def _take_availability(self, message: Message, told: Told) -> None:
        availability = self.meter.availability
        assert availability is not None  # noqa: S101 asked by the caller
        try:
            said = text(message.payload)
        except PayloadError:
            return
        if said == availability.not_available:
            self._offline = f"it says that it is {said} on {availability.topic}"
            for place in self._places:
                self._known[place] = _Known(None, message.at_unix_us)
            told.readings.append(self._reading())
        elif said == availability.available:
            self._offline = ""
        told.states += self.health.now(self._trouble)

    @property
    def _trouble(self) -> str:
        return self._offline or next((reason for reason in self._faults.values() if reason), "")

    def _value(self, place: Place, payload: bytes) -> tuple[float | None, str]:
        """A place's value, and what is wrong with it."""
        try:
            value = number(payload, place.path)
        except PayloadError as error:
            return None, f"on {place.topic}: {error}"
        is_power = place in (self.meter.power, self.meter.export)
        unknown = value is None and is_power
        return value, f"on {place.topic}: it is told to be unknown" if unknown else ""

    def _reading(self) -> Partial:
        meter = self.meter
        power_kw, at_unix_us = self._power_kw()
        values = MeterValues(
            power_kw=power_kw,
            phase_current_a=self._currents_a(at_unix_us),
            import_kwh=self._kwh(meter.import_energy),
            export_kwh=self._kwh(meter.export_energy),
        )
        return partial(meter.role, values, at_unix_us)

    def _power_kw(self) -> tuple[float | None, int]:
        """Import positive, and the time of its older part; what is told in two parts is known with both."""
        meter = self.meter
        told, back = self._known.get(meter.power, _UNTOLD), _Known(0.0, 0)
        at_unix_us = told.at_unix_us
        if meter.export is not None:
            back = self._known.get(meter.export, _UNTOLD)
            at_unix_us = min(at_unix_us, back.at_unix_us)
        if told.value is None or back.value is None:
            return None, at_unix_us
        power_w = (told.value - back.value) * meter.watts
        return factor(meter.sign) * power_w / 1000.0, at_unix_us

    def _currents_a(self, at_unix_us: int) -> tuple[float | None, ...]:
        """Those told together with the power. Where exported power is positive, all count as import: see `measured_plain`."""
        currents_a: list[float | None] = []
        for place in self.meter.currents:
            known = self._known.get(place)
            if known is None or known.at_unix_us < at_unix_us - _TOGETHER_US:
                currents_a.append(None)
            elif known.value is not None and self.meter.sign == "export_positive":
                currents_a.append(abs(known.value))
            else:
                currents_a.append(known.value)
        return tuple(currents_a)

    def _kwh(self, place: Place | None) -> float | None:
        known = None if place is None else self._known.get(place)
        return None if known is None or known.value is None else known.value * self.meter.kwh


def _places(meter: MqttMeter) -> Sequence[Place | None]:
    return (meter.power, meter.export, *meter.currents, meter.import_energy, meter.export_energy)


class SocFold:
    """What was told of one car's state of charge."""

    def __init__(self, topic: SocTopic) -> None:
        self.topic = topic
        self.health = Health(f"car.{topic.car_id}.soc")
        self._soc: float | None = None
        self._told_s = 0.0

    def take(self, message: Message) -> Told:
        """Take in a message on its topic. What was retained has no time, and is of no use for a battery."""
        if message.retained:
            return Told()
        told = Told()
        try:
            soc = self._soc_in(message.payload)
        except PayloadError as error:
            told.states += self.health.now(f"on {message.topic}: {error}")
            return told
        told.states += self.health.now("")
        if soc is not None and self._is_news(soc, message.at_s):
            self._soc, self._told_s = soc, message.at_s
            told.socs.append(SocTold(self.topic.car_id, soc, message.at_unix_us, "mqtt"))
        return told

    def _is_news(self, soc: float, at_s: float) -> bool:
        known = self._soc
        moved = known is None or abs(soc - known) >= _SOC_STEP
        return moved or at_s - self._told_s >= _SOC_AGAIN_S

    def _soc_in(self, payload: bytes) -> float | None:
        """0 to 1; None where it is not known: so is 0, which cars' services tell when they have lost the car."""
        value = number(payload, self.topic.place.path)
        if value is None or value == 0.0:
            return None
        most = 100.0 if self.topic.unit == "percent" else 1.0
        if not 0.0 < value <= most:
            raise PayloadError(f"{value:g} is not within 0 to {most:g}: is soc_unit right?")
        return value / most
