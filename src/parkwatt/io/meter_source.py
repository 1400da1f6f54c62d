"""Everything that tells a running site its readings, as its settings say: one source for each device, one for the broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from parkwatt.domain.site.event import SocTold, SourceChanged
from parkwatt.io.meter_reading import Partial
from parkwatt.io.meter_settings import Metering
from parkwatt.io.modbus.settings import ModbusMeter
from parkwatt.io.modbus.source import ModbusSource
from parkwatt.io.mqtt.settings import MqttMeter, SocTopic
from parkwatt.io.mqtt.source import MqttSource


class MeterSource(Protocol):
    """Something that tells readings for ever."""

    async def run(
        self,
        on_reading: Callable[[Partial], None],
        on_state: Callable[[SourceChanged], None],
    ) -> NoReturn:
        """``on_reading``: fields of `SiteReading`. ``on_state``: once when a source fails, and once when it is well again."""


def meter_sources(
    metering: Metering,
    *,
    clock: Callable[[], int],
    poll_s: Callable[[], float],
    soc_topics: Sequence[SocTopic] = (),
    on_soc: Callable[[SocTold], None] | None = None,
) -> tuple[MeterSource, ...]:
    """The sources of all meters, and of what cars tell on MQTT.

    ``clock``: µs since 1970. ``poll_s``: how often devices that must be asked are asked now. ``on_soc``: for ``soc_topics``.

    Raises ValueError where something is read from MQTT and there is no broker.
    """
    by_address: dict[tuple[str, int], list[ModbusMeter]] = {}
    for meter in metering.meters:
        if isinstance(meter, ModbusMeter):
            by_address.setdefault((meter.host, meter.port), []).append(meter)
    sources: list[MeterSource] = [
        ModbusSource(meters, clock=clock, poll_s=poll_s) for meters in by_address.values()
    ]
    told = [meter for meter in metering.meters if isinstance(meter, MqttMeter)]
    if told or soc_topics:
        if metering.broker is None:
            raise ValueError("something is read from MQTT, and no broker is given")
        sources.append(MqttSource(metering.broker, told, soc_topics, clock=clock, on_soc=on_soc))
    return tuple(sources)
